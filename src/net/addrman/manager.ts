/**
 * Whom we could call: Core's addrman. Hearsay goes to the new table, who answered a hello of our network over a
 * connection that we made goes to the tried table. What makes a node hard to corner (Heilman et al. 2015) is where
 * things stand: see `placement.ts`. Nothing displaces an address that works without its failing a test first.
 */
import type { Multiaddr } from '@multiformats/multiaddr';
import { type Clock, fromHex, type Random } from '#util';
import { dialableText, parseTcpAddress } from '../addresses.ts';
import type { JsonFile } from '../json-file.ts';
import type { KnownAddress } from '../operator-port.ts';
import type { PeerIdText, SourceKind, SourceQuality } from '../port.ts';
import { type AddressSource, chanceOf, type Entry, hearsayAgeMs, isTerrible, type PeerAddress } from './entry.ts';
import type { NetGroups } from './net-groups.ts';
import { PLACEMENT_KEY_BYTES, Placement } from './placement.ts';
import { Quality } from './quality.ts';
import { admit, limits } from './siblings.ts';
import { parseStored, type StoredEntry, toStored } from './stored.ts';
import { AddressTables } from './tables.ts';
import { TriedCollisions } from './tried-collisions.ts';

const MAX_PEER_ID_TEXT = 80;
/** Looked at in one call. Honest peers have four. */
const MAX_ADDRESSES_AT_ONCE = 16;
/** Core's ADDRMAN_NEW_BUCKETS_PER_ADDRESS. */
const NEW_BUCKETS_PER_ADDRESS = 8;
const HOUR_MS = 3_600_000;
/** Core's: how stale the time must be that Connected renews. */
const RENEW_MS = 20 * 60_000;
/** Draws of one `select`. Core draws until it has one, and its caller asks a hundred times. */
const MAX_DRAWS = 200;
const CHANCE_UNIT = 2 ** 30;
/** Core's MAX_PCT_ADDR_TO_SEND. */
const SAMPLE_PERCENT = 23;
/** The file is written as a whole, so the more is in it the more seldom: 12 kB a second at most, Core's 15 minutes when full. */
const SAVE_MS_PER_ENTRY = 10;
const SAVE_MAX_MS = 15 * 60_000;

export type AddressManagerDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly file: JsonFile;
  readonly groups: NetGroups;
};

export type AddressManagerOptions = { readonly allowPrivateAddresses: boolean };

export type SelectWish = {
  /** For a feeler: only what nobody answered at yet. */
  readonly newOnly: boolean;
  readonly isWanted: (peer: PeerAddress) => boolean;
};

export class AddressManager {
  readonly #deps: AddressManagerDeps;
  readonly #options: AddressManagerOptions;
  readonly #key: Uint8Array;
  readonly #tables: AddressTables;
  readonly #collisions: TriedCollisions;
  readonly #quality = new Quality();
  /** Core's m_last_good: a failure counts once between two successes, so that a broken network of ours ruins nobody. */
  #lastGoodMs = 1;
  #isDirty = false;
  #savedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(deps: AddressManagerDeps, options: AddressManagerOptions, key: Uint8Array) {
    this.#deps = deps;
    this.#options = options;
    this.#key = key;
    this.#tables = new AddressTables(new Placement(key));
    this.#collisions = new TriedCollisions(this.#tables, deps);
  }

  /** Reads the file, also that of the address book before it. What in it makes no sense is left out. */
  static async open(deps: AddressManagerDeps, options: AddressManagerOptions): Promise<AddressManager> {
    const { key, entries } = parseStored(await deps.file.read());
    const isKey = key !== undefined && key.length === 2 * PLACEMENT_KEY_BYTES;
    const manager = new AddressManager(deps, options, isKey ? fromHex(key) : deps.random.bytes(PLACEMENT_KEY_BYTES));
    for (const stored of entries) manager.#restore(stored);
    return manager;
  }

  /** Entries in each table. */
  get size(): { readonly tried: number; readonly fresh: number } {
    return { tried: this.#tables.triedCount, fresh: this.#tables.newCount };
  }

  /** Hearsay. Gives the number of addresses that were new to us and got a place. */
  add(id: PeerIdText, addresses: readonly Multiaddr[], source: AddressSource): number {
    if (id.length > MAX_PEER_ID_TEXT) return 0;
    let added = 0;
    for (const address of addresses.slice(0, MAX_ADDRESSES_AT_ONCE)) {
      const text = this.#usable(address, source.kind);
      if (text === undefined) continue;
      const known = this.#tables.index.find({ id, address: text });
      if (known !== undefined) this.#heardAgain(known, source);
      else if (this.#addNew(this.#newEntry(id, text, address), source)) added += 1;
    }
    if (added > 0) this.#quality.heard(source.kind, added);
    return added;
  }

  /** Core's Attempt: a call begins, or failed. It counts as a failure unless we are isolated, and once between two successes. */
  attempt(peer: PeerAddress, countFailure: boolean): void {
    const entry = this.#tables.index.find(peer);
    if (entry === undefined) return;
    const now = this.#deps.clock.now();
    entry.lastTryMs = now;
    if (countFailure && entry.lastCountedTryMs < this.#lastGoodMs) {
      entry.lastCountedTryMs = now;
      entry.attempts += 1;
    }
    this.#isDirty = true;
  }

  /**
   * Core's Good: a connection that we made answered a valid hello. The address goes to the tried table; if its place
   * there is taken, it waits until whoever has it was tested.
   */
  good(peer: PeerAddress): void {
    const now = this.#deps.clock.now();
    this.#lastGoodMs = now;
    const entry = this.#tables.index.find(peer) ?? this.#heardByAnswer(peer);
    if (entry === undefined) return;
    if (entry.lastSuccessMs === 0) this.#quality.succeeded(entry);
    Object.assign(entry, { lastSuccessMs: now, lastTryMs: now, attempts: 0 });
    this.#isDirty = true;
    if (entry.isTried) return;
    if (this.#tables.rivalOf(entry) === undefined) this.#tables.makeTried(entry);
    else this.#collisions.add(entry);
  }

  /** Core's Connected, when the connection ends: the peer was alive until now. */
  connected(id: PeerIdText): void {
    const now = this.#deps.clock.now();
    const ofPeer = this.#tables.index.ofPeer(id).filter((entry) => entry.lastSuccessMs > 0);
    const last = ofPeer.toSorted((a, b) => b.lastSuccessMs - a.lastSuccessMs)[0];
    if (last === undefined || now - last.lastSeenMs <= RENEW_MS) return;
    last.lastSeenMs = now;
    this.#isDirty = true;
  }

  /** Not of our network, or banned. */
  forget(id: PeerIdText): void {
    for (const entry of [...this.#tables.index.ofPeer(id)]) this.#tables.remove(entry);
    this.#isDirty = true;
  }

  /**
   * Core's Select: either table, then by chance, so that who failed is drawn less often. Other than there any netgroup
   * of the table is as likely, and not any bucket. In a bounded number of draws; undefined when none of them fits.
   */
  select({ newOnly, isWanted }: SelectWish): PeerAddress | undefined {
    const { random, clock } = this.#deps;
    let factor = 1;
    for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
      const entry = this.#tables.draw(this.#table(newOnly), random);
      if (entry === undefined) return undefined;
      if (!isWanted(entry)) continue;
      if (random.below(CHANCE_UNIT) < factor * chanceOf(entry, clock.now()) * CHANCE_UNIT) return asPeerAddress(entry);
      factor *= 1.2;
    }
    return undefined;
  }

  /** Core's SelectTriedCollision: a tried address whose place another wants; a feeler should test it. */
  selectTriedCollision(): PeerAddress | undefined {
    const tried = this.#collisions.select();
    return tried && asPeerAddress(tried);
  }

  /** Core's ResolveCollisions: who was tested and failed makes room for who waits. */
  resolveCollisions(): void {
    if (this.#collisions.resolve()) this.#isDirty = true;
  }

  /** Unix milliseconds; 0 if we never called it or do not know it. */
  lastTryMs(peer: PeerAddress): number {
    return this.#tables.index.find(peer)?.lastTryMs ?? 0;
  }

  /** For peers, Core's GetAddr: random ones, of all no more than 23 %, none that is terrible. */
  sample(max: number): PeerAddress[] {
    return this.#sound(Math.min(max, Math.ceil((this.#tables.index.size * SAMPLE_PERCENT) / 100))).map(asPeerAddress);
  }

  /** For the operator, Core's getnodeaddresses: the same, but up to all that we know; that is what 0 asks for. */
  known(max: number): KnownAddress[] {
    const sound = this.#sound(max <= 0 ? this.#tables.index.size : max);
    return sound.map((entry) => ({ ...asPeerAddress(entry), lastSeenAt: entry.lastSeenMs }));
  }

  /** What came of each kind of source. */
  quality(): readonly SourceQuality[] {
    return this.#quality.of(this.#tables.index.entries());
  }

  /** What contradicts the tables' invariants, for tests. */
  violations(): string[] {
    return this.#tables.violations();
  }

  /** Writes the file if something changed. */
  async save(): Promise<void> {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.#savedAtMs = this.#deps.clock.monotonicMs();
    await this.#deps.file.write(toStored(this.#key, this.#tables.index.entries()));
  }

  /** Writes the file unless it was written a moment ago. */
  async saveIfDue(): Promise<void> {
    const pauseMs = Math.min(SAVE_MAX_MS, this.#tables.index.size * SAVE_MS_PER_ENTRY);
    if (this.#deps.clock.monotonicMs() - this.#savedAtMs >= pauseMs) await this.save();
  }

  /** By chance, none that is terrible. */
  #sound(count: number): Entry[] {
    const now = this.#deps.clock.now();
    const chosen: Entry[] = [];
    if (count <= 0) return chosen;
    for (const entry of this.#tables.index.shuffled(this.#deps.random)) {
      if (!isTerrible(entry, now)) chosen.push(entry);
      if (chosen.length === count) break;
    }
    return chosen;
  }

  #table(newOnly: boolean): 'new' | 'tried' {
    if (newOnly || this.#tables.triedCount === 0) return 'new';
    if (this.#tables.newCount === 0) return 'tried';
    // As Core either table, but the new one less often where it has fewer groups: once most honest addresses were tried,
    // what is left there is an attacker's.
    const [fresh, tried] = [this.#tables.groupCount('new'), this.#tables.groupCount('tried')];
    return this.#deps.random.below(Math.max(2 * fresh, fresh + tried)) < fresh ? 'new' : 'tried';
  }

  /**
   * The text that we keep of an address that we would dial. Names only of the operator: whoever could make us keep
   * names would choose what we ask the name server, and has as many as he likes.
   */
  #usable(address: Multiaddr, kind: SourceKind): string | undefined {
    const names = kind === 'manual' || kind === 'seed' ? 'allowed' : 'refused';
    const allowPrivate = this.#options.allowPrivateAddresses || kind === 'mdns';
    return dialableText(address, { allowPrivate, names });
  }

  #newEntry(id: PeerIdText, text: string, address: Multiaddr): Entry {
    return {
      id,
      address: text,
      group: this.#deps.groups.of(address),
      sources: [],
      isTried: false,
      lastSeenMs: this.#deps.clock.now(),
      lastTryMs: 0,
      lastCountedTryMs: 0,
      lastSuccessMs: 0,
      attempts: 0,
      index: -1,
    };
  }

  #addNew(entry: Entry, source: AddressSource): boolean {
    const now = this.#deps.clock.now();
    entry.lastSeenMs -= hearsayAgeMs(source.kind);
    const { index } = this.#tables;
    const arrival = { group: entry.group, source };
    if (!this.#tables.isOpen(entry, source, now)) return false;
    const asAddress = admit(index.ofPeer(entry.id), arrival, limits.ofPeer, now);
    const asPeer = admit(index.ofHostPort(entry.address), arrival, limits.ofHostPort, now);
    if (!asAddress.isAdmitted || !asPeer.isAdmitted) return false;
    for (const { displaced } of [asAddress, asPeer]) if (displaced !== undefined) this.#tables.remove(displaced);
    this.#tables.putNew(entry, source);
    this.#isDirty = true;
    return true;
  }

  /** Core: a further source is a further place, each half as likely as the one before. */
  #heardAgain(entry: Entry, source: AddressSource): void {
    const now = this.#deps.clock.now();
    const seenMs = now - hearsayAgeMs(source.kind);
    if (entry.lastSeenMs < seenMs - HOUR_MS) {
      entry.lastSeenMs = seenMs;
      this.#isDirty = true;
    }
    const places = entry.sources.length;
    if (entry.isTried || places >= NEW_BUCKETS_PER_ADDRESS) return;
    if (this.#deps.random.below(2 ** places) !== 0 || !this.#tables.isOpen(entry, source, now)) return;
    this.#tables.putNew(entry, source);
    this.#isDirty = true;
  }

  /** Whoever answered at an address that nobody told us of has told us himself. */
  #heardByAnswer({ id, address }: PeerAddress): Entry | undefined {
    const parsed = parseTcpAddress(address);
    if (parsed === undefined || this.#usable(parsed, 'manual') !== address || id.length > MAX_PEER_ID_TEXT)
      return undefined;
    const entry = this.#newEntry(id, address, parsed);
    const source: AddressSource = { kind: 'identify', group: entry.group };
    if (this.#tables.rivalOf(entry) === undefined) entry.sources = [source];
    else if (!this.#addNew(entry, source)) return undefined;
    return entry;
  }

  #restore(stored: StoredEntry): void {
    const { id, address, isTried } = stored;
    const parsed = parseTcpAddress(address);
    if (parsed === undefined || this.#usable(parsed, 'manual') !== address || id.length > MAX_PEER_ID_TEXT) return;
    if (this.#tables.index.find(stored) !== undefined) return;
    const entry = this.#newEntry(id, address, parsed);
    const now = this.#deps.clock.now();
    // A file from the future (the clock was set back) must not keep a peer from being called.
    entry.lastSeenMs = Math.min(now, stored.lastSeenMs);
    entry.lastTryMs = Math.min(now, stored.lastTryMs);
    entry.lastSuccessMs = Math.min(now, stored.lastSuccessMs);
    entry.attempts = stored.attempts;
    const sources = stored.sources.length > 0 ? stored.sources : [{ kind: 'identify', group: entry.group } as const];
    if (isTried && this.#tables.rivalOf(entry) === undefined) {
      entry.sources = sources.slice(0, 1);
      this.#tables.makeTried(entry);
      return;
    }
    for (const source of sources) if (this.#tables.isOpen(entry, source, now)) this.#tables.putNew(entry, source);
  }
}

/** Entries stay inside. */
function asPeerAddress({ id, address }: Entry): PeerAddress {
  return { id, address };
}

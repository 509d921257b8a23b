/**
 * The peers that we know how to reach, and how that went. Two bounded halves: `tried` peers once answered a hello of
 * our network over a connection that we dialled; all others are hearsay. Hearsay never displaces the tried, so a
 * flood of invented addresses costs at most the other half. Kept in a file, so that a restarted node finds its
 * network again with every seed dead.
 */
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { Clock, Random } from '#util';
import { hasPublicAddress, networkGroup, parseTcpAddress } from './addresses.ts';
import type { JsonFile } from './json-file.ts';
import type { PeerIdText } from './port.ts';

export const MAX_PER_HALF = 1024;
const MAX_ADDRESSES_PER_PEER = 4;
const MAX_PEER_ID_TEXT = 80;
/** A failure streak this long makes hearsay worthless. */
const HOPELESS_FAILURES = 8;
const ISOLATED_BACKOFF_MS = 60_000;

export type KnownPeer = {
  readonly id: PeerIdText;
  /** Without /p2p/ id; the one that last worked comes first. */
  addresses: string[];
  /** Unix milliseconds; 0 for never. */
  lastSeen: number;
  lastTry: number;
  lastSuccess: number;
  /** Since the last success. */
  failures: number;
};

/** Whom to dial. */
export type Wish = {
  readonly count: number;
  readonly isWanted: (id: PeerIdText) => boolean;
  readonly takenGroups: ReadonlySet<string>;
  /** We have no peer at all. */
  readonly isIsolated: boolean;
};

export type AddressBookOptions = {
  readonly allowPrivateAddresses: boolean;
  readonly backoffFirstMs: number;
  readonly backoffLastMs: number;
};

export class AddressBook {
  readonly #peers = new Map<PeerIdText, KnownPeer>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #file: JsonFile;
  readonly #options: AddressBookOptions;
  #triedCount = 0;
  #isDirty = false;

  private constructor(clock: Clock, random: Random, file: JsonFile, options: AddressBookOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#file = file;
    this.#options = options;
  }

  static async open(clock: Clock, random: Random, file: JsonFile, options: AddressBookOptions): Promise<AddressBook> {
    const book = new AddressBook(clock, random, file, options);
    const stored = await file.read();
    if (Array.isArray(stored)) {
      for (const entry of stored.slice(0, 2 * MAX_PER_HALF)) book.#restore(entry);
    }
    return book;
  }

  get size(): number {
    return this.#peers.size;
  }

  get(id: PeerIdText): KnownPeer | undefined {
    return this.#peers.get(id);
  }

  /** Notes addresses that somebody gave for a peer. Those that we would never dial are left out. */
  learn(id: PeerIdText, addresses: readonly Multiaddr[]): void {
    const usable = addresses.map((address) => this.#usable(address)).filter((text) => text !== undefined);
    if (usable.length === 0 || id.length > MAX_PEER_ID_TEXT) return;
    const known = this.#peers.get(id);
    if (known === undefined) {
      this.#makeRoom(false);
      this.#peers.set(id, {
        id,
        addresses: [...new Set(usable)].slice(0, MAX_ADDRESSES_PER_PEER),
        lastSeen: this.#clock.now(),
        lastTry: 0,
        lastSuccess: 0,
        failures: 0,
      });
    } else {
      // What worked stays in front: hearsay must not push it out.
      const proven = known.lastSuccess > 0 ? known.addresses.slice(0, 1) : [];
      known.addresses = [...new Set([...proven, ...usable, ...known.addresses])].slice(0, MAX_ADDRESSES_PER_PEER);
      known.lastSeen = this.#clock.now();
    }
    this.#isDirty = true;
  }

  /** We begin to dial it. */
  tried(id: PeerIdText): void {
    const known = this.#peers.get(id);
    if (known === undefined) return;
    known.lastTry = this.#clock.now();
    this.#isDirty = true;
  }

  /**
   * The dial failed, or whoever answered was of no use. While we are isolated nobody is given up: it may be our own
   * network that is down.
   */
  failed(id: PeerIdText, isIsolated: boolean): void {
    const known = this.#peers.get(id);
    if (known === undefined) return;
    known.failures += 1;
    if (known.lastSuccess === 0 && known.failures >= HOPELESS_FAILURES && !isIsolated) this.#peers.delete(id);
    this.#isDirty = true;
  }

  /** The peer is one of ours. `dialled` is the address that worked, undefined if it called us. */
  succeeded(id: PeerIdText, dialled: Multiaddr | undefined): void {
    const known = this.#peers.get(id);
    if (known === undefined) return;
    known.lastSeen = this.#clock.now();
    known.failures = 0;
    const text = dialled === undefined ? undefined : this.#usable(dialled);
    if (text !== undefined) {
      known.addresses = [...new Set([text, ...known.addresses])].slice(0, MAX_ADDRESSES_PER_PEER);
      if (known.lastSuccess === 0) {
        this.#makeRoom(true);
        this.#triedCount += 1;
      }
      known.lastSuccess = this.#clock.now();
    }
    this.#isDirty = true;
  }

  /** Not of our network, or banned. */
  forget(id: PeerIdText): void {
    const known = this.#peers.get(id);
    if (known !== undefined) this.#remove(known);
  }

  /** When a peer may be dialled again: twice as long after each failure, but soon when we have nobody else. */
  nextTry(known: KnownPeer, isIsolated: boolean): number {
    if (known.failures === 0) return 0;
    const { backoffFirstMs, backoffLastMs } = this.#options;
    const longestMs = isIsolated ? Math.min(ISOLATED_BACKOFF_MS, backoffLastMs) : backoffLastMs;
    return known.lastTry + Math.min(longestMs, backoffFirstMs * 2 ** Math.min(known.failures - 1, 30));
  }

  /**
   * Up to `count` peers to dial now, tried and hearsay in turn, each half in random order, at most one of a network
   * group that is not in `takenGroups`.
   */
  candidates({ count, isWanted, takenGroups, isIsolated }: Wish): KnownPeer[] {
    const now = this.#clock.now();
    const isReady = (known: KnownPeer): boolean => this.nextTry(known, isIsolated) <= now && isWanted(known.id);
    const ready = [...this.#peers.values()].filter(isReady);
    const halves = [ready.filter((known) => known.lastSuccess > 0), ready.filter((known) => known.lastSuccess === 0)];
    for (const half of halves) this.#shuffle(half);
    const groups = new Set(takenGroups);
    const chosen: KnownPeer[] = [];
    for (let index = 0; chosen.length < count; index += 1) {
      const [tried, hearsay] = [halves[0]?.[index], halves[1]?.[index]];
      if (tried === undefined && hearsay === undefined) break;
      for (const known of [tried, hearsay]) {
        if (known !== undefined && chosen.length < count && takeGroup(known, groups)) chosen.push(known);
      }
    }
    return chosen;
  }

  /** Writes the file if something changed since the last time. */
  async save(): Promise<void> {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    await this.#file.write([...this.#peers.values()]);
  }

  #usable(address: Multiaddr): string | undefined {
    const text = address.toString().replace(/\/p2p\/[^/]+$/, '');
    const parsed = parseTcpAddress(text);
    if (parsed === undefined || /\/tcp\/0$/.test(text)) return undefined;
    if (!this.#options.allowPrivateAddresses && !hasPublicAddress(parsed)) return undefined;
    return text;
  }

  /** Before one more entry in a half: drops the least promising of that half if it is full. */
  #makeRoom(inTried: boolean): void {
    const count = inTried ? this.#triedCount : this.#peers.size - this.#triedCount;
    if (count < MAX_PER_HALF) return;
    let worst: KnownPeer | undefined;
    for (const known of this.#peers.values()) {
      if (known.lastSuccess > 0 === inTried && (worst === undefined || isWorse(known, worst))) worst = known;
    }
    if (worst !== undefined) this.#remove(worst);
  }

  #remove(known: KnownPeer): void {
    this.#peers.delete(known.id);
    if (known.lastSuccess > 0) this.#triedCount -= 1;
    this.#isDirty = true;
  }

  #shuffle(list: KnownPeer[]): void {
    for (let last = list.length - 1; last > 0; last -= 1) {
      const other = this.#random.below(last + 1);
      const [a, b] = [list[last], list[other]];
      if (a !== undefined && b !== undefined) [list[last], list[other]] = [b, a];
    }
  }

  #restore(entry: unknown): void {
    if (typeof entry !== 'object' || entry === null) return;
    const { id, addresses, lastSeen, lastTry, lastSuccess, failures } = entry as Record<string, unknown>;
    if (typeof id !== 'string' || id.length > MAX_PEER_ID_TEXT || !Array.isArray(addresses)) return;
    const texts = addresses.slice(0, MAX_ADDRESSES_PER_PEER).filter((text) => typeof text === 'string');
    const usable = texts.filter((text) => parseTcpAddress(text) !== undefined).map((text) => multiaddr(text));
    this.learn(id, usable);
    const known = this.#peers.get(id);
    if (known === undefined) return;
    // A file from the future (the clock was set back) must not keep a peer from being tried.
    const past = (value: unknown): number =>
      typeof value === 'number' && value > 0 ? Math.min(value, this.#clock.now()) : 0;
    known.lastSeen = past(lastSeen);
    known.lastTry = past(lastTry);
    known.failures = typeof failures === 'number' && failures > 0 ? Math.min(Math.floor(failures), 1000) : 0;
    if (past(lastSuccess) > 0) {
      known.lastSuccess = past(lastSuccess);
      // A restart is a new beginning: those who were good once are called at once.
      known.failures = 0;
      this.#triedCount += 1;
    }
  }
}

function isWorse(a: KnownPeer, b: KnownPeer): boolean {
  if (a.failures !== b.failures) return a.failures > b.failures;
  return Math.max(a.lastSeen, a.lastSuccess) < Math.max(b.lastSeen, b.lastSuccess);
}

/** Whether the peer's group is free; takes it. Peers without a group (local ones, names) never collide. */
function takeGroup(known: KnownPeer, groups: Set<string>): boolean {
  const address = known.addresses[0];
  const group = address === undefined ? undefined : networkGroup(multiaddr(address));
  if (group === undefined) return true;
  if (groups.has(group)) return false;
  groups.add(group);
  return true;
}

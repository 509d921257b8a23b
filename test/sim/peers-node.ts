/**
 * A node of the modelled network that runs the real address manager, slots and reputation. What is modelled is libp2p:
 * connections come and go at once on both ends, and a walk through the DHT asks some peers and dials some that they name.
 */
import { AddressManager } from '../../src/net/addrman/manager.ts';
import type { NetGroups } from '../../src/net/addrman/net-groups.ts';
import { groupsByText } from '../../src/net/make-slots.ts';
import { type LiveFacts, moveTo, newFacts } from '../../src/net/peer-facts.ts';
import type { ConnectionKind } from '../../src/net/port.ts';
import { Reputation } from '../../src/net/reputation.ts';
import { Anchors } from '../../src/net/slots/anchors.ts';
import { FixedPeers } from '../../src/net/slots/fixed-peers.ts';
import { InboundSlots } from '../../src/net/slots/inbound-slots.ts';
import { OutboundSlots } from '../../src/net/slots/outbound-slots.ts';
import type { ConnectionFacts, OutboundKind, Wire } from '../../src/net/slots/port.ts';
import { nullLogger, type TimerHandle } from '../../src/util/index.ts';
import { type MemoryFile, memoryFile } from '../support/addrman.ts';
import { type PeersHost, type PeersWorld, SILENCE_MS } from './peers-world.ts';

export const FULL_RELAY = 8;
export const BLOCK_ONLY = 2;
const MAX_PEERS = 125;
/** As the defaults of `net`. */
const BUSY_MS = 500;
const IDLE_MS = 5_000;
const BACKOFF_FIRST_MS = 2_000;
const BACKOFF_LAST_MS = 600_000;
const COOLDOWN_MS = 60_000;
const WALK_BUSY_MS = 3_000;
const WALK_IDLE_MS = 300_000;
/** Kademlia's k, and how many are asked in a walk. */
const CLOSEST = 20;
const ASKED = 3;
/** Walks of a node younger than this belong to its start. */
const START_MS = 60_000;
/** When the node has looked at a peer's chain; all here have the best one. */
const CHAIN_CHECK_MS = 45_000;

/** No two addresses have anything to do with each other. */
const EACH_ALONE: NetGroups = { of: (address) => address.toString() };

type Running = {
  readonly addresses: AddressManager;
  readonly reputation: Reputation;
  readonly outbound: OutboundSlots;
  readonly inbound: InboundSlots;
  walkTimer: TimerHandle | undefined;
};

export type PeersNodeOptions = {
  /** To see what the rule about netgroups is good for. */
  readonly ignoresGroups?: boolean;
};

export class PeersNode implements PeersHost {
  readonly id: string;
  readonly address: string;
  readonly isHonest = true;
  readonly pingMs: number;
  readonly files = { peers: memoryFile(), bans: memoryFile(), anchors: memoryFile() };
  readonly #world: PeersWorld;
  readonly #seeds: readonly PeersHost[];
  readonly #options: PeersNodeOptions;
  readonly #peers = new Map<string, { readonly host: PeersHost; readonly facts: LiveFacts }>();
  readonly #cooldowns = new Map<string, number>();
  readonly #walk = { pauseMs: WALK_BUSY_MS, lastMs: Number.NEGATIVE_INFINITY };
  #running: Running | undefined;
  #startedMs = 0;
  /** Told when a full-relay or block-only slot is filled or lost. */
  onSlot: (change: 'filled' | 'lost', kind: ConnectionKind) => void = () => {};

  constructor(world: PeersWorld, seeds: readonly PeersHost[], options: PeersNodeOptions = {}) {
    this.#world = world;
    this.#seeds = seeds;
    this.#options = options;
    ({ id: this.id, address: this.address } = world.newPlace());
    this.pingMs = 20 + world.random.below(200);
    world.add(this);
  }

  get isOnline(): boolean {
    return this.#running !== undefined;
  }

  get ageMs(): number {
    return this.#world.clock.monotonicMs() - this.#startedMs;
  }

  get known(): AddressManager['size'] {
    return this.#run().addresses.size;
  }

  async start(): Promise<void> {
    const { clock, random } = this.#world;
    const groups = this.#options.ignoresGroups === true ? EACH_ALONE : this.#world.groups;
    const groupOf = groupsByText(groups);
    const { files } = this;
    const addresses = await AddressManager.open(
      { clock, random, file: files.peers, groups },
      { allowPrivateAddresses: false },
    );
    const reputation = await Reputation.open(clock, nullLogger, files.bans as MemoryFile, {
      penaltyHalfLifeMs: 600_000,
      banMs: 86_400_000,
      sparesLocalHosts: true,
    });
    const fixed = (hosts: readonly PeersHost[]): FixedPeers =>
      new FixedPeers(
        hosts.map(({ id, address }) => `${address}/p2p/${id}`),
        this.id,
        BACKOFF_FIRST_MS,
      );
    const outbound = new OutboundSlots(
      {
        clock,
        random,
        log: nullLogger,
        wire: this.#wire,
        addresses,
        anchors: await Anchors.open(files.anchors),
        manual: fixed([]),
        seeds: fixed(this.#seeds),
        self: this.id,
        groupOf,
        isActive: () => true,
        isUnwelcome: (peer) => reputation.isPeerBanned(peer) || (this.#cooldowns.get(peer) ?? 0) > clock.monotonicMs(),
      },
      {
        fullRelay: FULL_RELAY,
        blockOnly: BLOCK_ONLY,
        maxPeers: MAX_PEERS,
        busyMs: BUSY_MS,
        idleMs: IDLE_MS,
        backoffFirstMs: BACKOFF_FIRST_MS,
        backoffLastMs: BACKOFF_LAST_MS,
      },
    );
    const inbound = new InboundSlots(this.#wire, random, {
      places: MAX_PEERS - FULL_RELAY - BLOCK_ONLY - 1,
      maxPeers: MAX_PEERS,
    });
    this.#running = { addresses, reputation, outbound, inbound, walkTimer: undefined };
    this.#startedMs = clock.monotonicMs();
    outbound.chainLooked({ isSynced: true, isTipStale: false });
    outbound.start();
    this.#scheduleWalk();
  }

  /** With or without a word to the peers. */
  async stop(isSilent = false): Promise<void> {
    const { outbound, addresses, walkTimer } = this.#run();
    walkTimer?.cancel();
    await outbound.stop();
    await addresses.save();
    this.#running = undefined;
    for (const { host } of this.#peers.values()) {
      if (isSilent) this.#world.clock.after(SILENCE_MS, () => host.lost(this));
      else host.lost(this);
    }
    this.#peers.clear();
    this.#cooldowns.clear();
  }

  /** The other ends of connections of a kind. */
  peersOf(kind: ConnectionKind): PeersHost[] {
    return [...this.#peers.values()].filter(({ facts }) => facts.kind === kind).map(({ host }) => host);
  }

  /** Filled slots of a kind: seeds fill none. */
  slotsOf(kind: 'full-relay' | 'block-only'): PeersHost[] {
    return this.peersOf(kind).filter(({ id }) => !this.#world.seedIds.has(id));
  }

  neighbours(): PeersHost[] {
    return [...this.#peers.values()].map(({ host }) => host);
  }

  accept(from: PeersHost): boolean {
    const running = this.#running;
    if (running === undefined || this.#peers.has(from.id) || running.reputation.isPeerBanned(from.id)) return false;
    if (!running.inbound.hasRoom() || !running.inbound.admit()) return false;
    this.#met(from, 'inbound');
    return true;
  }

  lost(from: PeersHost): void {
    const peer = this.#peers.get(from.id);
    if (peer === undefined || this.#running === undefined) return;
    this.#peers.delete(from.id);
    this.#report('lost', peer.facts);
    this.#running.outbound.disconnected(peer.facts);
  }

  closest(): readonly PeersHost[] {
    return this.#world.pickSome(this.neighbours(), CLOSEST);
  }

  sample(): readonly PeersHost[] {
    const sampled = this.#run().addresses.sample(1_000);
    return sampled.map(({ id }) => this.#world.hosts.get(id)).filter((host) => host !== undefined);
  }

  noteBlockFrom(id: string): void {
    const peer = this.#peers.get(id);
    if (peer !== undefined) peer.facts.lastBlockMs = this.#world.clock.monotonicMs();
  }

  #run(): Running {
    if (this.#running === undefined) throw new Error(`${this.id} does not run`);
    return this.#running;
  }

  readonly #wire: Wire = {
    connections: () => [...this.#peers.values()].map(({ facts }) => facts),
    dial: (target, kind) => this.#dial(target.id, target.addresses[0] ?? '', kind),
    close: (id) => {
      const peer = this.#peers.get(id);
      if (peer === undefined) return;
      this.#cooldowns.set(id, this.#world.clock.monotonicMs() + COOLDOWN_MS);
      this.lost(peer.host);
      peer.host.lost(this);
    },
  };

  async #dial(id: string, address: string, kind: OutboundKind | 'query'): Promise<boolean> {
    const open = this.#peers.get(id)?.facts;
    if (open?.kind === 'query' && kind !== 'query') {
      open.kind = kind;
      this.#report('filled', open);
      return true;
    }
    const started = this.#startedMs;
    const host = await this.#world.dial(this, id, address);
    if (host === undefined) return false;
    if (this.#peers.has(id) || this.#running === undefined || this.#startedMs !== started) {
      host.lost(this);
      return this.#peers.has(id);
    }
    const facts = this.#met(host, kind);
    this.#report('filled', facts);
    this.#running.outbound.confirmed(facts);
    if (kind === 'full-relay') this.#learn(host.sample(), host, 'record');
    return true;
  }

  #met(host: PeersHost, kind: ConnectionKind): LiveFacts {
    const { clock, groupOf } = this.#world;
    const facts = newFacts(host.id, false, clock.monotonicMs());
    moveTo(facts, { remoteAddr: this.#world.multiaddrOf(host) }, kind, groupOf);
    Object.assign(facts, { isAdmitted: true, isConfirmed: true, relaysTransactions: true });
    facts.minPingMs = host.pingMs;
    this.#peers.set(host.id, { host, facts });
    if (kind === 'block-only') clock.after(CHAIN_CHECK_MS, () => Object.assign(facts, { hasGoodChain: true }));
    this.#learn([host], host, kind === 'inbound' ? 'inbound' : 'identify');
    return facts;
  }

  #report(change: 'filled' | 'lost', { id, kind }: ConnectionFacts): void {
    if (!this.#world.seedIds.has(id)) this.onSlot(change, kind);
  }

  #learn(named: readonly PeersHost[], from: PeersHost, kind: 'dht' | 'record' | 'identify' | 'inbound'): number {
    const { groups } = this.#world;
    const source = { kind, group: groups.of(this.#world.multiaddrOf(from)) };
    let added = 0;
    for (const host of named) {
      if (host !== this) added += this.#run().addresses.add(host.id, [this.#world.multiaddrOf(host)], source);
    }
    if (added > 0) this.#run().outbound.poke();
    return added;
  }

  /** As `discovery.ts`: often while peers are missing, ever more seldom when nobody new is found. */
  #scheduleWalk(): void {
    const running = this.#run();
    running.walkTimer = this.#world.clock.after(WALK_BUSY_MS, () => {
      this.#scheduleWalk();
      const now = this.#world.clock.monotonicMs();
      const pauseMs = running.outbound.isShort() ? this.#walk.pauseMs : WALK_IDLE_MS;
      if (this.#peers.size === 0 || now - this.#walk.lastMs < pauseMs) return;
      this.#walk.lastMs = now;
      const found = this.#walkOnce();
      this.#walk.pauseMs = found ? WALK_BUSY_MS : Math.min(WALK_IDLE_MS, 2 * this.#walk.pauseMs);
    });
  }

  #walkOnce(): boolean {
    let added = 0;
    const named: PeersHost[] = [];
    for (const host of this.#world.pickSome(this.neighbours(), ASKED)) {
      this.#countLookup(host);
      const closest = host.closest();
      named.push(...closest);
      added += this.#learn(closest, host, 'dht');
    }
    // Queries dial by themselves whom the answers name.
    for (const host of this.#world.pickSome(named, ASKED)) {
      const { outbound } = this.#run();
      const isBusy = outbound.diallingFor(host.id) !== undefined || this.#peers.has(host.id);
      if (isBusy || host === this || !outbound.hasQuerySlot()) continue;
      void this.#dial(host.id, host.address, 'query').then((isOpen) => {
        if (!isOpen || this.#running === undefined) return;
        this.#countLookup(host);
        this.#learn(host.closest(), host, 'dht');
      });
    }
    return added > 0;
  }

  #countLookup(host: PeersHost): void {
    if (this.ageMs < START_MS) return;
    this.#world.lookups.all += 1;
    if (this.#world.seedIds.has(host.id)) this.#world.lookups.ofSeeds += 1;
  }
}

/**
 * Holds the outbound connections, as Core's ThreadOpenConnections: full-relay and block-only peers, anchors first, feelers,
 * now and then one more of either kind, and every peer that the operator asked for. All but those come from the address
 * manager, no two from one netgroup, so that who floods us with addresses gets few of our slots. A connection that libp2p
 * opened for a DHT query fills no slot: whom the DHT makes us call is for others to say.
 */
import { type Clock, exponential, type Logger, type Random, type TimerHandle } from '#util';
import type { PeerAddress } from '../addrman/entry.ts';
import { BoundedMap } from '../bounded-map.ts';
import { MAX_TRIES_AT_ONCE } from '../operator-port.ts';
import type { ChainNews, PeerIdText } from '../port.ts';
import type { Anchors } from './anchors.ts';
import { worseOfYoungest, worstFullRelay } from './extra-peers.ts';
import type { FixedPeers } from './fixed-peers.ts';
import { type PickRules, pickForFeeler, pickPeer } from './pick.ts';
import type { Addresses, ConnectionFacts, DialTarget, OutboundKind, Wire } from './port.ts';
import { SlotTable } from './slot-table.ts';

const MAX_PARALLEL_DIALS = 8;
/**
 * For each dial in a row that failed, so many more than are missing may run at once. Dead addresses take seconds each; what
 * comes of it beyond our number goes again as an extra peer.
 */
const MAX_EAGER_DIALS = 3;
/** Core's FEELER_INTERVAL and EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL: means of Poisson processes. */
const FEELER_MEAN_MS = 2 * 60_000;
const EXTRA_BLOCK_ONLY_MEAN_MS = 5 * 60_000;
/** Core's EXTRA_PEER_CHECK_INTERVAL. */
const EXTRA_CHECK_MS = 45_000;
/** Core adds its fixed seeds after so long without enough addresses. */
const SEEDS_AFTER_MS = 60_000;
/** A walk through the DHT has ended by then. */
const QUERY_LINGER_MS = 10_000;
/** Open for DHT queries at once. */
const MAX_QUERIES = 4;
/** Core counts a failed dial against the peer only while two groups can be reached: otherwise it may be our own network. */
const GROUPS_TO_COUNT_FAILURE = 2;
const LONGEST_BACKOFF_ALONE_MS = 60_000;
const MAX_BACKOFFS = 4_096;

export type OutboundDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly wire: Wire;
  readonly addresses: Addresses;
  readonly anchors: Anchors;
  readonly manual: FixedPeers;
  readonly seeds: FixedPeers;
  readonly self: PeerIdText;
  /** Undefined for local addresses: any number of them is fine. */
  readonly groupOf: (address: string) => string | undefined;
  /** Banned, or dropped a moment ago. */
  readonly isUnwelcome: (peer: PeerIdText) => boolean;
  /** False while the operator keeps the network switched off. */
  readonly isActive: () => boolean;
};

export type OutboundOptions = {
  readonly fullRelay: number;
  readonly blockOnly: number;
  /** All peers, both directions. */
  readonly maxPeers: number;
  /** Between two rounds while peers are missing, and otherwise. */
  readonly busyMs: number;
  readonly idleMs: number;
  /** Before an address that did not answer is dialled again: twice as long each time. */
  readonly backoffFirstMs: number;
  readonly backoffLastMs: number;
};

type Backoff = { failures: number; nextTryMs: number };

export class OutboundSlots {
  readonly #deps: OutboundDeps;
  readonly #options: OutboundOptions;
  readonly #table: SlotTable;
  readonly #backoffs = new BoundedMap<PeerIdText, Backoff>(MAX_BACKOFFS);
  #isSynced = false;
  #wantsExtraFullRelay = false;
  #timer: TimerHandle | undefined;
  #roundMs = 0;
  #nextFeelerMs: number;
  #nextExtraBlockOnlyMs: number;
  #nextExtraCheckMs = 0;
  #shortSinceMs: number | undefined;
  #failedInARow = 0;
  #dialsOnce = 0;
  #isStopped = false;

  constructor(deps: OutboundDeps, options: OutboundOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#table = new SlotTable(deps.wire, deps.groupOf, new Set(deps.seeds.ids()));
    const now = deps.clock.monotonicMs();
    this.#nextFeelerMs = now + exponential(deps.random, FEELER_MEAN_MS);
    this.#nextExtraBlockOnlyMs = now + exponential(deps.random, EXTRA_BLOCK_ONLY_MEAN_MS);
  }

  start(): void {
    this.#schedule(0);
  }

  /** No dial begins any more. Gives what must be remembered. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    const blockOnly = this.#table.of('block-only').filter(({ isConfirmed }) => isConfirmed);
    await this.#deps.anchors.save(blockOnly);
  }

  /** Something changed that may make a dial worthwhile: look soon instead of at the next round. */
  poke(): void {
    const { busyMs } = this.#options;
    if (this.#timer === undefined || this.#roundMs - this.#deps.clock.monotonicMs() <= busyMs) return;
    this.#schedule(busyMs);
  }

  /**
   * Dials whom the operator names, whatever our own rules say of it. As for his other peers no slot is taken. Resolves to
   * whether there is a connection; undefined if too many such dials run.
   */
  async dialOnce(target: DialTarget): Promise<boolean | undefined> {
    if (this.#table.isConnected(target.id)) return true;
    if (this.#table.dialling.has(target.id) || this.#dialsOnce >= MAX_TRIES_AT_ONCE) return undefined;
    this.#dialsOnce += 1;
    try {
      return await this.#run(target, 'manual');
    } finally {
      this.#dialsOnce -= 1;
    }
  }

  /** What we are dialling this peer for; undefined if we are not. */
  diallingFor(peer: PeerIdText): OutboundKind | undefined {
    return this.#table.dialling.get(peer)?.kind;
  }

  /** Fewer outbound peers than we want. */
  isShort(): boolean {
    const { fullRelay, blockOnly } = this.#options;
    return this.#table.filling('full-relay').length < fullRelay || this.#table.of('block-only').length < blockOnly;
  }

  /** Whether libp2p may open one more connection for a DHT query. */
  hasQuerySlot(): boolean {
    const queries = this.#table.of('query').length;
    return queries < MAX_QUERIES && this.#table.counted() + queries < this.#options.maxPeers;
  }

  /** To be told at each look at the tip: of a stale one as long as it is stale. */
  chainLooked({ isSynced, isTipStale }: ChainNews): void {
    this.#isSynced = isSynced;
    this.#wantsExtraFullRelay = isTipStale;
  }

  /** The peer answered a valid hello. */
  confirmed(peer: ConnectionFacts): void {
    if (peer.kind === 'inbound' || peer.kind === 'query') return;
    this.#deps.addresses.good(peer);
    this.#backoffs.delete(peer.id);
    if (peer.kind === 'feeler') this.#deps.wire.close(peer.id, 'a feeler is done once the peer has answered');
  }

  /** The connection is gone. Of block-only peers nothing shows in what we tell of addresses (as Core's FinalizeNode). */
  disconnected({ id, kind, isConfirmed }: ConnectionFacts): void {
    if (isConfirmed && (kind === 'full-relay' || kind === 'manual')) this.#deps.addresses.connected(id);
    this.poke();
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    this.#roundMs = this.#deps.clock.monotonicMs() + delayMs;
    this.#timer = this.#deps.clock.after(delayMs, () => {
      this.#round();
      const { busyMs, idleMs } = this.#options;
      const isMissing = (id: PeerIdText): boolean => !this.#table.isConnected(id);
      this.#schedule(this.isShort() || this.#deps.manual.ids().some(isMissing) ? busyMs : idleMs);
    });
  }

  #round(): void {
    if (!this.#deps.isActive()) return;
    const now = this.#deps.clock.monotonicMs();
    this.#closeQueries(now);
    this.#dropExtra(now);
    for (const target of this.#deps.manual.due(now)) {
      if (!this.#table.isConnected(target.id) && !this.#table.dialling.has(target.id))
        this.#dialFixed(target, 'manual');
    }
    if (this.#options.fullRelay === 0) return;
    this.#deps.addresses.resolveCollisions();
    let isEmptyHanded = false;
    while (!isEmptyHanded && this.#table.dialling.size < MAX_PARALLEL_DIALS) {
      const kind = this.#nextKind(now);
      if (kind === undefined) break;
      isEmptyHanded = !this.#fill(kind);
    }
    this.#useSeeds(now, isEmptyHanded);
  }

  /** What to dial for, in Core's order. A due feeler or extra peer is asked for once. */
  #nextKind(now: number): OutboundKind | undefined {
    const { fullRelay, blockOnly, maxPeers } = this.#options;
    const [full, blocks] = [this.#table.held('full-relay'), this.#table.held('block-only')];
    if (this.#table.counted() >= maxPeers) return undefined;
    if (blocks < blockOnly && this.#deps.anchors.hasMore) return 'block-only';
    const isShort = this.#table.filling('full-relay').length < fullRelay;
    const eager = isShort ? Math.min(MAX_EAGER_DIALS, this.#failedInARow) : 0;
    if (full < fullRelay + eager) return 'full-relay';
    if (blocks < blockOnly) return 'block-only';
    if (this.#wantsExtraFullRelay && full === fullRelay) return 'full-relay';
    if (blockOnly > 0 && this.#isSynced && now >= this.#nextExtraBlockOnlyMs && blocks === blockOnly) {
      this.#nextExtraBlockOnlyMs = now + exponential(this.#deps.random, EXTRA_BLOCK_ONLY_MEAN_MS);
      return 'block-only';
    }
    if (now >= this.#nextFeelerMs) {
      this.#nextFeelerMs = now + exponential(this.#deps.random, FEELER_MEAN_MS);
      return 'feeler';
    }
    return undefined;
  }

  /** False if nobody fits. */
  #fill(kind: OutboundKind): boolean {
    const { anchors, clock, addresses } = this.#deps;
    const anchor = kind === 'block-only' ? anchors.take() : undefined;
    const groups = this.#table.takenGroups();
    const rules: PickRules = {
      addresses,
      nowMs: clock.now(),
      isFree: (id) => this.#isFree(id, kind),
      isGroupFree: (address) => kind === 'feeler' || !this.#table.isIn(groups, address),
    };
    if (anchor !== undefined) {
      // As a peer that we remember: its group may be taken by now, and it may be banned.
      if (this.#isFree(anchor.id, kind) && rules.isGroupFree(anchor.address)) this.#dial(anchor, kind);
      return true;
    }
    const peer = kind === 'feeler' ? pickForFeeler(rules) : pickPeer(rules);
    if (peer !== undefined) this.#dial(peer, kind);
    return peer !== undefined;
  }

  /**
   * Seeds last, since a network must not lean on a few nodes: when we know no address, when nobody is left to dial and
   * nobody is connected, or when peers have been missing for a minute. They fill no slot, and are let go when others do.
   */
  #useSeeds(now: number, isEmptyHanded: boolean): void {
    const { addresses, seeds } = this.#deps;
    const { fullRelay } = this.#options;
    if (this.#table.filling('full-relay').length >= fullRelay) {
      this.#shortSinceMs = undefined;
      for (const { id } of this.#table.seeds()) this.#deps.wire.close(id, 'a seed is not needed any more');
      return;
    }
    this.#shortSinceMs ??= now;
    const { tried, fresh } = addresses.size;
    const isAlone = isEmptyHanded && this.#table.dialling.size === 0 && this.#deps.wire.connections().length === 0;
    const isShortForLong = this.#shortSinceMs !== undefined && now - this.#shortSinceMs >= SEEDS_AFTER_MS;
    if (tried + fresh > 0 && !isAlone && !isShortForLong) return;
    for (const target of seeds.due(now)) {
      if (this.#table.held('full-relay') + this.#table.seeds().length >= fullRelay) return;
      if (this.#table.dialling.size >= MAX_PARALLEL_DIALS || this.#table.counted() >= this.#options.maxPeers) return;
      const groups = this.#table.takenGroups();
      const isGroupFree = target.addresses.every((address) => !this.#table.isIn(groups, address));
      if (isGroupFree && this.#mayDial(target.id, 'full-relay')) this.#dialFixed(target, 'full-relay');
    }
  }

  #dial(peer: PeerAddress, kind: OutboundKind): void {
    const { addresses, clock } = this.#deps;
    addresses.attempt(peer, this.#table.reached() >= Math.min(this.#options.maxPeers - 1, GROUPS_TO_COUNT_FAILURE));
    const target = { id: peer.id, addresses: [peer.address] };
    void this.#run(target, kind).then((isConnected) => {
      const { failures } = this.#backoffs.get(peer.id) ?? { failures: 0 };
      const { backoffFirstMs, backoffLastMs } = this.#options;
      // With no peer at all it may be our own network that was down.
      const longestMs = this.#table.isAlone ? Math.min(LONGEST_BACKOFF_ALONE_MS, backoffLastMs) : backoffLastMs;
      const waitMs = Math.min(longestMs, backoffFirstMs * 2 ** Math.min(failures, 16));
      // Until its hello: a peer that closes at once must not be dialled again and again.
      this.#backoffs.set(peer.id, { failures: failures + 1, nextTryMs: clock.monotonicMs() + waitMs });
      if (isConnected) this.#deps.log.debug('dialled', { peer: peer.id, kind });
      else this.poke();
    });
  }

  #dialFixed(target: DialTarget, kind: OutboundKind): void {
    const { manual, seeds, clock } = this.#deps;
    void this.#run(target, kind).then((isConnected) => {
      (kind === 'manual' ? manual : seeds).dialled(target.id, isConnected, clock.monotonicMs());
    });
  }

  async #run(target: DialTarget, kind: OutboundKind): Promise<boolean> {
    this.#table.begin(target, kind);
    const isConnected = await this.#deps.wire.dial(target, kind);
    this.#failedInARow = isConnected ? 0 : this.#failedInARow + 1;
    this.#table.end(target.id);
    // A connection that a query opened has shown before that it answers.
    const peer = isConnected ? this.#table.get(target.id) : undefined;
    if (peer?.isConfirmed === true) this.confirmed(peer);
    return isConnected;
  }

  #closeQueries(now: number): void {
    for (const [index, { id, openedMs }] of this.#table.of('query').entries()) {
      if (index >= MAX_QUERIES || now - openedMs >= QUERY_LINGER_MS)
        this.#deps.wire.close(id, 'it was opened for a DHT query');
    }
  }

  #dropExtra(now: number): void {
    if (now < this.#nextExtraCheckMs) return;
    this.#nextExtraCheckMs = now + EXTRA_CHECK_MS;
    const { fullRelay, blockOnly } = this.#options;
    const full = this.#table.filling('full-relay');
    const blocks = this.#table.of('block-only');
    const worst = full.length > fullRelay ? worstFullRelay(full, now) : undefined;
    // The next extra one comes with the next look at the tip, if that is stale still.
    if (worst !== undefined) this.#wantsExtraFullRelay = false;
    const worse = blocks.length > blockOnly ? worseOfYoungest(blocks, now) : undefined;
    for (const id of [worst, worse]) if (id !== undefined) this.#deps.wire.close(id, 'another peer is as good');
  }

  /** For what the address manager draws: seeds are dialled as seeds only. */
  #isFree(id: PeerIdText, kind: OutboundKind): boolean {
    return !this.#table.isSeed(id) && this.#mayDial(id, kind);
  }

  #mayDial(id: PeerIdText, kind: OutboundKind): boolean {
    const { self, isUnwelcome, clock } = this.#deps;
    if (id === self || this.#table.dialling.has(id) || isUnwelcome(id)) return false;
    if ((this.#backoffs.get(id)?.nextTryMs ?? 0) > clock.monotonicMs()) return false;
    const connection = this.#table.get(id);
    // A block-only peer must never have heard what we subscribe to.
    return connection === undefined || (connection.kind === 'query' && kind === 'full-relay');
  }
}

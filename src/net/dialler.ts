/**
 * Holds the target number of outbound peers, and a connection with every peer that the operator asked for. libp2p
 * dials nobody by itself except during DHT queries, and enforces no limit on connections that carry streams: what
 * is too much is closed here.
 */
import type { Connection } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { type Clock, errorText, type Logger, type TimerHandle } from '#util';
import { peerIdOf } from './addresses.ts';
import type { PeerAddress } from './addrman/entry.ts';
import type { AddressManager } from './addrman/manager.ts';
import { LOCAL_GROUP, type NetGroups } from './addrman/net-groups.ts';
import { BoundedMap } from './bounded-map.ts';
import type { NetTuning } from './options.ts';
import type { Peers } from './peers.ts';
import type { PeerIdText } from './port.ts';

const MAX_PARALLEL_DIALS = 8;
/** Outbound connections beyond the target that DHT queries may leave behind before we close some. */
const SLACK = 2;
/** Peers whose failures are remembered for their back-off. */
const MAX_BACKOFFS = 1024;
const ISOLATED_BACKOFF_MS = 60_000;

export type DiallerDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly peers: Peers;
  readonly addresses: AddressManager;
  readonly groups: NetGroups;
  readonly self: PeerIdText;
  readonly dial: (addresses: Multiaddr[], signal: AbortSignal) => Promise<Connection>;
  /** Banned, or dropped a moment ago. */
  readonly isUnwelcome: (peer: PeerIdText) => boolean;
};

export type DiallerOptions = {
  /** Complete addresses of the peers to stay connected with. */
  readonly manual: readonly Multiaddr[];
  /** Complete addresses of seeds and bootstrap nodes. */
  readonly seeds: readonly Multiaddr[];
  readonly maxPeers: number;
  readonly targetOutbound: number;
  readonly tuning: NetTuning;
};

type BackOff = { failures: number; nextTry: number };

/** A peer whose address the operator gave: it is never forgotten, and has its own back-off. */
type Fixed = BackOff & { readonly id: PeerIdText; readonly addresses: Multiaddr[] };

export class Dialler {
  readonly #deps: DiallerDeps;
  readonly #options: DiallerOptions;
  readonly #manual: readonly Fixed[];
  readonly #seeds: readonly Fixed[];
  readonly #dialling = new Set<PeerIdText>();
  readonly #backOffs = new BoundedMap<PeerIdText, BackOff>(MAX_BACKOFFS);
  readonly #stopping = new AbortController();
  #timer: TimerHandle | undefined;
  #roundAt = 0;

  constructor(deps: DiallerDeps, options: DiallerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#manual = groupByPeer(options.manual).filter((fixed) => fixed.id !== deps.self);
    this.#seeds = groupByPeer(options.seeds).filter((fixed) => fixed.id !== deps.self);
  }

  start(): void {
    this.#schedule(0);
  }

  stop(): void {
    this.#stopping.abort();
    this.#timer?.cancel();
  }

  /** Something changed that may make a dial worthwhile: look soon instead of at the next round. */
  poke(): void {
    const { dialBusyMs } = this.#options.tuning;
    if (this.#timer === undefined || this.#roundAt - this.#deps.clock.monotonicMs() <= dialBusyMs) return;
    this.#schedule(dialBusyMs);
  }

  /** Whether we are dialling this peer on purpose. */
  isWanted(peer: PeerIdText): boolean {
    return this.#dialling.has(peer);
  }

  /** Whether another outbound connection fits, counting dials in progress. */
  hasOutboundSlot(): boolean {
    const { maxPeers, targetOutbound } = this.#options;
    const { peers } = this.#deps;
    const pending = this.#dialling.size;
    return peers.count() + pending < maxPeers && peers.count('outbound') + pending < targetOutbound + SLACK;
  }

  /** Fewer outbound peers than we want. */
  isShort(): boolean {
    return this.#deps.peers.count('outbound') < this.#options.targetOutbound;
  }

  #schedule(delayMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer?.cancel();
    this.#roundAt = this.#deps.clock.monotonicMs() + delayMs;
    this.#timer = this.#deps.clock.after(delayMs, () => {
      this.#round();
      const { dialBusyMs, dialIdleMs } = this.#options.tuning;
      const isMissing = (fixed: Fixed): boolean => !this.#deps.peers.isConnected(fixed.id);
      this.#schedule(this.isShort() || this.#manual.some(isMissing) ? dialBusyMs : dialIdleMs);
    });
  }

  #round(): void {
    for (const fixed of this.#manual) if (this.#isDue(fixed)) this.#dialFixed(fixed);
    this.#trim();
    const { maxPeers, targetOutbound } = this.#options;
    const free = (): number =>
      Math.min(
        targetOutbound - this.#deps.peers.count('outbound') - this.#dialling.size,
        maxPeers - this.#deps.peers.count() - this.#dialling.size,
        MAX_PARALLEL_DIALS - this.#dialling.size,
      );
    if (free() <= 0) return;
    const takenGroups = this.#takenGroups();
    while (free() > 0) {
      const peer = this.#deps.addresses.select({
        newOnly: false,
        isWanted: (wanted) => this.#isReady(wanted) && !takenGroups.has(this.#groupOf(multiaddr(wanted.address))),
      });
      if (peer === undefined) break;
      takenGroups.add(this.#groupOf(multiaddr(peer.address)));
      takenGroups.delete(LOCAL_GROUP);
      this.#dialKnown(peer);
    }
    // Seeds last: who remembers enough peers needs none, and a network must not lean on a few nodes.
    for (const fixed of this.#seeds) {
      if (free() > 0 && this.#isDue(fixed) && this.#isCandidate(fixed.id)) this.#dialFixed(fixed);
    }
  }

  /** With no peer at all a failed dial says more about us than about them. */
  #isIsolated(): boolean {
    return this.#deps.peers.count() === 0;
  }

  #isDue(fixed: Fixed): boolean {
    return (
      fixed.nextTry <= this.#deps.clock.monotonicMs() &&
      !this.#deps.peers.isConnected(fixed.id) &&
      !this.#dialling.has(fixed.id)
    );
  }

  #isCandidate(id: PeerIdText): boolean {
    return (
      id !== this.#deps.self &&
      !this.#deps.peers.isConnected(id) &&
      !this.#dialling.has(id) &&
      !this.#deps.isUnwelcome(id)
    );
  }

  #isReady({ id }: PeerAddress): boolean {
    return this.#isCandidate(id) && (this.#backOffs.get(id)?.nextTry ?? 0) <= this.#deps.clock.monotonicMs();
  }

  /** No two in one, except in LOCAL_GROUP. */
  #takenGroups(): Set<string> {
    const groups = new Set<string>();
    for (const connection of this.#deps.peers.connections()) {
      if (connection.direction === 'outbound') groups.add(this.#groupOf(connection.remoteAddr));
    }
    groups.delete(LOCAL_GROUP);
    return groups;
  }

  #groupOf(address: Multiaddr): string {
    return this.#deps.groups.of(address);
  }

  #dialKnown(peer: PeerAddress): void {
    this.#deps.addresses.attempt(peer, !this.#isIsolated());
    void this.#dial(peer.id, [multiaddr(`${peer.address}/p2p/${peer.id}`)]).then((isConnected) => {
      const failures = isConnected ? 0 : (this.#backOffs.get(peer.id)?.failures ?? 0) + 1;
      const { backoffFirstMs, backoffLastMs } = this.#options.tuning;
      const longestMs = this.#isIsolated() ? Math.min(ISOLATED_BACKOFF_MS, backoffLastMs) : backoffLastMs;
      const waitMs = Math.min(longestMs, backoffFirstMs * 2 ** Math.min(failures, 30));
      this.#backOffs.set(peer.id, { failures, nextTry: this.#deps.clock.monotonicMs() + waitMs });
    });
  }

  #dialFixed(fixed: Fixed): void {
    void this.#dial(fixed.id, fixed.addresses).then((isConnected) => {
      const { backoffFirstMs, backoffLastMs } = this.#options.tuning;
      fixed.failures = isConnected ? 0 : fixed.failures + 1;
      // At most a minute: the operator asked for it, and a seed that returns should be found again.
      const waitMs = Math.min(60_000, backoffLastMs, backoffFirstMs * 2 ** Math.min(fixed.failures, 16));
      fixed.nextTry = this.#deps.clock.monotonicMs() + (isConnected ? backoffFirstMs : waitMs);
    });
  }

  /** Whether a connection came about. Never rejects. */
  async #dial(id: PeerIdText, addresses: Multiaddr[]): Promise<boolean> {
    this.#dialling.add(id);
    const controller = new AbortController();
    const onStop = (): void => controller.abort();
    this.#stopping.signal.addEventListener('abort', onStop);
    const timer = this.#deps.clock.after(this.#options.tuning.dialTimeoutMs, onStop);
    try {
      await this.#deps.dial(addresses, controller.signal);
      return true;
    } catch (error) {
      this.#deps.log.debug('dial failed', { peer: id, error: errorText(error) });
      return this.#deps.peers.isConnected(id);
    } finally {
      timer.cancel();
      this.#stopping.signal.removeEventListener('abort', onStop);
      this.#dialling.delete(id);
    }
  }

  /** Closes the newest of what is too much: outbound ones that DHT queries opened, inbound ones that came together. */
  #trim(): void {
    const { maxPeers, targetOutbound } = this.#options;
    const { peers } = this.#deps;
    let surplus = peers.count() - maxPeers;
    let surplusOutbound = peers.count('outbound') - targetOutbound - SLACK;
    if (surplus <= 0 && surplusOutbound <= 0) return;
    const manual = new Set(this.#manual.map((fixed) => fixed.id));
    for (const connection of [...peers.connections()].reverse()) {
      const id = connection.remotePeer.toString();
      const isOutbound = connection.direction === 'outbound';
      if (manual.has(id) || (surplus <= 0 && !(isOutbound && surplusOutbound > 0))) continue;
      peers.drop(id, 'more peers than wanted');
      surplus -= 1;
      if (isOutbound) surplusOutbound -= 1;
    }
  }
}

function groupByPeer(addresses: readonly Multiaddr[]): Fixed[] {
  const byPeer = new Map<PeerIdText, Fixed>();
  for (const address of addresses) {
    const id = peerIdOf(address);
    if (id === undefined) continue;
    const fixed = byPeer.get(id) ?? { id, addresses: [], failures: 0, nextTry: 0 };
    fixed.addresses.push(address);
    byPeer.set(id, fixed);
  }
  return [...byPeer.values()];
}

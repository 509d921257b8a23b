/**
 * Holds the target number of outbound peers, and a connection with every peer that the operator asked for. libp2p
 * dials nobody by itself except during DHT queries, and enforces no limit on connections that carry streams: what
 * is too much is closed here.
 */
import type { Connection } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { type Clock, errorText, type Logger, type TimerHandle } from '#util';
import type { AddressBook, KnownPeer } from './address-book.ts';
import { networkGroup, peerIdOf } from './addresses.ts';
import type { NetTuning } from './options.ts';
import type { Peers } from './peers.ts';
import type { PeerIdText } from './port.ts';

const MAX_PARALLEL_DIALS = 8;
/** Outbound connections beyond the target that DHT queries may leave behind before we close some. */
const SLACK = 2;

export type DiallerDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly peers: Peers;
  readonly book: AddressBook;
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

/** A peer whose address the operator gave: it is never forgotten, and has its own back-off. */
type Fixed = { readonly id: PeerIdText; readonly addresses: Multiaddr[]; failures: number; nextTry: number };

export class Dialler {
  readonly #deps: DiallerDeps;
  readonly #options: DiallerOptions;
  readonly #manual: readonly Fixed[];
  readonly #seeds: readonly Fixed[];
  readonly #dialling = new Set<PeerIdText>();
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
    const known = this.#deps.book.candidates({
      count: free(),
      isWanted: (id) => this.#isCandidate(id),
      takenGroups: this.#takenGroups(),
      isIsolated: this.#isIsolated(),
    });
    for (const peer of known) this.#dialKnown(peer);
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

  #takenGroups(): Set<string> {
    const groups = new Set<string>();
    for (const connection of this.#deps.peers.connections()) {
      const group = connection.direction === 'outbound' ? networkGroup(connection.remoteAddr) : undefined;
      if (group !== undefined) groups.add(group);
    }
    return groups;
  }

  #dialKnown(known: KnownPeer): void {
    this.#deps.book.tried(known.id);
    const addresses = known.addresses.map((text) => multiaddr(`${text}/p2p/${known.id}`));
    void this.#dial(known.id, addresses).then((isConnected) => {
      if (!isConnected) this.#deps.book.failed(known.id, this.#isIsolated());
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

/**
 * Headers-first synchronisation: ties the header and block machines to the node's events and to the clock.
 * Invariants: all state changes happen in one synchronous `step`, run soon after an event and every tick while
 * something is due; an idle node at the tip has no timer; a bug stops sync once and is handed to `fatal`.
 */
import type { ChainChange, HeaderEntry } from '#chain';
import { type BlockHash, BlockHeader } from '#primitives';
import type { TimerHandle } from '#util';
import { BlockSync } from './blocks.ts';
import type { SyncFigures } from './figures.ts';
import { HeaderSync } from './headers.ts';
import { type SyncOptions, syncDefaults } from './options.ts';
import { Peers } from './peers.ts';
import type { PeerId, Sync, SyncDeps, SyncStatus } from './port.ts';
import { DecayingRate } from './rates.ts';
import { describeSync, StatusFeed } from './status.ts';

/** Starts at once; `peerReady` gives it work. Disposing aborts all requests and waits for blocks being stored. */
export function createSync(deps: SyncDeps, options: Partial<SyncOptions> = {}): Sync {
  const machine = new SyncMachine(deps, { ...syncDefaults, ...options });
  return {
    peerReady: (peer, info) => machine.peerReady(peer, info),
    peerUpdated: (peer, claim) => machine.peerUpdated(peer, claim),
    peerGone: (peer) => machine.peerGone(peer),
    headerAnnounced: (peer, announced) => machine.headerAnnounced(peer, announced),
    blockWanted: (hash, peers) => machine.blockWanted(hash, peers),
    knownHeader: (peer) => machine.knownHeader(peer),
    blocksOwed: (peer) => machine.blocksOwed(peer),
    status: () => machine.status(),
    figures: () => machine.figures(),
    onStatus: (listener) => machine.feed.add(listener),
    [Symbol.asyncDispose]: () => machine.dispose(),
  };
}

class SyncMachine {
  readonly feed: StatusFeed;
  readonly #deps: SyncDeps;
  readonly #tickMs: number;
  readonly #peers: Peers;
  readonly #headers: HeaderSync;
  readonly #blocks: BlockSync;
  readonly #blockRate: DecayingRate;
  readonly #byteRate: DecayingRate;
  readonly #unobserve: () => void;
  #lastNewsMs: number;
  #wasAtTip = false;
  #isStepDue = false;
  #isStopped = false;
  #timer: TimerHandle | undefined;

  constructor(deps: SyncDeps, options: SyncOptions) {
    const { chain, clock } = deps;
    this.#deps = deps;
    this.#tickMs = options.tickMs;
    this.#peers = new Peers(chain);
    this.feed = new StatusFeed(clock);
    this.#blockRate = new DecayingRate(clock, options.rateWindowMs);
    this.#byteRate = new DecayingRate(clock, options.rateWindowMs);
    this.#lastNewsMs = clock.monotonicMs();
    const shared = { ...deps, peers: this.#peers, fatal: (error: unknown) => this.#fail(error) };
    this.#headers = new HeaderSync({ ...shared, poke: () => this.#headersMoved() }, options.headers);
    this.#blocks = new BlockSync(
      { ...shared, poke: () => this.#poke(), arrived: (bytes) => this.#arrived(bytes) },
      options.blocks,
    );
    this.#unobserve = chain.observe({
      changed: (change) => this.#chainChanged(change),
      blockInvalid: (hash, failure) => this.#blocks.blockInvalid(hash, failure),
    });
  }

  peerReady(peer: PeerId, info: Parameters<Sync['peerReady']>[1]): void {
    if (this.#isStopped || this.#peers.has(peer)) return;
    this.#peers.add(peer, info);
    this.#headers.peerReady(peer);
    this.#blocks.peerReady(peer);
    this.#poke();
  }

  peerUpdated(peer: PeerId, claim: Parameters<Sync['peerUpdated']>[1]): void {
    this.#peers.update(peer, claim, this.#headers.isCredible(peer));
    this.#blocks.targetsChanged();
    this.#poke();
  }

  peerGone(peer: PeerId): void {
    this.#peers.remove(peer);
    this.#headers.peerGone(peer);
    this.#blocks.peerGone(peer);
    this.#poke();
  }

  headerAnnounced(peer: PeerId, announced: BlockHash | BlockHeader): void {
    const hash = announced instanceof BlockHeader ? announced.hash : announced;
    const entry = this.#deps.chain.getHeader(hash);
    if (entry === undefined) this.#headers.news(peer, hash);
    else {
      this.#peers.showed(peer, entry);
      this.#blocks.announced(hash);
    }
    this.#poke();
  }

  blockWanted(hash: BlockHash, peers: readonly PeerId[]): void {
    const { chain } = this.#deps;
    const entry = chain.getHeader(hash);
    if (entry === undefined || chain.hasBlock(hash)) return;
    for (const peer of peers) this.#peers.showed(peer, entry);
    this.#blocks.wanted(hash, peers);
    this.#poke();
  }

  knownHeader(peer: PeerId): HeaderEntry | undefined {
    return this.#peers.known(peer);
  }

  blocksOwed(peer: PeerId): readonly number[] {
    return this.#blocks.owedBy(peer);
  }

  status(): SyncStatus {
    const { chain, clock } = this.#deps;
    const status = describeSync({
      tip: chain.tip(),
      bestHeader: chain.bestHeader(),
      peers: this.#peers.size,
      claimedHeight: this.#peers.claimedHeight(),
      isAskingHeaders: this.#headers.isAsking,
      headerPass: this.#headers.pass,
      hasMinimumWork: chain.bestHeader().chainWork >= chain.params.minimumChainWork,
      nextMissing: this.#blocks.nextMissing,
      pausedReason: this.#blocks.pausedReason,
      wasAtTip: this.#wasAtTip,
      quietMs: clock.monotonicMs() - this.#lastNewsMs,
      blocksPerSecond: this.#blockRate.perSecond(),
      bytesPerSecond: this.#byteRate.perSecond(),
    });
    this.#wasAtTip = status.phase === 'at-tip';
    return status;
  }

  figures(): SyncFigures {
    return this.#blocks.figures();
  }

  async dispose(): Promise<void> {
    this.#stop();
    await this.#blocks.dispose();
  }

  #stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#unobserve();
    this.#headers.dispose();
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.#stop();
    this.#deps.fatal(error);
  }

  #headersMoved(): void {
    this.#lastNewsMs = this.#deps.clock.monotonicMs();
    this.#blocks.targetsChanged();
    this.#poke();
  }

  #arrived(bytes: number): void {
    this.#lastNewsMs = this.#deps.clock.monotonicMs();
    this.#byteRate.add(bytes);
  }

  #chainChanged(change: ChainChange): void {
    this.#lastNewsMs = this.#deps.clock.monotonicMs();
    this.#blockRate.add(change.connected.length);
    const hashes = change.connected.map(({ entry }) => entry.hash);
    this.#blocks.connected(hashes, change.disconnected.length > 0);
    // While a tick is due it will do: at full speed there are thousands of changes a second.
    if (this.#timer === undefined) this.#poke();
  }

  /** Many events, one step: it runs when the current call stack is done. */
  #poke(): void {
    if (this.#isStepDue || this.#isStopped) return;
    this.#isStepDue = true;
    queueMicrotask(() => {
      this.#isStepDue = false;
      this.#step();
    });
  }

  #step(): void {
    if (this.#isStopped) return;
    try {
      this.#headers.step();
      this.#blocks.step();
      this.feed.update(this.status());
    } catch (error) {
      this.#fail(error);
      return;
    }
    const isDue = this.#headers.isBusy || this.#blocks.nextMissing !== undefined;
    if (!isDue || this.#timer !== undefined) return;
    this.#timer = this.#deps.clock.after(this.#tickMs, () => {
      this.#timer = undefined;
      this.#blocks.ticked();
      this.#step();
    });
  }
}

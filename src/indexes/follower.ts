/**
 * Keeps one index in step with the active chain, behind it and in the background: from the block where the index stands
 * it takes one block after another, and goes back to where the chains part when the chain has left that block.
 *
 * Invariants: the place where it stands is written together with what the block added, so a crash at any moment leaves
 * an index that goes on; every block where it ever stood has a record, and so have all of that block's ancestors. The
 * block need not be known any more after a crash: records tell how far the index and the chain agree.
 */
import type { BatchOp, KeyValueStore } from '#store';
import { type Clock, errorText, type Logger, NodeError, nextTurn, sleep } from '#util';
import type { BlockSource, IndexedBlock } from './block-source.ts';
import { type BlockRef, bestOp, readBest, readRecord, recordOp } from './index-records.ts';
import type { IndexedChain, IndexInfo } from './port.ts';

/** What one kind of index makes of a block. */
export type Indexer = {
  readonly name: IndexInfo['name'];
  /** Takes up the state as of the block (undefined: before genesis). False if that is gone: it must stand lower. */
  readonly stand: (ref: BlockRef | undefined) => boolean;
  /** What the block adds on top of where it stands. `taken` is called once that is written. Throws NodeError. */
  readonly add: (data: IndexedBlock) => Promise<IndexAddition>;
};

export type IndexAddition = {
  /** What the index says of the block. */
  readonly record: Uint8Array;
  readonly ops: readonly BatchOp[];
  readonly taken: () => void;
};

export type FollowerDeps = {
  readonly chain: IndexedChain;
  readonly store: KeyValueStore;
  readonly indexer: Indexer;
  readonly blocks: BlockSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** The index is damaged or met a bug, and stands still. */
  readonly onFatal: (error: unknown) => void;
  /** More than that behind the tip it counts as not synced, and nobody is kept waiting for it. */
  readonly maxLagBlocks?: number | undefined;
};

/** Between two tries when the disk is full or fails. */
const RETRY_MS = 10_000;
/** Core's SYNC_LOG_INTERVAL. */
const LOG_MS = 30_000;
/** Some minutes of work where blocks are full and coins are hashed; an instant where they are empty. */
const MAX_LAG_BLOCKS = 1000;
/** Records looked up in one turn of the event loop. */
const LOOKUPS_A_TURN = 1000;

export class Follower implements AsyncDisposable {
  readonly #deps: FollowerDeps;
  readonly #stop = new AbortController();
  #best: BlockRef | undefined;
  #isSynced = false;
  /** Resolves when the chain moves, and when the follower ends. */
  #wake = Promise.withResolvers<void>();
  /** Resolves each time that the tip is reached, when the index has fallen behind, and when the follower ends. */
  #atTip = Promise.withResolvers<void>();
  #nextLogMs = 0;
  #run: Promise<void> = Promise.resolve();

  /** Throws NodeError when the index is of another chain, or the blocks that it needs were pruned. */
  constructor(deps: FollowerDeps) {
    this.#deps = deps;
    this.#best = readBest(deps.store);
    this.#checkChain();
    this.#checkPruned();
  }

  get info(): IndexInfo {
    return { name: this.#deps.indexer.name, synced: this.#isSynced, bestBlockHeight: this.#best?.height ?? 0 };
  }

  /** The lowest block that it still has to read. */
  get nextHeight(): number {
    return this.#best === undefined ? 0 : this.#best.height + 1;
  }

  start(): void {
    const { chain, clock, indexer, log } = this.#deps;
    const stopObserving = chain.observe({ changed: () => this.#wakeUp() });
    this.#nextLogMs = clock.monotonicMs() + LOG_MS;
    log.debug('syncing index with the block chain', { index: indexer.name, from: this.nextHeight });
    this.#run = this.#follow().finally(stopObserving);
  }

  /** Resolves when the index stands at the tip; at once if it is far behind, or has ended. */
  async untilTip(): Promise<void> {
    const { chain } = this.#deps;
    while (this.#isSynced && !this.#stop.signal.aborted && this.#best?.hash !== chain.tip().hash) {
      await this.#atTip.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#run;
  }

  #end(): void {
    this.#stop.abort();
    this.#wakeUp();
    this.#atTip.resolve();
  }

  #releaseWaiters(): void {
    this.#atTip.resolve();
    this.#atTip = Promise.withResolvers();
  }

  #wakeUp(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    try {
      // Where it stood may be a block that the chain left meanwhile, or lost in a crash.
      while (!signal.aborted && !(await this.#tried(() => this.#goBack()))) {}
      while (!signal.aborted) await this.#tried(() => this.#step());
    } catch (error) {
      this.#end();
      this.#deps.onFatal(error);
    }
  }

  /** False if the disk did not let it; then some time has passed. */
  async #tried(task: () => Promise<void>): Promise<boolean> {
    const { clock, indexer, log } = this.#deps;
    try {
      await task();
      return true;
    } catch (error) {
      if (!(error instanceof NodeError) || (error.code !== 'DISK_FULL' && error.code !== 'IO')) throw error;
      if (this.#stop.signal.aborted) return false;
      log.error('the index cannot go on, and tries again', { index: indexer.name, reason: errorText(error) });
      await sleep(clock, RETRY_MS, this.#stop.signal).catch(() => {});
      return false;
    }
  }

  async #step(): Promise<void> {
    const { blocks, chain } = this.#deps;
    if (this.#best !== undefined && !this.#isActive(this.#best)) return this.#goBack();
    const next = chain.activeAt(this.nextHeight);
    if (next === undefined) return this.#rest();
    this.#noteLag();
    await this.#add(await blocks.read(next));
    this.#logProgress();
    await nextTurn();
  }

  #noteLag(): void {
    const { chain, maxLagBlocks = MAX_LAG_BLOCKS } = this.#deps;
    if (!this.#isSynced || this.nextHeight + maxLagBlocks > chain.tip().height) return;
    this.#isSynced = false;
    this.#releaseWaiters();
  }

  async #add(data: IndexedBlock): Promise<void> {
    const { indexer, store } = this.#deps;
    const { height, hash } = data.entry;
    const { record, ops, taken } = await indexer.add(data);
    await store.write([...ops, recordOp({ height, hash }, record), bestOp({ height, hash })]);
    taken();
    this.#best = { height, hash };
  }

  /** At the tip: waits until the chain moves. */
  async #rest(): Promise<void> {
    const { indexer, log } = this.#deps;
    const woken = this.#wake.promise;
    if (!this.#isSynced) log.info('index is at the tip', { index: indexer.name, height: this.#best?.height ?? 0 });
    this.#isSynced = true;
    this.#releaseWaiters();
    await woken;
  }

  /** To the highest block of the active chain where it ever stood and still can. */
  async #goBack(): Promise<void> {
    const { chain, indexer, store } = this.#deps;
    let height = this.#best?.height ?? -1;
    for (let lookups = 1; height >= 0; height--, lookups++) {
      const hash = chain.activeAt(height)?.hash;
      if (hash !== undefined && readRecord(store, { height, hash }) !== undefined && indexer.stand({ height, hash })) {
        if (hash !== this.#best?.hash) await store.write([bestOp({ height, hash })]);
        this.#best = { height, hash };
        return;
      }
      if (lookups % LOOKUPS_A_TURN === 0) await nextTurn();
    }
    indexer.stand(undefined);
    this.#best = undefined;
  }

  #isActive({ height, hash }: BlockRef): boolean {
    return this.#deps.chain.activeAt(height)?.hash === hash;
  }

  /** Core's "best block of the index not found": not even genesis is the same. */
  #checkChain(): void {
    const { chain, indexer, store } = this.#deps;
    const genesis = { height: 0, hash: chain.params.genesis.hash };
    if (this.#best === undefined || readRecord(store, genesis) !== undefined) return;
    const text = `${indexer.name}: best block of the index not found`;
    throw new NodeError('WRONG_NETWORK', `${text}; start with --reindex to rebuild it`);
  }

  /** Core's check in BaseIndex::Init. */
  #checkPruned(): void {
    const { chain, indexer } = this.#deps;
    if (chain.lowestStoredHeight() <= this.nextHeight) return;
    const text = `${indexer.name} best block of the index goes beyond pruned data`;
    const help = 'disable the index or start with --reindex (which will download the whole blockchain again)';
    throw new NodeError('BAD_CONFIG', `${text}; ${help}`);
  }

  #logProgress(): void {
    const { chain, clock, indexer, log } = this.#deps;
    if (this.#isSynced || clock.monotonicMs() < this.#nextLogMs) return;
    this.#nextLogMs = clock.monotonicMs() + LOG_MS;
    log.info('syncing index', { index: indexer.name, height: this.#best?.height, of: chain.tip().height });
  }
}

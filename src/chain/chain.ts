/**
 * The chain: one writer over the header tree, the block files and the coins. Blocks are checked and stored one after
 * another, in the order in which they came; beside that the activator moves the active chain over what is stored.
 * Whatever needs the chain to hold still waits in the activator's queue. Headers and reads are synchronous.
 */
import { failure, type ValidationFailure } from '#consensus';
import type { Block, BlockHash } from '#primitives';
import { errorText, NodeError, Serial, Slices } from '#util';
import {
  type AcceptDeps,
  acceptHeader,
  Checkpoints,
  checkBlockAlone,
  checkBlockInPlace,
  hashTransactions,
} from './accept.ts';
import { Activator } from './activator.ts';
import { ActiveChain } from './active-chain.ts';
import { scriptsAssumedValid } from './assume-valid.ts';
import { BlockIndex } from './block-index.ts';
import { Candidates } from './candidates.ts';
import { checkProposal } from './check-proposal.ts';
import { CoinsCache } from './coins-cache.ts';
import { Flusher } from './flusher.ts';
import type { HeaderId } from './header-tree.ts';
import { loadState } from './load.ts';
import { lowWorkRefusal } from './low-work.ts';
import { ChainMeter } from './meter.ts';
import { type ChainDeps, type ChainOptions, MAX_FILE_BYTES } from './options.ts';
import type {
  BlockVerdict,
  Chain,
  ChainChange,
  ChainObserver,
  ChainVerification,
  Coin,
  HeadersVerdict,
  OutPoint,
  VerifyChainOptions,
} from './port.ts';
import { Pruner, prunedAway } from './pruner.ts';
import { createReader, type ReaderState } from './reader.ts';
import { RecentBodies } from './recent-bodies.ts';
import { interrupted } from './reindex.ts';
import { Submissions } from './submissions.ts';
import { verifyChain } from './verify-chain.ts';
import { Waiters } from './waiters.ts';

/** How many reasons of invalid blocks are remembered; the oldest is forgotten first. */
const MAX_REMEMBERED_FAILURES = 100;

/** Loads the state, or starts from genesis, and finishes what an unclean stop left. Does not own the stores. */
export async function createChain(deps: ChainDeps, options: ChainOptions): Promise<Chain> {
  const index = new BlockIndex(deps.random);
  const coins = new CoinsCache(deps.coinsStore, deps.random, {
    maxBytes: options.dbCacheBytes,
    batchBytes: options.dbBatchBytes,
  });
  const active = new ActiveChain(index.tree);
  const state = { index, active, coins, candidates: new Candidates(index, active) };
  const chain = new ChainWriter(deps, state, options);
  await chain.open(options);
  const reader = createReader(
    {
      ...deps,
      ...state,
      pruner: chain.pruner,
      bestHeader: () => chain.bestHeader,
      coinAtTip: (outpoint) => chain.coinAtTip(outpoint),
    },
    (task) => chain.holdStill(task),
    () => chain.flush(),
  );
  return {
    ...reader,
    preciousBlock: (hash) => chain.preciousBlock(hash),
    pruneTo: (height) => chain.pruneTo(height),
    verify: (options) => chain.verify(options),
    checkProposal: (block) => chain.checkProposal(block),
    submitHeaders: (headers, options) => chain.submitHeaders(headers, options),
    submitBlock: (block) => chain.submitBlock(block),
    newestDecided: () => chain.newestDecided(),
    invalidateBlock: (hash) => chain.invalidateBlock(hash),
    reconsiderBlock: (hash) => chain.reconsiderBlock(hash),
    observe: (observer) => chain.observe(observer),
    figures: () => chain.meter.figures(state, chain.inFlight),
    flush: () => chain.holdStill(() => chain.flush()),
    idle: () => chain.idle(),
    [Symbol.asyncDispose]: () => chain.close(),
  };
}

type State = Pick<ReaderState, 'index' | 'active' | 'coins'> & { readonly candidates: Candidates };

class ChainWriter {
  readonly pruner: Pruner;
  readonly meter: ChainMeter;
  readonly #state: State;
  readonly #deps: ChainDeps;
  readonly #accept: AcceptDeps;
  readonly #activator: Activator;
  readonly #flusher: Flusher;
  /** Blocks on their way to the disk. */
  readonly #accepting = new Serial();
  readonly #slices: Slices;
  /** The activator, and whatever needs the chain to hold still. */
  readonly #queue = new Serial();
  readonly #waiters = new Waiters<HeaderId>();
  readonly #bodies = new RecentBodies<HeaderId>();
  readonly #submissions = new Submissions();
  readonly #observers = new Set<ChainObserver>();
  readonly #failures = new Map<HeaderId, ValidationFailure>();
  readonly #closing = new AbortController();
  #bestHeader: HeaderId = 0;
  #isActivating = false;

  constructor(deps: ChainDeps, state: State, options: ChainOptions) {
    const { pruneBytes = 0, maxFileBytes = MAX_FILE_BYTES } = options;
    this.#state = state;
    this.#deps = deps;
    this.#slices = new Slices(deps.clock);
    this.#accept = {
      params: deps.params,
      index: state.index,
      now: () => Math.floor(deps.clock.now() / 1000),
      checkpoints: new Checkpoints(deps.params),
    };
    this.pruner = new Pruner(
      {
        ...deps,
        ...state,
        keepFrom: options.keepFrom ?? (() => Number.POSITIVE_INFINITY),
        bestHeader: () => this.#bestHeader,
        pruned: (lowestHeight) => {
          for (const observer of this.#observers) observer.pruned?.(lowestHeight);
        },
      },
      { targetBytes: pruneBytes === 'as-is' || pruneBytes === 0 ? undefined : pruneBytes, maxFileBytes },
    );
    this.meter = new ChainMeter(deps.clock);
    const { meter } = this;
    this.#flusher = new Flusher({ ...deps, ...state, pruner: this.pruner, meter });
    this.#activator = new Activator({
      ...deps,
      ...state,
      flusher: this.#flusher,
      meter,
      bestHeader: () => this.#bestHeader,
      bodyOf: (id) => this.#bodies.get(id),
      mustRunScripts: (id) => this.#mustRunScripts(id),
      changed: (change) => this.#changed(change),
      invalid: (id, reason) => this.#invalid(id, reason),
      isWanted: () => this.#queue.pending > 1,
      closing: this.#closing.signal,
    });
  }

  get bestHeader(): HeaderId {
    return this.#bestHeader;
  }

  get inFlight(): number {
    return this.#activator.inFlight;
  }

  coinAtTip(outpoint: OutPoint): Coin | undefined {
    return this.#activator.coinAtTip(outpoint);
  }

  /** Runs a task while no block is in flight. */
  holdStill<T>(task: () => Promise<T> | T): Promise<T> {
    return this.#queue.run(task);
  }

  async idle(): Promise<void> {
    await this.#submissions.idle();
    await this.#atRest();
  }

  newestDecided(): Promise<void> | undefined {
    return this.#submissions.newestDecided();
  }

  /** Throws NodeError, `ABORTED` when the signal does before all is connected that is stored. */
  async open({ signal, onProgress = () => {}, pruneBytes }: ChainOptions): Promise<void> {
    const { pruner } = this;
    await loadState({ ...this.#deps, ...this.#state, ...this.#accept, pruner, pruneBytes, signal, onProgress });
    this.#findBestHeader();
    const stop = (): void => this.#closing.abort(interrupted());
    signal?.addEventListener('abort', stop);
    if (signal?.aborted === true) stop();
    if (!this.#state.active.canReach(this.#bestHeader)) {
      this.#deps.log.error('headers of a chain with more work fork too deep: blocks to disconnect were pruned');
    }
    const total = this.#state.index.tree.heightOf(this.#state.candidates.best());
    const stopObserving = this.observe({
      changed: ({ tip }) => onProgress({ what: 'connecting blocks', done: tip.height, total }),
    });
    try {
      await this.#activator.run();
    } finally {
      stopObserving();
      signal?.removeEventListener('abort', stop);
    }
    if (!this.#closing.signal.aborted) return;
    await this.#flusher.flush();
    throw interrupted();
  }

  observe(observer: ChainObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  submitHeaders(...[headers, { minimumWork } = {}]: Parameters<Chain['submitHeaders']>): HeadersVerdict {
    const { tree } = this.#state.index;
    if (minimumWork !== undefined) {
      const refusal = lowWorkRefusal({ ...this.#deps, workOf: (hash) => this.#workOf(hash) }, headers, minimumWork);
      if (refusal !== undefined) return { kind: 'rejected', ...refusal };
    }
    // A headers sync brings no blocks that would have its headers written.
    if (this.#flusher.isDue) this.#activate();
    let last = this.#bestHeader;
    let added = 0;
    for (const [index, header] of headers.entries()) {
      const result = acceptHeader(this.#accept, header);
      if (result.kind === 'failed') return { kind: 'rejected', index, failure: result.failure };
      if (result.kind === 'added') this.#headerAdded(result.id);
      last = result.id;
      added += result.kind === 'added' ? 1 : 0;
    }
    return { kind: 'accepted', last: tree.entry(last), added };
  }

  submitBlock(block: Block): Promise<BlockVerdict> {
    return this.#submissions.track(this.#submit(block), this.#isNewest(block));
  }

  invalidateBlock(hash: BlockHash): Promise<boolean> {
    if (hash === this.#deps.params.genesis.hash) return Promise.resolve(false);
    return this.#reconsider(hash, (id) => {
      const { active, index } = this.#state;
      if (active.contains(id) && index.tree.heightOf(id) < active.lowestReversible) {
        throw prunedAway(`to leave block ${hash}`, active.lowestReversible);
      }
      index.setFailed(id);
    });
  }

  reconsiderBlock(hash: BlockHash): Promise<boolean> {
    return this.#reconsider(hash, (id) => {
      for (const cleared of this.#state.index.clearFailed(id)) this.#failures.delete(cleared);
    });
  }

  preciousBlock(hash: BlockHash): Promise<boolean> {
    return this.#reconsider(hash, (id) => this.#state.candidates.prefer(id));
  }

  async pruneTo(height: number): Promise<number> {
    if (this.pruner.targetBytes === undefined) {
      throw new NodeError('BAD_CONFIG', 'cannot prune: all blocks are kept; start with --prune MIB');
    }
    return this.holdStill(async () => {
      await this.flush();
      await this.pruner.pruneTo(height);
      return this.pruner.lowestStored;
    });
  }

  verify(options: VerifyChainOptions): Promise<ChainVerification> {
    const deps = { ...this.#deps, ...this.#state, mustRunScripts: (id: HeaderId) => this.#mustRunScripts(id) };
    const run = (): Promise<ChainVerification> => verifyChain(deps, options);
    // What is checked against the coins needs them to be those of the tip.
    return options.level >= 3 ? this.holdStill(run) : run();
  }

  checkProposal(block: Block): Promise<ValidationFailure | undefined> {
    const { signal } = this.#closing;
    return this.holdStill(() => checkProposal({ ...this.#deps, ...this.#state, ...this.#accept, signal }, block));
  }

  flush(): Promise<void> {
    return this.#flusher.flush();
  }

  /** Stored blocks that are not connected yet stay so: the next start goes on with them. */
  async close(): Promise<void> {
    this.#closing.abort(new NodeError('ABORTED', 'the chain is being closed'));
    await this.#accepting.idle();
    await this.holdStill(() => {
      this.#observers.clear();
      return this.#flusher.flush();
    });
  }

  async #submit(block: Block): Promise<BlockVerdict> {
    const accepted = await this.#accepting.run(() => this.#acceptBlock(block));
    if (accepted.kind === 'invalid') return accepted;
    const { id, isNew } = accepted;
    const { active, candidates, index } = this.#state;
    // Without all of its ancestors nothing can be decided.
    if (candidates.isComplete(id)) await this.#decided(id);
    const entry = index.tree.entry(id);
    if (!isNew) return { kind: 'duplicate', entry };
    if (active.contains(id)) return { kind: 'connected', entry };
    if (!index.isFailed(id)) return { kind: 'stored', entry };
    return { kind: 'invalid', failure: this.#failures.get(id) ?? failure('invalid-prev', 'bad-prevblk') };
  }

  /** Core's AcceptBlock: checks the block without coins, and stores it. */
  async #acceptBlock(
    block: Block,
  ): Promise<
    | { readonly kind: 'accepted'; readonly id: HeaderId; readonly isNew: boolean }
    | Extract<BlockVerdict, { kind: 'invalid' }>
  > {
    const { active, candidates, index } = this.#state;
    await this.#slices.rest();
    await hashTransactions(this.#deps.params, block, this.#slices.restIn(this.#isNewest(block)));
    const alone = checkBlockAlone(this.#deps.params, block);
    if (alone !== undefined) return this.#reject(block, alone);
    const header = acceptHeader(this.#accept, block.header);
    if (header.kind === 'failed') return { kind: 'invalid', failure: header.failure };
    const { id } = header;
    if (header.kind === 'added') this.#headerAdded(id);
    this.#checkReach(id);
    // A pruned one is not wanted again.
    if (index.hasData(id) || active.contains(id)) return { kind: 'accepted', id, isNew: false };
    const inPlace = checkBlockInPlace(this.#accept, block, id);
    if (inPlace !== undefined) return this.#reject(block, inPlace);
    index.setData(id, await this.#deps.storage.appendBlock(block.raw), block.transactions.length);
    this.#bodies.add(id, block);
    candidates.bodyStored(id);
    return { kind: 'accepted', id, isNew: true };
  }

  /** Also of one whose header was not known. */
  #isNewest({ hash }: Block): boolean {
    return (this.#state.index.tree.find(hash) ?? this.#bestHeader) === this.#bestHeader;
  }

  /** Resolves when the block is connected, found to be invalid, or not the next to be connected. */
  #decided(id: HeaderId): Promise<void> {
    const decision = this.#waiters.wait(id);
    this.#activate();
    return decision;
  }

  #activate(): void {
    if (this.#isActivating) {
      this.#activator.wake();
      return;
    }
    this.#isActivating = true;
    void this.#queue
      .run(() => this.#activator.run())
      .then(
        () => {
          this.#isActivating = false;
          // It gave way to somebody, or a block came in the last moment.
          if (this.#activator.hasWork) this.#activate();
          else this.#waiters.resolveAll();
        },
        (error: unknown) => {
          this.#isActivating = false;
          // Who waits hears of it. Where nobody does (headers were due to be written) the next headers try again.
          if (this.#waiters.isEmpty) {
            this.#deps.log.warn('the chain could not be moved or written', { reason: errorText(error) });
          }
          this.#waiters.rejectAll(error);
        },
      );
  }

  /** Changes what is known of a block's validity, and moves to what is the best block then. */
  async #reconsider(hash: BlockHash, change: (id: HeaderId) => void): Promise<boolean> {
    const id = this.#state.index.tree.find(hash);
    if (id === undefined) return false;
    await this.holdStill(() => {
      change(id);
      this.#state.candidates.validityChanged();
      this.#findBestHeader();
    });
    await this.#decided(id);
    await this.#atRest();
    this.#checkReach(id);
    return true;
  }

  /** Throws NodeError when the block is part of a chain with more work that cannot be moved to. */
  #checkReach(id: HeaderId): void {
    const { active, index } = this.#state;
    const { tree } = index;
    const [best, tip] = [this.#bestHeader, active.tip ?? 0];
    if (active.canReach(id) || tree.workOf(best) <= tree.workOf(tip) || !tree.isAncestor(id, best)) return;
    throw prunedAway(`the reorganisation to block ${tree.entry(best).hash}`, active.lowestReversible);
  }

  #mustRunScripts(id: HeaderId): boolean {
    return !scriptsAssumedValid(this.#deps.params, this.#state.index.tree, this.#bestHeader, id);
  }

  /** Resolves when the best block is the tip. */
  async #atRest(): Promise<void> {
    while (this.#isActivating) await this.#queue.idle();
  }

  #workOf(hash: BlockHash): bigint | undefined {
    const { tree } = this.#state.index;
    const id = tree.find(hash);
    return id === undefined ? undefined : tree.workOf(id);
  }

  #headerAdded(id: HeaderId): void {
    if (this.#state.index.tree.hasMoreWork(id, this.#bestHeader)) this.#bestHeader = id;
  }

  /** A block that breaks a rule is remembered by its header, unless these bytes are only a bad copy of it. */
  #reject(block: Block, reason: ValidationFailure): Extract<BlockVerdict, { kind: 'invalid' }> {
    const { candidates, index } = this.#state;
    const id = index.tree.find(block.hash);
    if (reason.kind === 'consensus' && id !== undefined && !index.hasData(id)) {
      index.setFailed(id);
      candidates.validityChanged();
      this.#invalid(id, reason);
    }
    return { kind: 'invalid', failure: reason };
  }

  #invalid(id: HeaderId, reason: ValidationFailure): void {
    this.meter.invalidBlocks += 1;
    if (this.#failures.size >= MAX_REMEMBERED_FAILURES) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    this.#failures.set(id, reason);
    this.#findBestHeader();
    const { hash } = this.#state.index.tree.entry(id);
    for (const observer of this.#observers) observer.blockInvalid?.(hash, reason);
    this.#waiters.resolve(id);
  }

  async #changed(change: ChainChange): Promise<void> {
    for (const observer of this.#observers) await observer.changed?.(change);
    for (const { entry } of change.connected) {
      const id = this.#state.index.tree.find(entry.hash);
      if (id === undefined) continue;
      this.#bodies.drop(id);
      this.#waiters.resolve(id);
    }
  }

  /** The valid header with most work; the active chain's among equals. */
  #findBestHeader(): void {
    const { index, active } = this.#state;
    const { tip } = active;
    let best = tip === undefined || index.isFailed(tip) ? 0 : tip;
    for (let id = 0; id < index.tree.size; id++) {
      if (index.tree.hasMoreWork(id, best) && !index.isFailed(id)) best = id;
    }
    this.#bestHeader = best;
  }
}

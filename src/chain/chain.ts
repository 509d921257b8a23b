/**
 * The chain: one writer over the header tree, the block files and the coins. Every change goes through one queue;
 * headers and reads are synchronous.
 */
import { failure, type NetworkParams, type ValidationFailure } from '#consensus';
import type { Block, BlockHash } from '#primitives';
import type { KeyValueStore } from '#store';
import { type Clock, type Logger, type Random, Serial } from '#util';
import type { ScriptVerifier } from '#verify';
import { type AcceptDeps, acceptHeader, Checkpoints, checkBlockAlone, checkBlockInPlace } from './accept.ts';
import { type ActivateDeps, activateBestChain } from './activate.ts';
import { ActiveChain } from './active-chain.ts';
import { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import { Candidates } from './candidates.ts';
import { CoinsCache } from './coins-cache.ts';
import { Flusher } from './flusher.ts';
import type { HeaderId } from './header-tree.ts';
import { loadState } from './load.ts';
import type { BlockVerdict, Chain, ChainChange, ChainObserver, HeadersVerdict } from './port.ts';
import { createReader, type ReaderState } from './reader.ts';

export type ChainDeps = {
  readonly params: NetworkParams;
  /** Header tree and block positions. */
  readonly indexStore: KeyValueStore;
  /** Unspent outputs. */
  readonly coinsStore: KeyValueStore;
  readonly storage: BlockStorage;
  readonly verifier: ScriptVerifier;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

export type ChainOptions = {
  /** Memory for coins; half of it may wait to be written. */
  readonly dbCacheBytes: number;
};

/** How many reasons of invalid blocks are remembered; the oldest is forgotten first. */
const MAX_REMEMBERED_FAILURES = 100;

/** Loads the state, or starts from genesis, and finishes what an unclean stop left. Does not own the stores. */
export async function createChain(deps: ChainDeps, options: ChainOptions): Promise<Chain> {
  const index = new BlockIndex(deps.random);
  const chain = new ChainWriter(deps, options, {
    index,
    active: new ActiveChain(index.tree),
    coins: new CoinsCache(deps.coinsStore),
    candidates: new Candidates(index),
  });
  await chain.open();
  const reader = createReader(
    { ...deps, ...chain.state, bestHeader: () => chain.bestHeader },
    (task) => chain.run(task),
    () => chain.flush(),
  );
  return {
    ...reader,
    submitHeaders: (headers) => chain.submitHeaders(headers),
    submitBlock: (block) => chain.run(() => chain.submitBlock(block)),
    observe: (observer) => chain.observe(observer),
    flush: () => chain.run(() => chain.flush()),
    idle: () => chain.idle(),
    [Symbol.asyncDispose]: () => chain.close(),
  };
}

type State = Pick<ReaderState, 'index' | 'active' | 'coins'> & { readonly candidates: Candidates };

class ChainWriter {
  readonly state: State;
  readonly #deps: ChainDeps;
  readonly #accept: AcceptDeps;
  readonly #activate: ActivateDeps;
  readonly #flusher: Flusher;
  readonly #queue = new Serial();
  readonly #observers = new Set<ChainObserver>();
  readonly #failures = new Map<HeaderId, ValidationFailure>();
  #bestHeader: HeaderId = 0;
  #isClosing = false;

  constructor(deps: ChainDeps, options: ChainOptions, state: State) {
    this.state = state;
    this.#deps = deps;
    this.#accept = {
      params: deps.params,
      index: state.index,
      now: () => Math.floor(deps.clock.now() / 1000),
      checkpoints: new Checkpoints(deps.params),
    };
    this.#flusher = new Flusher({ ...deps, ...state }, options);
    this.#activate = {
      ...deps,
      ...state,
      onStep: (change) => this.#stepped(change),
      onInvalid: (id, reason) => this.#invalid(id, reason),
      isClosing: () => this.#isClosing,
    };
  }

  get bestHeader(): HeaderId {
    return this.#bestHeader;
  }

  run<T>(task: () => Promise<T> | T): Promise<T> {
    return this.#queue.run(task);
  }

  idle(): Promise<void> {
    return this.#queue.idle();
  }

  async open(): Promise<void> {
    await loadState({ ...this.#deps, ...this.state, ...this.#accept });
    this.#findBestHeader();
    await activateBestChain(this.#activate);
  }

  observe(observer: ChainObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  submitHeaders(headers: Parameters<Chain['submitHeaders']>[0]): HeadersVerdict {
    const { tree } = this.state.index;
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

  /** One at a time: called through the queue. */
  async submitBlock(block: Block): Promise<BlockVerdict> {
    const { index, candidates, active } = this.state;
    const alone = checkBlockAlone(this.#deps.params, block);
    if (alone !== undefined) return this.#reject(block, alone);
    const header = acceptHeader(this.#accept, block.header);
    if (header.kind === 'failed') return { kind: 'invalid', failure: this.#knownFailure(block.hash) ?? header.failure };
    const { id } = header;
    if (header.kind === 'added') this.#headerAdded(id);
    const isNew = !index.hasData(id);
    if (isNew) {
      const inPlace = checkBlockInPlace(this.#accept, block, id);
      if (inPlace !== undefined) return this.#reject(block, inPlace);
      index.setData(id, await this.#deps.storage.appendBlock(block.raw));
      candidates.bodyStored(id);
    }
    await activateBestChain(this.#activate, { id, block });
    const entry = index.tree.entry(id);
    if (!isNew) return { kind: 'duplicate', entry };
    if (active.contains(id)) return { kind: 'connected', entry };
    if (!index.isFailed(id)) return { kind: 'stored', entry };
    return { kind: 'invalid', failure: this.#failures.get(id) ?? failure('invalid-prev', 'bad-prevblk') };
  }

  flush(): Promise<void> {
    return this.#flusher.flush();
  }

  /** Stored blocks that are not connected yet stay so: the next start goes on with them. */
  close(): Promise<void> {
    this.#isClosing = true;
    return this.run(() => {
      this.#observers.clear();
      return this.#flusher.flush();
    });
  }

  #headerAdded(id: HeaderId): void {
    const { tree } = this.state.index;
    if (tree.workOf(id) > tree.workOf(this.#bestHeader)) this.#bestHeader = id;
  }

  /** A block that breaks a rule is remembered by its header, unless these bytes are only a bad copy of it. */
  #reject(block: Block, reason: ValidationFailure): BlockVerdict {
    const { index } = this.state;
    const id = index.tree.find(block.hash);
    if (reason.kind === 'consensus' && id !== undefined && !index.hasData(id)) {
      index.setFailed(id);
      this.#invalid(id, reason);
    }
    return { kind: 'invalid', failure: reason };
  }

  #knownFailure(hash: BlockHash): ValidationFailure | undefined {
    const id = this.state.index.tree.find(hash);
    return id === undefined ? undefined : this.#failures.get(id);
  }

  #invalid(id: HeaderId, reason: ValidationFailure): void {
    if (this.#failures.size >= MAX_REMEMBERED_FAILURES) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    this.#failures.set(id, reason);
    this.#findBestHeader();
    const { hash } = this.state.index.tree.entry(id);
    for (const observer of this.#observers) observer.blockInvalid?.(hash, reason);
  }

  async #stepped(change: ChainChange): Promise<void> {
    for (const observer of this.#observers) await observer.changed?.(change);
    await this.#flusher.flushIfDue();
  }

  /** The valid header with most work; the active chain's among equals. */
  #findBestHeader(): void {
    const { index, active } = this.state;
    let best = active.tip ?? 0;
    for (let id = 0; id < index.tree.size; id++) {
      if (index.tree.workOf(id) > index.tree.workOf(best) && !index.isFailed(id)) best = id;
    }
    this.#bestHeader = best;
  }
}

/**
 * Moves the active chain to the best block, however far the fork lies back (Core's ActivateBestChain), with several
 * blocks in flight: while the scripts of one run on other threads, the next ones are read, their coins fetched, and
 * everything but their scripts checked, each on the coins that the one before left. A block becomes part of the active
 * chain when its scripts have passed and its undo data are stored, in order; until then it is taken back when it or
 * one below it fails, or when the chain closes.
 *
 * `coins` is ahead of the active chain by the blocks in flight. `coinAtTip` is what the rest of the node may see.
 */
import type { NetworkParams, ValidationFailure } from '#consensus';
import type { Block } from '#primitives';
import { type Clock, type Logger, Slices } from '#util';
import type { ScriptFailure, ScriptVerifier } from '#verify';
import type { ActiveChain } from './active-chain.ts';
import { BlockChange, scriptFailure } from './block-change.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import type { Candidates } from './candidates.ts';
import type { CoinsCache, SpentOutPoint } from './coins-cache.ts';
import { disconnectBlock } from './disconnect.ts';
import type { Flusher } from './flusher.ts';
import type { HeaderId } from './header-tree.ts';
import type { ChainMeter } from './meter.ts';
import type { ChainChange, Coin, ConnectedBlock, OutPoint } from './port.ts';
import { damaged } from './repair.ts';
import { readStoredBlock } from './stored-block.ts';

/** Blocks in one change that observers hear of: bounds what they hold. */
const MAX_CHANGE_BLOCKS = 16;
/** Decoded blocks whose scripts run; the verifier's capacity is the usual limit. */
const MAX_IN_FLIGHT = 16;

export type ActivatorDeps = {
  readonly params: NetworkParams;
  readonly index: BlockIndex;
  readonly active: ActiveChain;
  readonly coins: CoinsCache;
  readonly candidates: Candidates;
  readonly storage: BlockStorage;
  readonly verifier: ScriptVerifier;
  readonly flusher: Flusher;
  readonly meter: ChainMeter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bestHeader: () => HeaderId;
  /** A stored block that is still in memory. */
  readonly bodyOf: (id: HeaderId) => Block | undefined;
  /** Whether the block's scripts must run (they need not below `assumeValid`). */
  readonly mustRunScripts: (id: HeaderId) => boolean;
  readonly changed: (change: ChainChange) => Promise<void>;
  readonly invalid: (id: HeaderId, reason: ValidationFailure) => void;
  /** Somebody waits for the chain to hold still. */
  readonly isWanted: () => boolean;
  /** Aborts when the chain closes: the next start goes on. */
  readonly closing: AbortSignal;
};

type Verdict = { readonly failed: ScriptFailure | undefined } | { readonly error: unknown };
type InFlight = { readonly id: HeaderId; readonly change: BlockChange; readonly verdict: Promise<Verdict> };

export class Activator {
  readonly #deps: ActivatorDeps;
  /** Applied to the coins and not decided, lowest first. */
  readonly #inFlight: InFlight[] = [];
  /** The one above them, of which some is applied. */
  #applying: BlockChange | undefined;
  /** What observers have not heard of yet. */
  #disconnected: ConnectedBlock[] = [];
  #connected: ConnectedBlock[] = [];
  readonly #slices: Slices;
  #wake = Promise.withResolvers<void>();

  constructor(deps: ActivatorDeps) {
    this.#deps = deps;
    this.#slices = new Slices(deps.clock);
  }

  /** Whether `run` would move the chain. */
  get hasWork(): boolean {
    return !this.#deps.closing.aborted && this.#deps.candidates.best() !== this.#deps.active.tip;
  }

  /**
   * Returns when the tip is the best block, when the chain is wanted for something else, or when it closes; nothing
   * is in flight then, and the coins are those of the tip. Throws NodeError; a later call goes on.
   */
  async run(): Promise<void> {
    try {
      while (await this.#step());
    } finally {
      this.#takeBackAll();
      await this.#tellObservers();
    }
  }

  /** Blocks whose scripts run. */
  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** There may be more to do: a block was stored. */
  wake(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** The coin as of the tip. */
  coinAtTip(outpoint: OutPoint): Coin | undefined {
    for (const { change } of this.#inFlight) {
      const before = change.before(outpoint);
      if (before !== undefined) return before.coin;
    }
    const before = this.#applying?.before(outpoint);
    return before === undefined ? this.#deps.coins.get(outpoint) : before.coin;
  }

  /** False when there is nothing to do. */
  async #step(): Promise<boolean> {
    const { closing, isWanted, flusher } = this.#deps;
    if (closing.aborted) return false;
    const isFlushDue = flusher.isDue;
    const next = isFlushDue || isWanted() ? undefined : this.#next();
    if (next !== undefined && this.#hasRoomFor(next)) {
      if (next.isParent) await this.#start(next.id);
      else await this.#disconnectTip();
      return true;
    }
    if (this.#inFlight.length > 0) {
      if (next !== undefined || isFlushDue || (await this.#isDecidedBeforeWake())) await this.#settleOldest();
      return true;
    }
    await this.#tellObservers();
    if (isFlushDue) await flusher.flush();
    return isFlushDue;
  }

  /** The next block on the way to the best one; or the fork below it, if the tip is not on that way. */
  #next(): { readonly id: HeaderId; readonly isParent: boolean } | undefined {
    const { candidates, index, active } = this.#deps;
    const { tree } = index;
    const tip = this.#inFlight.at(-1)?.id ?? active.tip;
    const best = candidates.best();
    if (tip === undefined || tip === best) return undefined;
    const isParent = tree.isAncestor(tip, best);
    return { id: isParent ? tree.ancestorOf(best, tree.heightOf(tip) + 1) : tree.forkOf(tip, best), isParent };
  }

  #hasRoomFor({ isParent }: { readonly isParent: boolean }): boolean {
    if (this.#inFlight.length === 0) return true;
    return isParent && this.#inFlight.length < MAX_IN_FLIGHT && this.#deps.verifier.capacity() > 0;
  }

  async #start(id: HeaderId): Promise<void> {
    const { bestHeader, bodyOf, closing, coins, index, meter, mustRunScripts, storage } = this.#deps;
    const entry = index.tree.entry(id);
    const startedMs = meter.now();
    const block = bodyOf(id) ?? (await readStoredBlock(index, storage, id));
    await coins.prefetch(outsideInputs(block));
    const loadedMs = meter.ended('load', startedMs);
    await this.#slices.rest();
    // The chain may have been told meanwhile that the block is invalid.
    if (closing.aborted || index.isFailed(id)) return;
    const change = new BlockChange(this.#deps, block, entry);
    this.#applying = change;
    // Peers wait for the newest block. Before it there is so much to do that others would wait for all of them.
    const isNewest = id === bestHeader();
    const broken = await change.apply(this.#slices.restIn(isNewest));
    this.#applying = undefined;
    meter.ended('check', loadedMs);
    if (broken !== undefined) {
      await this.#settleAll();
      if (this.#deps.active.tip === index.tree.parentOf(id)) await this.#markInvalid(id, broken);
      return;
    }
    const verdict = this.#runScripts(mustRunScripts(id) ? change.jobs : [], isNewest);
    this.#inFlight.push({ id, change, verdict });
  }

  async #runScripts(jobs: BlockChange['jobs'], isUrgent: boolean): Promise<Verdict> {
    const { verifier, closing, meter } = this.#deps;
    const startedMs = meter.now();
    try {
      const failed = await verifier.verify(jobs, { signal: closing, isUrgent });
      if (jobs.length > 0) meter.ended('scripts', startedMs);
      return { failed };
    } catch (error) {
      return { error };
    }
  }

  async #settleAll(): Promise<void> {
    while (this.#inFlight.length > 0) await this.#settleOldest();
  }

  /** Whether the lowest block's scripts were done before another block came, which can be started meanwhile. */
  async #isDecidedBeforeWake(): Promise<boolean> {
    const isDecided = this.#inFlight[0]?.verdict.then(() => true);
    return (await Promise.race([isDecided, this.#wake.promise])) === true;
  }

  /** Waits for the scripts of the lowest block in flight and makes it the tip, or takes all back. */
  async #settleOldest(): Promise<void> {
    const { active, closing, index, meter, storage } = this.#deps;
    const [oldest] = this.#inFlight;
    if (oldest === undefined) return;
    const { id, change } = oldest;
    const verdict = await oldest.verdict;
    if (closing.aborted) return this.#takeBackAll();
    if ('error' in verdict) throw verdict.error;
    if (verdict.failed !== undefined) {
      this.#takeBackAll();
      return this.#markInvalid(id, scriptFailure(change, verdict.failed));
    }
    // Undo data first: coins must never run ahead of what is needed to go back.
    const decidedMs = meter.now();
    const undo = index.undoPosition(id) ?? (await storage.appendUndo(change.spent, change.block.header));
    meter.ended('undo', decidedMs);
    this.#inFlight.shift();
    index.setConnected(id, undo);
    active.push(id);
    this.#connected.push({ entry: change.entry, block: change.block });
    if (this.#inFlight.length === 0 || this.#connected.length >= MAX_CHANGE_BLOCKS) await this.#tellObservers();
  }

  async #disconnectTip(): Promise<void> {
    const { active, coins, index, params, storage } = this.#deps;
    const { tip } = active;
    const undoAt = tip === undefined ? undefined : index.undoPosition(tip);
    if (tip === undefined || undoAt === undefined) throw damaged('all', 'the undo data of the tip are missing');
    const entry = index.tree.entry(tip);
    const block = await readStoredBlock(index, storage, tip);
    const undo = await storage.readUndo(undoAt, block.header);
    if (!disconnectBlock(block, entry, undo, coins, params)) {
      throw damaged('chainstate', `the coins do not match block ${entry.hash}`);
    }
    active.pop();
    this.#disconnected.push({ entry, block });
    if (this.#disconnected.length >= MAX_CHANGE_BLOCKS) await this.#tellObservers();
  }

  async #markInvalid(id: HeaderId, reason: ValidationFailure): Promise<void> {
    const { candidates, index, invalid, log } = this.#deps;
    const { hash, height } = index.tree.entry(id);
    log.warn('invalid block', { hash, height, code: reason.code });
    index.setFailed(id);
    candidates.validityChanged();
    await this.#tellObservers();
    invalid(id, reason);
  }

  #takeBackAll(): void {
    for (let last = this.#inFlight.pop(); last !== undefined; last = this.#inFlight.pop()) last.change.takeBack();
  }

  async #tellObservers(): Promise<void> {
    const { active, candidates, changed, index, meter } = this.#deps;
    const [disconnected, connected] = [this.#disconnected, this.#connected];
    if (active.tip === undefined || (disconnected.length === 0 && connected.length === 0)) return;
    this.#disconnected = [];
    this.#connected = [];
    const isSettled = candidates.best() === active.tip;
    const startedMs = meter.now();
    await changed({ disconnected, connected, tip: index.tree.entry(active.tip), isSettled });
    meter.ended('follow', startedMs);
  }
}

/** The coins that the block's inputs spend and that it does not make itself. */
function outsideInputs(block: Block): SpentOutPoint[] {
  // Four bytes of a txid tell them apart; a rare mistake only costs a slower read.
  const own = new Set(block.transactions.map((tx) => shortTxid(tx.txidBytes)));
  const outside: SpentOutPoint[] = [];
  for (const tx of block.transactions) {
    if (tx.isCoinbase) continue;
    for (const input of tx.inputs) if (!own.has(shortTxid(input.prevTxid))) outside.push(input);
  }
  return outside;
}

function shortTxid(txid: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = txid;
  return a | (b << 8) | (c << 16) | (d << 24);
}

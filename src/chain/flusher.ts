/**
 * Brings the disk up to date: block and undo files first, then the index that points into them, then the coins with
 * the name of their block. A crash between two of these leaves coins that are older than the rest, and blocks between
 * are connected again; never the reverse. A crash while the coins are written is mended by `replay.ts`. Old files are
 * removed last (`pruner.ts`).
 */
import type { KeyValueStore } from '#store';
import { assert, type Clock, type Logger } from '#util';
import type { ActiveChain } from './active-chain.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import type { CoinsCache } from './coins-cache.ts';
import type { ChainMeter } from './meter.ts';
import type { Pruner } from './pruner.ts';
import { saveIndex } from './save-index.ts';

/** Longest time that connected blocks stay unwritten: what a crash costs is to connect them again. */
const MAX_AGE_MS = 5 * 60_000;
/** Index records that may wait (headers arrive by thousands during sync). */
const MAX_DIRTY_HEADERS = 40_000;

export type FlusherDeps = {
  readonly index: BlockIndex;
  readonly indexStore: KeyValueStore;
  readonly coins: CoinsCache;
  readonly active: ActiveChain;
  readonly storage: BlockStorage;
  readonly pruner: Pruner;
  readonly meter: ChainMeter;
  readonly clock: Clock;
  readonly log: Logger;
};

export class Flusher {
  readonly #deps: FlusherDeps;
  #lastMs: number;

  constructor(deps: FlusherDeps) {
    this.#deps = deps;
    this.#lastMs = deps.clock.monotonicMs();
  }

  get isDue(): boolean {
    const { coins, index, clock, pruner } = this.#deps;
    if (coins.isFull || index.dirtyCount > MAX_DIRTY_HEADERS || pruner.isDue()) return true;
    return clock.monotonicMs() - this.#lastMs > MAX_AGE_MS;
  }

  /** Nothing may be in flight. Throws NodeError; what was not written stays in memory and is tried again. */
  async flush(): Promise<void> {
    const { active, coins, index, indexStore, storage, pruner, meter, clock, log } = this.#deps;
    const { tip } = active;
    assert(tip !== undefined, 'genesis is connected');
    const entry = index.tree.entry(tip);
    const startedMs = clock.monotonicMs();
    const coinsWritten = coins.dirtyCount;
    await saveIndex(index, indexStore, storage);
    await coins.flush(entry.hash);
    this.#lastMs = clock.monotonicMs();
    meter.flushed(this.#lastMs - startedMs);
    log.debug('flushed', { height: entry.height, coinsWritten, ms: Math.round(this.#lastMs - startedMs) });
    await pruner.prune();
  }
}

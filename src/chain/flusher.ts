/**
 * Brings the disk up to date: block and undo files first, then the index that points into them, then the coins with
 * the name of their block. A crash between two of these leaves coins that are older than the rest, and blocks between
 * are connected again; never the reverse. A crash while the coins are written is mended by `replay.ts`.
 */
import type { KeyValueStore } from '#store';
import { assert, type Clock, type Logger } from '#util';
import type { ActiveChain } from './active-chain.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import type { CoinsCache } from './coins-cache.ts';

/** Longest time that connected blocks stay unwritten: what a crash costs is to connect them again. */
const MAX_AGE_MS = 5 * 60_000;
/** Index records that may wait (headers arrive by thousands during sync). */
const MAX_DIRTY_HEADERS = 40_000;
/** Records in one write. All of a headers sync at once took 2 GB and 30 s; 4000 still took 100 MB more than 500. */
const MAX_RECORDS_A_WRITE = 500;

export type FlusherDeps = {
  readonly index: BlockIndex;
  readonly indexStore: KeyValueStore;
  readonly coins: CoinsCache;
  readonly active: ActiveChain;
  readonly storage: BlockStorage;
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
    const { coins, index, clock } = this.#deps;
    return coins.isFull || index.dirtyCount > MAX_DIRTY_HEADERS || clock.monotonicMs() - this.#lastMs > MAX_AGE_MS;
  }

  /** Nothing may be in flight. Throws NodeError; what was not written stays in memory and is tried again. */
  async flush(): Promise<void> {
    const { active, coins, index, indexStore, storage, clock, log } = this.#deps;
    const { tip } = active;
    assert(tip !== undefined, 'genesis is connected');
    const entry = index.tree.entry(tip);
    const startedMs = clock.monotonicMs();
    const coinsWritten = coins.dirtyCount;
    await saveIndex(index, indexStore, storage);
    await coins.flush(entry.hash);
    this.#lastMs = clock.monotonicMs();
    log.debug('flushed', { height: entry.height, coinsWritten, ms: Math.round(this.#lastMs - startedMs) });
  }
}

/** Blocks may be stored meanwhile: what is saved of the index points only to what was in the files before they were synced. */
export async function saveIndex(index: BlockIndex, store: KeyValueStore, storage: BlockStorage): Promise<void> {
  // What changes meanwhile waits for the next time, so that this ends.
  const writes = Math.ceil(index.dirtyCount / MAX_RECORDS_A_WRITE);
  for (let i = 0; i < writes; i++) {
    const changes = index.takeChanges(MAX_RECORDS_A_WRITE);
    try {
      await storage.sync();
      await changes.write(store);
    } catch (error) {
      changes.giveBack();
      throw error;
    }
  }
}

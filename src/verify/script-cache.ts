/**
 * Remembers which transactions passed under which flags, so that a block of known transactions costs no scripts
 * (Core's script execution cache). What a script sees besides its transaction, the outputs that it spends, follows
 * from the wtxid: their txids are in it. Two generations; the older one is dropped when the younger is full.
 */
import type { Transaction } from '#primitives';
import type { ScriptVerifier } from './port.ts';

/** About 100 bytes each in memory; some 25 full blocks. */
const DEFAULT_MAX_ENTRIES = 100_000;

/** Transactions asked for, since the start. */
export type ScriptCacheFigures = { readonly hits: number; readonly misses: number; readonly entries: number };

export class ScriptCache {
  readonly #maxYoung: number;
  #hits = 0;
  #misses = 0;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(maxEntries = DEFAULT_MAX_ENTRIES) {
    this.#maxYoung = Math.ceil(maxEntries / 2);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  has(tx: Transaction, flags: number): boolean {
    const key = keyOf(tx, flags);
    const isKnown = this.#young.has(key) || this.#old.has(key);
    if (isKnown) this.#hits += 1;
    else this.#misses += 1;
    return isKnown;
  }

  figures(): ScriptCacheFigures {
    return { hits: this.#hits, misses: this.#misses, entries: this.size };
  }

  add(tx: Transaction, flags: number): void {
    if (this.#young.size >= this.#maxYoung) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(keyOf(tx, flags));
  }
}

const WTXID_BYTES = 32;
/** Written anew for each. Two strings put together would be kept as both parts and the whole. */
const KEY = Buffer.alloc(WTXID_BYTES + 4);

function keyOf(tx: Transaction, flags: number): string {
  KEY.set(tx.wtxidBytes);
  KEY.writeUInt32LE(flags, WTXID_BYTES);
  return KEY.toString('latin1');
}

/** Leaves out what the cache knows, and adds to it what passes and is to be remembered. Does not own `inner`. */
export function withScriptCache(inner: ScriptVerifier, cache: ScriptCache): ScriptVerifier {
  return {
    verify: async (jobs, options) => {
      const isNew = cache.size === 0 ? undefined : jobs.map(({ tx, flags }) => !cache.has(tx, flags));
      const open = isNew === undefined ? jobs : jobs.filter((_, at) => isNew[at]);
      const failed = await inner.verify(open, options);
      if (failed !== undefined) return { ...failed, job: jobs.findIndex((job) => job === open[failed.job]) };
      for (const { tx, flags, remember } of open) if (remember === true) cache.add(tx, flags);
      return undefined;
    },
    capacity: () => inner.capacity(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

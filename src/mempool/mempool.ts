/**
 * The mempool: valid transactions that are not in the chain yet, within a byte bound.
 * Invariants: what is in it could be mined in the next block together with its ancestors in it; no two of its
 * transactions spend the same output; it follows the chain by `chainChanged` alone. Every change of the pool is one
 * synchronous step, so readers between two steps see it whole.
 */
import type { ChainReader } from '#chain';
import type { Clock, Logger } from '#util';
import type { ScriptVerifier } from '#verify';
import { Admission } from './admission.ts';
import { ChainFollower } from './chain-follower.ts';
import { DEFAULT_MEMPOOL_OPTIONS, type MempoolOptions } from './options.ts';
import { Pool } from './pool.ts';
import type { Mempool, MempoolVerdict } from './port.ts';
import { ScriptMemory } from './script-memory.ts';
import { SubmitQueue } from './submit-queue.ts';

export type MempoolDeps = {
  readonly chain: ChainReader;
  readonly verifier: ScriptVerifier;
  readonly clock: Clock;
  readonly log: Logger;
};

const CLOSED: MempoolVerdict = { kind: 'unavailable', reason: 'the mempool is closed' };

/** Starts empty, on the chain's current tip. */
export function createMempool(deps: MempoolDeps, overrides: Partial<MempoolOptions> = {}): Mempool {
  const options: MempoolOptions = { ...DEFAULT_MEMPOOL_OPTIONS, ...overrides };
  const closing = new AbortController();
  const pool = new Pool();
  const scripts = new ScriptMemory();
  const admission = new Admission({ ...deps, pool, scripts }, options, closing.signal);
  const follower = new ChainFollower({ ...deps, pool, scripts, admission }, options);
  const queue = new SubmitQueue(options, deps.clock, async (tx) =>
    closing.signal.aborted ? CLOSED : admission.admit(tx),
  );

  return {
    submit: async (tx, origin) => {
      if (closing.signal.aborted) return CLOSED;
      // Copies of what is here take no place in the queue.
      if (pool.byWtxid(tx.wtxid) !== undefined) return { kind: 'duplicate', code: 'txn-already-in-mempool' };
      return queue.submit(tx, origin);
    },
    get: (id) => pool.byId(id),
    has: (id) => pool.byId(id) !== undefined,
    spender: (txid, index) => pool.spender(txid, index),
    entries: () => pool.entries(),
    snapshotForShortIds: () => Array.from(pool.entries(), (entry) => entry.tx),
    stats: () => {
      const { size: count, vsize, usage, totalFee } = pool;
      return { count, vsize, usage, maxBytes: options.maxBytes, totalFee };
    },
    syncedTip: () => follower.syncedTip,
    chainChanged: (change) => follower.follow(change),
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await queue.idle();
    },
  };
}

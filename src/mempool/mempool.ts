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
import { PackageAdmission } from './package-admission.ts';
import { TRANSACTION_FAILED } from './package-checks.ts';
import { Pool } from './pool.ts';
import type { Mempool, MempoolVerdict, PackageVerdict } from './port.ts';
import { RollingFee } from './rolling-fee.ts';
import { ScriptMemory } from './script-memory.ts';
import { SubmitQueue } from './submit-queue.ts';

export type MempoolDeps = {
  readonly chain: ChainReader;
  readonly verifier: ScriptVerifier;
  readonly clock: Clock;
  readonly log: Logger;
};

const CLOSED: MempoolVerdict = { kind: 'unavailable', reason: 'the mempool is closed' };
const BUSY: MempoolVerdict = { kind: 'unavailable', reason: 'too many transactions wait' };

/** Starts empty, on the chain's current tip. */
export function createMempool(deps: MempoolDeps, overrides: Partial<MempoolOptions> = {}): Mempool {
  const options: MempoolOptions = { ...DEFAULT_MEMPOOL_OPTIONS, ...overrides };
  const closing = new AbortController();
  const pool = new Pool();
  const scripts = new ScriptMemory();
  const rollingFee = new RollingFee(pool, deps.clock, options);
  const admission = new Admission({ ...deps, pool, scripts, rollingFee }, options, closing.signal);
  const follower = new ChainFollower({ ...deps, pool, scripts, admission, rollingFee }, options);
  const packages = new PackageAdmission({ ...deps, pool, admission }, options);
  const queue = new SubmitQueue(options, deps.clock);
  const isClosed = (): boolean => closing.signal.aborted;

  return {
    submit: async (tx, origin) => {
      if (isClosed()) return CLOSED;
      // Copies of what is here take no place in the queue.
      if (pool.byWtxid(tx.wtxid) !== undefined) return { kind: 'duplicate', code: 'txn-already-in-mempool' };
      return (await queue.submit(tx.size, origin, async () => (isClosed() ? CLOSED : admission.admit(tx)))) ?? BUSY;
    },
    submitPackage: async (parent, child, origin) => {
      if (isClosed()) return refusedPackage(CLOSED);
      const decide = async (): Promise<PackageVerdict> =>
        isClosed() ? refusedPackage(CLOSED) : packages.admit(parent, child);
      return (await queue.submit(parent.size + child.size, origin, decide)) ?? refusedPackage(BUSY);
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
    minFeeSatPerKvb: () => Math.max(rollingFee.satPerKvb(), options.minRelayFeeSatPerKvb),
    syncedTip: () => follower.syncedTip,
    chainChanged: (change) => follower.follow(change),
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await queue.idle();
    },
  };
}

function refusedPackage(verdict: MempoolVerdict): PackageVerdict {
  return { failure: TRANSACTION_FAILED, parent: verdict, child: verdict };
}

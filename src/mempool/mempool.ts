/**
 * The mempool: valid transactions that are not in the chain yet, within a byte bound.
 * Invariants: what is in it could be mined in the next block together with its ancestors in it; no two of its
 * transactions spend the same output; it follows the chain by `chainChanged` alone. Every change of the pool is one
 * synchronous step, so readers between two steps see it whole.
 */
import type { Chain, ChainReader } from '#chain';
import type { Transaction, Txid } from '#primitives';
import type { Clock, Logger } from '#util';
import type { ScriptVerifier } from '#verify';
import { Admission } from './admission.ts';
import { ChainFollower } from './chain-follower.ts';
import { Trial } from './dry-run.ts';
import { FeeDeltas } from './fee-deltas.ts';
import { FeeEstimator } from './fee-estimator/estimator.ts';
import { followPool } from './fee-estimator/follow-pool.ts';
import type { EstimateMode } from './fee-estimator/smart-fee.ts';
import { PoolObservers } from './observer.ts';
import { DEFAULT_MEMPOOL_OPTIONS, type MempoolOptions } from './options.ts';
import { PackageAdmission } from './package-admission.ts';
import { TRANSACTION_FAILED } from './package-checks.ts';
import { contentOf, type PersistedDeps } from './persistence/content.ts';
import { type LoadDeps, loadMempoolFile } from './persistence/load.ts';
import { Unbroadcast } from './persistence/unbroadcast.ts';
import { encodeMempoolFile } from './persistence/write-file.ts';
import { Pool } from './pool.ts';
import type { DryRun, Mempool, MempoolVerdict, SmartFeeEstimate, TxOrigin } from './port.ts';
import { RollingFee } from './rolling-fee.ts';
import { ScriptMemory } from './script-memory.ts';
import { SubmitQueue } from './submit-queue.ts';
import { SyncedTip } from './synced-tip.ts';

export type MempoolDeps = {
  readonly chain: ChainReader & Pick<Chain, 'newestDecided'>;
  readonly verifier: ScriptVerifier;
  readonly clock: Clock;
  readonly log: Logger;
};

const CLOSED: MempoolVerdict = { kind: 'unavailable', reason: 'the mempool is closed' };
const BUSY: MempoolVerdict = { kind: 'unavailable', reason: 'too many transactions wait' };

/** Starts empty, on the chain's current tip. Nothing is decided while the chain has moved and `chainChanged` was not told. */
export function createMempool(deps: MempoolDeps, overrides: Partial<MempoolOptions> = {}): Mempool {
  const options: MempoolOptions = { ...DEFAULT_MEMPOOL_OPTIONS, ...overrides };
  const closing = new AbortController();
  const parts = makeParts(deps, options, closing.signal);
  const { pool, observers, fees, unbroadcast, feeDeltas, rollingFee, syncedTip, admission, follower } = parts;
  const trial = new Trial({ ...deps, pool, admission }, options);
  const queue = new SubmitQueue(options, deps.clock);
  const isClosed = (): boolean => closing.signal.aborted;
  const submit = async (tx: Transaction, origin: TxOrigin, timeMs?: number): Promise<MempoolVerdict> => {
    const decide = async (): Promise<MempoolVerdict> => (isClosed() ? CLOSED : admission.admit(tx, 'single', timeMs));
    return queue.refusals.count((await queue.submit(tx.size, origin, decide)) ?? BUSY);
  };
  const submitTogether = packageSubmitter(parts, queue, isClosed);
  const minFeeSatPerKvb = (): number => Math.max(rollingFee.satPerKvb(), options.minRelayFeeSatPerKvb);

  const loading: LoadDeps = {
    submit: (tx, timeMs) => submit(tx, 'local', timeMs),
    prioritise: (txid, feeDelta) => feeDeltas.add(txid, feeDelta),
    addUnbroadcast: (txid) => unbroadcast.add(txid),
    clock: deps.clock,
    expiryMs: options.expiryMs,
  };

  return {
    submit: async (tx, origin) => {
      if (isClosed()) return CLOSED;
      // Copies of what is here take no place in the queue.
      if (pool.byWtxid(tx.wtxid) !== undefined) {
        if (origin !== 'local') unbroadcast.delete(tx.txid);
        return queue.refusals.count({ kind: 'duplicate', code: 'txn-already-in-mempool' });
      }
      const verdict = await submit(tx, origin);
      if (origin === 'local' && verdict.kind === 'accepted') unbroadcast.add(tx.txid);
      return verdict;
    },
    submitPackage: async (parent, child, origin) => {
      const { failure, verdicts } = await submitTogether([parent], child, origin);
      const [ofParent, ofChild] = verdicts;
      return { ...(failure && { failure }), ...(ofParent && { parent: ofParent }), ...(ofChild && { child: ofChild }) };
    },
    submitParents: (parents, child, besides) => submitTogether(parents, child, 'local', besides),
    testAccept: async (txs) => {
      const size = txs.reduce((sum, tx) => sum + tx.size, 0);
      const decide = async (): Promise<DryRun> => (isClosed() ? refusedRun(txs, CLOSED) : trial.run(txs));
      return (await queue.submit(size, 'local', decide)) ?? refusedRun(txs, BUSY);
    },
    prioritise: (txid, feeDelta) => feeDeltas.add(txid, feeDelta),
    ...whatItHolds(parts, queue, options),
    options,
    minFeeSatPerKvb,
    minRelayFeeSatPerKvb: options.minRelayFeeSatPerKvb,
    fees,
    estimateSmartFee: (confTarget, mode) => smartFeeAnswer(fees, minFeeSatPerKvb(), confTarget, mode),
    unbroadcast: () => unbroadcast.list(),
    markBroadcast: (txid) => unbroadcast.delete(txid),
    save: (key) => encodeMempoolFile(contentOf(parts), key),
    load: (source, signal, how) => loadMempoolFile(loading, source, AbortSignal.any([closing.signal, signal]), how),
    observe: (observer) => observers.add(observer),
    syncedTip: () => syncedTip.hash,
    chainChanged: (change) => follower.follow(change),
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await queue.idle();
    },
  };
}

type Parts = PersistedDeps & {
  readonly observers: PoolObservers;
  readonly fees: FeeEstimator;
  readonly rollingFee: RollingFee;
  readonly syncedTip: SyncedTip;
  readonly admission: Admission;
  readonly follower: ChainFollower;
  readonly packages: PackageAdmission;
};

function makeParts(deps: MempoolDeps, options: MempoolOptions, signal: AbortSignal): Parts {
  const observers = new PoolObservers();
  const pool = new Pool(observers);
  const fees = new FeeEstimator();
  const unbroadcast = new Unbroadcast(pool);
  const feeDeltas = new FeeDeltas(pool);
  for (const each of [followPool(fees, deps), unbroadcast.observer]) observers.add(each);
  const scripts = new ScriptMemory(options.maxScriptResults);
  const rollingFee = new RollingFee(pool, deps.clock, options);
  const syncedTip = new SyncedTip(deps.chain, signal);
  const admission = new Admission(
    { ...deps, pool, observers, feeDeltas, scripts, rollingFee, syncedTip },
    options,
    signal,
  );
  const follower = new ChainFollower(
    { ...deps, pool, observers, feeDeltas, scripts, admission, rollingFee, syncedTip },
    options,
  );
  const packages = new PackageAdmission({ ...deps, pool, admission }, options);
  return { pool, observers, fees, unbroadcast, feeDeltas, rollingFee, syncedTip, admission, follower, packages };
}

type Holdings = Pick<
  Mempool,
  'prioritised' | 'get' | 'has' | 'spender' | 'entries' | 'stats' | 'figures' | 'version' | 'sequence'
>;

function whatItHolds(parts: Parts, queue: SubmitQueue, { maxBytes }: MempoolOptions): Holdings {
  const { pool, observers, feeDeltas, unbroadcast } = parts;
  return {
    prioritised: () => feeDeltas.all(),
    get: (id) => pool.byId(id),
    has: (id) => pool.byId(id) !== undefined,
    spender: (txid, index) => pool.spender(txid, index),
    entries: () => pool.entries(),
    stats: () => {
      const { size: count, vsize, usage, totalFee } = pool;
      return { count, vsize, usage, maxBytes, totalFee, refusedBusy: queue.refused };
    },
    figures: () => ({ ...queue.figures(), unbroadcast: unbroadcast.size }),
    version: () => pool.version,
    sequence: () => observers.sequence,
  };
}

/** estimatesmartfee: no answer lies below what this node takes. */
function smartFeeAnswer(
  fees: FeeEstimator,
  minFeePerKvb: number,
  confTarget: number,
  mode: EstimateMode,
): SmartFeeEstimate {
  const { feePerKvb, returnedTarget: blocks } = fees.estimateSmartFee(confTarget, mode);
  if (feePerKvb === 0) return { errors: ['Insufficient data or no feerate found'], blocks };
  return { feerate: Math.max(feePerKvb, Math.ceil(minFeePerKvb)), blocks };
}

type SubmitTogether = (
  parents: readonly Transaction[],
  child: Transaction,
  origin: TxOrigin,
  besides?: readonly Txid[],
) => Promise<DryRun>;

function packageSubmitter(
  { packages, unbroadcast }: Pick<Parts, 'packages' | 'unbroadcast'>,
  queue: SubmitQueue,
  isClosed: () => boolean,
): SubmitTogether {
  return async (parents, child, origin, besides) => {
    const txs = [...parents, child];
    if (isClosed()) return refusedRun(txs, CLOSED);
    const decide = async (): Promise<DryRun> =>
      isClosed() ? refusedRun(txs, CLOSED) : packages.admit(parents, child, besides);
    const size = txs.reduce((sum, tx) => sum + tx.size, 0);
    const run = (await queue.submit(size, origin, decide)) ?? refusedRun(txs, BUSY);
    for (const [at, { txid }] of txs.entries()) {
      const verdict = run.verdicts[at];
      queue.refusals.count(verdict);
      if (origin === 'local' && verdict?.kind === 'accepted') unbroadcast.add(txid);
    }
    return run;
  };
}

function refusedRun(txs: readonly Transaction[], verdict: MempoolVerdict): DryRun {
  return { failure: TRANSACTION_FAILED, verdicts: txs.map(() => verdict) };
}

/**
 * Everything that is asked of a transaction before its scripts run, cheap things first: Core's
 * MemPoolAccept::PreChecks in its order.
 * Synchronous: the answer holds until the chain or the pool changes.
 */
import type { ChainReader, Coin, HeaderEntry } from '#chain';
import {
  calculateSequenceLocks,
  checkTransaction,
  checkTxInputs,
  evaluateSequenceLocks,
  failure,
  isFinalTx,
  transactionSigOpCost,
} from '#consensus';
import { type Sats, type Transaction, type TxInput, type Txid, type TxOutput, txidFromBytes } from '#primitives';
import type { FeeDeltas } from './fee-deltas.ts';
import { headerView } from './header-view.ts';
import type { MempoolOptions } from './options.ts';
import {
  MAX_STANDARD_TX_SIGOPS_COST,
  MIN_STANDARD_TX_NONWITNESS_BYTES,
  STANDARD_SCRIPT_FLAGS,
  virtualSize,
} from './policy.ts';
import type { Pool } from './pool.ts';
import { checkAgainstPool, type PoolChecked, type PoolTerms } from './pool-checks.ts';
import type { MempoolVerdict } from './port.ts';
import { directConflicts, signalsReplacement } from './replacement.ts';
import { checkStandardSpends, checkStandardTx, type StandardOptions } from './standard.ts';
import { policy } from './verdicts.ts';

export type PreCheckDeps = {
  readonly chain: Pick<ChainReader, 'tip' | 'ancestor' | 'getCoin'>;
  readonly pool: Pool;
  readonly feeDeltas: Pick<FeeDeltas, 'get'>;
  /** Of the same package, not in the pool yet. */
  readonly inPackage?: ReadonlyMap<Txid, Transaction> | undefined;
};

type CoinDeps = Omit<PreCheckDeps, 'feeDeltas'>;

export type PreCheckTerms = PoolTerms &
  StandardOptions &
  Pick<MempoolOptions, 'requireStandard' | 'bytesPerSigOp' | 'fullRbf'>;

/** What the checks found out about a good transaction. */
export type PreChecked = PoolChecked & {
  readonly fee: Sats;
  /** With this node's delta. */
  readonly modifiedFee: Sats;
  readonly vsize: number;
  readonly sigOpCost: number;
  readonly spendsCoinbase: boolean;
  /** In the order of the inputs. */
  readonly spent: readonly TxOutput[];
};

/** How many outputs of a transaction without inputs are looked up to see whether it is in the chain already. */
const MAX_KNOWN_LOOKUPS = 16;

export function preCheck(deps: PreCheckDeps, tx: Transaction, terms: PreCheckTerms): PreChecked | MempoolVerdict {
  const tip = deps.chain.tip();
  return (
    checkAlone(tx, terms) ??
    checkFinal(tx, tip) ??
    checkKnown(deps.pool, tx) ??
    checkConflicts(deps.pool, tx, terms) ??
    checkWithInputs(deps, tx, tip, terms)
  );
}

/** What needs nothing but the transaction. */
function checkAlone(tx: Transaction, terms: PreCheckTerms): MempoolVerdict | undefined {
  const bad = checkTransaction(tx);
  if (bad !== undefined) return { kind: 'consensus', failure: bad };
  // A coinbase is valid in a block only, never alone.
  if (tx.isCoinbase) return { kind: 'consensus', failure: failure('consensus', 'coinbase') };
  const notStandard = terms.requireStandard ? checkStandardTx(tx, terms) : undefined;
  if (notStandard !== undefined) return policy(notStandard);
  // CVE-2017-12842: a transaction of 64 bytes can pass for an inner node of the merkle tree.
  if (tx.strippedSize < MIN_STANDARD_TX_NONWITNESS_BYTES) return policy('tx-size-small');
  return undefined;
}

/** Only what could be in the next block is kept, so that no memory is held for the far future. BIP113's time. */
function checkFinal(tx: Transaction, tip: HeaderEntry): MempoolVerdict | undefined {
  return isFinalTx(tx, tip.height + 1, tip.medianTimePast) ? undefined : policy('non-final');
}

export function checkKnown(pool: Pool, tx: Transaction): MempoolVerdict | undefined {
  if (pool.byWtxid(tx.wtxid) !== undefined) return { kind: 'duplicate', code: 'txn-already-in-mempool' };
  if (pool.byTxid(tx.txid) === undefined) return undefined;
  return { kind: 'duplicate', code: 'txn-same-nonwitness-data-in-mempool' };
}

/** Without full RBF each of what would be replaced must have asked for it, by BIP125's signal or its version (BIP431). */
function checkConflicts(
  pool: Pool,
  tx: Transaction,
  { context, fullRbf }: Pick<PreCheckTerms, 'context' | 'fullRbf'>,
): MempoolVerdict | undefined {
  for (const conflict of directConflicts(pool, tx)) {
    if (context === 'package-test') return policy('bip125-replacement-disallowed');
    if (fullRbf) return undefined;
    if (!signalsReplacement(conflict.tx)) return policy('txn-mempool-conflict');
  }
  return undefined;
}

function checkWithInputs(
  deps: PreCheckDeps,
  tx: Transaction,
  tip: HeaderEntry,
  terms: PreCheckTerms,
): PreChecked | MempoolVerdict {
  const coins = findCoins(deps, tx, tip);
  if (!allFound(coins)) return missingInputs(deps, tx, coins);
  if (!sequenceLocksPass(deps.chain, tx, coins, tip)) return policy('non-BIP68-final');
  const inputs = checkTxInputs(tx, coins, tip.height + 1);
  if ('failure' in inputs) {
    const { code, debug } = inputs.failure;
    // Immature today is not invalid for ever (Core: TX_PREMATURE_SPEND).
    if (code === 'bad-txns-premature-spend-of-coinbase') return policy(code, debug);
    return { kind: 'consensus', failure: inputs.failure };
  }
  const spent = coins.map((coin) => coin.output);
  const notStandard = terms.requireStandard ? checkStandardSpends(tx, spent) : undefined;
  if (notStandard !== undefined) return policy(notStandard);
  const sigOpCost = transactionSigOpCost(tx, spent, STANDARD_SCRIPT_FLAGS);
  const vsize = virtualSize(tx.weight, sigOpCost, terms.bytesPerSigOp);
  if (sigOpCost > MAX_STANDARD_TX_SIGOPS_COST) return policy('bad-txns-too-many-sigops', `${sigOpCost}`);
  const modifiedFee = inputs.fee + deps.feeDeltas.get(tx.txid);
  const inPool = checkAgainstPool(deps.pool, { tx, modifiedFee, vsize }, terms);
  if (inPool.kind !== 'passed') return inPool;
  const spendsCoinbase = coins.some((coin) => coin.isCoinbase);
  return { ...inPool, fee: inputs.fee, modifiedFee, vsize, sigOpCost, spendsCoinbase, spent };
}

/**
 * What the inputs spend, in their order, from the pool or the chain; undefined where it is in neither. An output of
 * the pool counts as made by the next block (Core's MEMPOOL_HEIGHT).
 */
export function findCoins(deps: CoinDeps, tx: Transaction, tip: HeaderEntry): readonly (Coin | undefined)[] {
  return tx.inputs.map((input) => findCoin(deps, input, tip));
}

export function allFound(coins: readonly (Coin | undefined)[]): coins is readonly Coin[] {
  return !coins.includes(undefined);
}

function findCoin(deps: CoinDeps, input: TxInput, tip: HeaderEntry): Coin | undefined {
  const { chain, pool, inPackage } = deps;
  const txid = txidFromBytes(input.prevTxid);
  const parent = inPackage?.get(txid) ?? pool.byTxid(txid)?.tx;
  if (parent === undefined) return chain.getCoin({ txid: input.prevTxid, index: input.prevIndex });
  const output = parent.outputs[input.prevIndex];
  return output === undefined ? undefined : { output, height: tip.height + 1, isCoinbase: false };
}

function missingInputs(
  { chain, pool, inPackage }: PreCheckDeps,
  tx: Transaction,
  coins: readonly (Coin | undefined)[],
): MempoolVerdict {
  // Bounded, unlike Core, whose look-ups never leave memory: a miss here may read the disk.
  const outputs = tx.outputs.slice(0, MAX_KNOWN_LOOKUPS);
  if (outputs.some((_, index) => chain.getCoin({ txid: tx.txidBytes, index }) !== undefined)) {
    return { kind: 'duplicate', code: 'txn-already-known' };
  }
  const parents = new Set<Txid>();
  for (const [at, input] of tx.inputs.entries()) {
    const txid = txidFromBytes(input.prevTxid);
    const isHere = inPackage?.has(txid) === true || pool.byTxid(txid) !== undefined;
    if (coins[at] === undefined && !isHere) parents.add(txid);
  }
  return { kind: 'missing-inputs', parents: [...parents] };
}

/** BIP68 for the next block (Core's CalculateLockPointsAtTip and CheckSequenceLocksAtTip). */
export function sequenceLocksPass(
  chain: Pick<ChainReader, 'ancestor'>,
  tx: Transaction,
  coins: readonly Coin[],
  tip: HeaderEntry,
): boolean {
  const view = headerView(chain, tip);
  const next = { height: tip.height + 1, ancestor: view.ancestor };
  const heights = coins.map((coin) => coin.height);
  return evaluateSequenceLocks(calculateSequenceLocks(tx, heights, next), next);
}

/**
 * How the pool follows the chain: what a block confirms or contradicts leaves; what a disconnected block held comes
 * back if it still can; then whatever the new tip no longer allows leaves (Core's removeForBlock,
 * MaybeUpdateMempoolForReorg and removeForReorg).
 */
import type { ChainChange, ChainReader, ConnectedBlock } from '#chain';
import { checkTxInputs, isFinalTx } from '#consensus';
import type { Transaction, Txid } from '#primitives';
import type { Admission } from './admission.ts';
import { type ChainLimits, exceedsAncestorLimits } from './chain-limits.ts';
import type { PassedScripts } from './passed-scripts.ts';
import { MAX_DISCONNECTED_BYTES } from './policy.ts';
import { type Pool, type PoolEntry, withDescendants } from './pool.ts';
import { findCoins, sequenceLocksPass } from './pre-checks.ts';

export type FollowDeps = {
  readonly chain: ChainReader;
  readonly pool: Pool;
  readonly admission: Admission;
  readonly passedScripts: PassedScripts;
  readonly chainLimits: ChainLimits;
};

export async function followChain(deps: FollowDeps, change: ChainChange): Promise<void> {
  for (const { block } of change.connected) {
    for (const tx of block.transactions) leaveWithBlock(deps, tx);
  }
  if (change.disconnected.length > 0) {
    const back = await bringBack(deps, change);
    const { pool, chainLimits } = deps;
    const tooLong = [...withDescendants(back)].filter((entry) => exceedsAncestorLimits(entry, chainLimits));
    pool.removeWithDescendants(tooLong);
    pool.removeWithDescendants([...pool.entries()].filter((entry) => !isMineable(deps, entry)));
  }
  deps.admission.trim();
}

/** The transaction is in a block now: it leaves, and so does whatever spends the same outputs. */
function leaveWithBlock({ pool, passedScripts }: FollowDeps, tx: Transaction): void {
  if (pool.size === 0) return;
  const entry = pool.byTxid(tx.txid);
  if (entry !== undefined) {
    passedScripts.add(entry.tx);
    pool.remove(entry);
  }
  for (const input of tx.inputs) {
    const conflict = pool.spender(input.prevTxid, input.prevIndex);
    if (conflict !== undefined) pool.removeWithDescendants([conflict]);
  }
}

/** Offers what was disconnected, oldest first so that parents precede children. Gives what is in the pool again. */
async function bringBack(deps: FollowDeps, change: ChainChange): Promise<PoolEntry[]> {
  const { pool, admission, passedScripts } = deps;
  const confirmed = txidsOf(change.connected);
  const back: PoolEntry[] = [];
  let bytes = 0;
  for (const tx of transactionsOf(change.disconnected)) {
    if (confirmed.has(tx.txid)) continue;
    bytes += tx.size;
    if (!tx.isCoinbase && bytes <= MAX_DISCONNECTED_BYTES) {
      await admission.admit(tx, { scriptsPassed: passedScripts.has(tx), fromBlock: true });
    }
    const entry = pool.byTxid(tx.txid);
    if (entry !== undefined) back.push(entry);
    // What cannot come back takes along what stood on it.
    else pool.removeWithDescendants(pool.spendersOf(tx));
  }
  return back.filter((entry) => pool.byTxid(entry.tx.txid) === entry);
}

function txidsOf(blocks: readonly ConnectedBlock[]): ReadonlySet<Txid> {
  return new Set(blocks.flatMap(({ block }) => block.transactions.map((tx) => tx.txid)));
}

function transactionsOf(disconnected: readonly ConnectedBlock[]): Transaction[] {
  return disconnected.toReversed().flatMap(({ block }) => block.transactions);
}

/** BIP68: an input without this bit may have a relative lock. */
const SEQUENCE_LOCKTIME_DISABLE_FLAG = 0x80000000;

/** Whether the next block may hold the entry as far as height and time go (they may have gone back). */
function isMineable(deps: FollowDeps, { tx, spendsCoinbase }: PoolEntry): boolean {
  const tip = deps.chain.tip();
  const height = tip.height + 1;
  if (!isFinalTx(tx, height, tip.medianTimePast)) return false;
  if (!spendsCoinbase && !mayHaveRelativeLock(tx)) return true;
  const coins = findCoins(deps, tx, tip);
  if (coins === undefined || !sequenceLocksPass(deps.chain, tx, coins, tip)) return false;
  return 'fee' in checkTxInputs(tx, coins, height);
}

function mayHaveRelativeLock(tx: Transaction): boolean {
  return tx.inputs.some((input) => (input.sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG) === 0);
}

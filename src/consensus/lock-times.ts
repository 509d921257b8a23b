/** Lock times: absolute (nLockTime, BIP113) and relative (BIP68). Core's consensus/tx_verify.cpp. */
import type { Transaction } from '#primitives';
import { assert } from '#util';
import { medianTimePast } from './header-rules.ts';
import {
  LOCKTIME_THRESHOLD,
  SEQUENCE_FINAL,
  SEQUENCE_LOCKTIME_DISABLE_FLAG,
  SEQUENCE_LOCKTIME_GRANULARITY,
  SEQUENCE_LOCKTIME_MASK,
  SEQUENCE_LOCKTIME_TYPE_FLAG,
} from './limits.ts';
import type { HeaderView } from './params.ts';

/**
 * Core's IsFinalTx for a block at `height`. `cutoffSeconds` is the parent's median time past from CSV on (BIP113),
 * the block's own time before.
 */
export function isFinalTx(
  tx: Pick<Transaction, 'lockTime' | 'inputs'>,
  height: number,
  cutoffSeconds: number,
): boolean {
  if (tx.lockTime === 0) return true;
  if (tx.lockTime < (tx.lockTime < LOCKTIME_THRESHOLD ? height : cutoffSeconds)) return true;
  return tx.inputs.every((input) => input.sequence === SEQUENCE_FINAL);
}

/** The last height and median time at which the transaction is still locked; -1 for no lock. */
export type SequenceLocks = {
  readonly minHeight: number;
  /** Unix seconds. */
  readonly minTime: number;
};

/**
 * The place of the block that holds the transaction. A block that does not exist yet is `{ height: tip.height + 1,
 * ancestor }` with the tip's own `ancestor`: only ancestors below `height` are asked for.
 */
export type BlockPlace = Pick<HeaderView, 'height' | 'ancestor'>;

/**
 * BIP68, Core's CalculateSequenceLocks with LOCKTIME_VERIFY_SEQUENCE set (so only from CSV on). `coinHeights` are
 * the heights of the blocks that made the spent outputs, in the order of the inputs; an output that is not in a
 * block yet has `block.height`.
 */
export function calculateSequenceLocks(
  tx: Transaction,
  coinHeights: readonly number[],
  block: BlockPlace,
): SequenceLocks {
  assert(coinHeights.length === tx.inputs.length, 'a height for each input');
  let minHeight = -1;
  let minTime = -1;
  // BIP68 reads the version as unsigned: a negative one counts.
  if (tx.version >>> 0 < 2) return { minHeight, minTime };
  for (const [i, { sequence }] of tx.inputs.entries()) {
    if ((sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG) !== 0) continue;
    const coinHeight = coinHeights[i] ?? 0;
    const value = sequence & SEQUENCE_LOCKTIME_MASK;
    if ((sequence & SEQUENCE_LOCKTIME_TYPE_FLAG) === 0) {
      minHeight = Math.max(minHeight, coinHeight + value - 1);
    } else {
      // Time counts from the median time of the block before the one that made the coin.
      const coinTime = medianTimePast(block.ancestor(Math.max(coinHeight - 1, 0)));
      minTime = Math.max(minTime, coinTime + value * 2 ** SEQUENCE_LOCKTIME_GRANULARITY - 1);
    }
  }
  return { minHeight, minTime };
}

/** Whether a block in that place (not genesis) may hold the transaction; else `bad-txns-nonfinal`. */
export function evaluateSequenceLocks(locks: SequenceLocks, block: BlockPlace): boolean {
  if (locks.minHeight >= block.height) return false;
  // The median is only worked out when a time lock asks for it.
  return locks.minTime === -1 || locks.minTime < medianTimePast(block.ancestor(block.height - 1));
}

/** Estimates over several horizons at once (Core's estimateCombinedFee, estimateConservativeFee, estimateSmartFee). */
import type { ConfirmStats } from './confirm-stats.ts';
import { estimateMedian, type MedianEstimate } from './estimate-median.ts';
import { DOUBLE_SUCCESS, HALF_SUCCESS, HORIZONS, type Horizon, SUCCESS } from './horizons.ts';

export type EstimateMode = 'economical' | 'conservative';

/** Which of the estimates decided (FeeReason). */
export type FeeReason = 'half' | 'full' | 'double' | 'conservative';

export type SmartFee = {
  /** sat per 1000 vbytes, not rounded; -1 when none can be given. */
  readonly feeRate: number;
  readonly reason: FeeReason | undefined;
};

export type HorizonStats = {
  readonly buckets: Float64Array;
  readonly stats: Readonly<Record<Horizon, ConfirmStats>>;
  readonly height: number;
};

export function estimateHorizon(
  { buckets, stats, height }: HorizonStats,
  horizon: Horizon,
  target: number,
  threshold: number,
): MedianEstimate {
  const { sufficientTxs } = HORIZONS[horizon];
  return estimateMedian(stats[horizon], buckets, { target, sufficientTxs, threshold, height });
}

/**
 * The highest of: 60% confirmed within half the target, 85% within it, 95% within twice as long; each over the
 * shortest horizon that reaches so far. Conservative: the 95% over the longer horizons as well.
 */
export function smartFee(all: HorizonStats, target: number, mode: EstimateMode): SmartFee {
  const isConservative = mode === 'conservative';
  let best: SmartFee = { feeRate: combinedFee(all, Math.floor(target / 2), HALF_SUCCESS, true), reason: 'half' };
  const consider = (feeRate: number, reason: FeeReason): void => {
    if (feeRate > best.feeRate) best = { feeRate, reason };
  };
  consider(combinedFee(all, target, SUCCESS, true), 'full');
  // Conservative estimates take the highest of all horizons below: a shorter one must not lower them here.
  consider(combinedFee(all, 2 * target, DOUBLE_SUCCESS, !isConservative), 'double');
  if (isConservative || best.feeRate === -1) consider(conservativeFee(all, 2 * target), 'conservative');
  return best.feeRate < 0 ? { feeRate: -1, reason: undefined } : best;
}

/** Over the shortest horizon that reaches the target; a shorter one may lower it by what it says of its longest target. */
function combinedFee(all: HorizonStats, target: number, threshold: number, checksShorter: boolean): number {
  const { short, medium, long } = all.stats;
  if (target < 1 || target > long.maxConfirms) return -1;
  const horizon = target <= short.maxConfirms ? 'short' : target <= medium.maxConfirms ? 'medium' : 'long';
  let lowest = estimateHorizon(all, horizon, target, threshold).feeRate;
  if (!checksShorter) return lowest;
  for (const shorter of ['medium', 'short'] as const) {
    const { maxConfirms } = all.stats[shorter];
    if (target <= maxConfirms) continue;
    const { feeRate } = estimateHorizon(all, shorter, maxConfirms, threshold);
    if (feeRate > 0 && (lowest === -1 || feeRate < lowest)) lowest = feeRate;
  }
  return lowest;
}

/** The highest of those horizons that are longer than the shortest one which reaches the target. */
function conservativeFee(all: HorizonStats, target: number): number {
  const { short, medium } = all.stats;
  const estimate = (horizon: Horizon): number => estimateHorizon(all, horizon, target, DOUBLE_SUCCESS).feeRate;
  return Math.max(
    target <= short.maxConfirms ? estimate('medium') : -1,
    target <= medium.maxConfirms ? estimate('long') : -1,
  );
}

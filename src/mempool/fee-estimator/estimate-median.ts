/** The lowest fee rate whose transactions were confirmed often enough (Core's TxConfirmStats::EstimateMedianVal). */
import type { ConfirmStats } from './confirm-stats.ts';

/** A range of buckets and what became of its transactions (EstimatorBucket). */
export type BucketRange = {
  /** Fee rates, sat per 1000 vbytes; -1 when there is no such range. */
  readonly start: number;
  readonly end: number;
  /** Decayed numbers: confirmed within the target, confirmed at all, left unconfirmed after the target. */
  readonly withinTarget: number;
  readonly totalConfirmed: number;
  readonly leftMempool: number;
  /** In the mempool for the target or longer. */
  readonly inMempool: number;
};

export type MedianEstimate = {
  /** sat per 1000 vbytes, not rounded; -1 when no range has enough transactions and passes. */
  readonly feeRate: number;
  readonly pass: BucketRange;
  readonly fail: BucketRange;
};

export type MedianQuery = {
  /** Blocks, 1 .. `maxConfirms`. */
  readonly target: number;
  /** Transactions a block, on average, that a range must have. */
  readonly sufficientTxs: number;
  /** The part of them that must have been confirmed in time. */
  readonly threshold: number;
  readonly height: number;
};

type Counts = Omit<BucketRange, 'start' | 'end'>;
/** Indexes of the first and the last bucket. */
type Span = { readonly first: number; readonly last: number };

const NOTHING: Counts = { withinTarget: 0, totalConfirmed: 0, leftMempool: 0, inMempool: 0 };
const NO_RANGE: BucketRange = { start: -1, end: -1, ...NOTHING };

/**
 * From the highest fee rates down, buckets are joined until they hold enough confirmed transactions, then judged.
 * Ranges depend on the confirmed ones alone, so they are the same for all targets. A range that fails stays part of
 * the next one: only what passes together with everything above the last pass counts.
 */
export function estimateMedian(stats: ConfirmStats, buckets: Float64Array, query: MedianQuery): MedianEstimate {
  const enough = query.sufficientTxs / (1 - stats.averages.decay);
  const range = (span: Span, counts: Counts): BucketRange => ({
    start: span.first === 0 ? 0 : (buckets[span.first - 1] ?? 0),
    end: buckets[span.last] ?? 0,
    ...counts,
  });
  let best: { readonly span: Span; readonly counts: Counts } | undefined;
  let fail = NO_RANGE;
  let counts = NOTHING;
  let sinceJudged = 0;
  let last = buckets.length - 1;
  let isOpen = false;
  let isPassing = true;

  for (let bucket = buckets.length - 1; bucket >= 0; bucket--) {
    if (!isOpen) last = bucket;
    isOpen = true;
    counts = withBucket(counts, stats, bucket, query);
    sinceJudged += stats.averages.txCount[bucket] ?? 0;
    if (sinceJudged < enough) continue;
    sinceJudged = 0;
    const span = { first: bucket, last };
    if (successRate(counts) < query.threshold) {
      if (isPassing) fail = range(span, counts);
      isPassing = false;
    } else {
      best = { span, counts };
      fail = NO_RANGE;
      counts = NOTHING;
      isPassing = true;
      isOpen = false;
    }
  }
  // All passed, until the last buckets had too little data.
  if (isPassing && isOpen) fail = range({ first: 0, last }, counts);
  if (best === undefined) return { feeRate: -1, pass: NO_RANGE, fail };
  return { feeRate: medianFeeRate(stats, best.span), pass: range(best.span, best.counts), fail };
}

function withBucket(counts: Counts, stats: ConfirmStats, bucket: number, { target, height }: MedianQuery): Counts {
  const { scale, confirmed, failed, txCount } = stats.averages;
  const at = (Math.ceil(target / scale) - 1) * stats.bucketCount + bucket;
  return {
    withinTarget: counts.withinTarget + (confirmed[at] ?? 0),
    totalConfirmed: counts.totalConfirmed + (txCount[bucket] ?? 0),
    leftMempool: counts.leftMempool + (failed[at] ?? 0),
    inMempool: counts.inMempool + stats.unconfirmedFor(bucket, target, height),
  };
}

function successRate({ withinTarget, totalConfirmed, leftMempool, inMempool }: Counts): number {
  return withinTarget / (totalConfirmed + leftMempool + inMempool);
}

/** The mean fee rate of the bucket that holds the median transaction: single transactions are not kept. */
function medianFeeRate({ averages: { txCount, feeRateSum } }: ConfirmStats, { first, last }: Span): number {
  let left = 0;
  for (let bucket = first; bucket <= last; bucket++) left += txCount[bucket] ?? 0;
  if (left === 0) return -1;
  left /= 2;
  for (let bucket = first; bucket <= last; bucket++) {
    const count = txCount[bucket] ?? 0;
    if (count >= left) return (feeRateSum[bucket] ?? 0) / count;
    left -= count;
  }
  return -1;
}

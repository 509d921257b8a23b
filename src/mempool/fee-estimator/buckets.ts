/** Ranges of fee rates (sat per 1000 vbytes). A bucket is named by its upper bound, which belongs to it. */

const MIN_BUCKET_FEERATE = 1_000;
const MAX_BUCKET_FEERATE = 1e7;
const FEE_SPACING = 1.05;
/** Core's INF_FEERATE: the bound of the last bucket. */
const INF_FEERATE = 1e99;

/** The upper bounds, ascending. Multiplied up one by one, as Core does: the bounds must be the same doubles. */
export function defaultBuckets(): Float64Array {
  const bounds: number[] = [];
  for (let bound = MIN_BUCKET_FEERATE; bound <= MAX_BUCKET_FEERATE; bound *= FEE_SPACING) bounds.push(bound);
  return Float64Array.of(...bounds, INF_FEERATE);
}

/** The bucket that a fee rate belongs to; what exceeds every bound counts to the last. */
export function bucketOf(buckets: Float64Array, feeRate: number): number {
  let low = 0;
  let high = buckets.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((buckets[middle] ?? 0) < feeRate) low = middle + 1;
    else high = middle;
  }
  return low;
}

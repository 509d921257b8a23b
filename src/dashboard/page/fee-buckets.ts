/** The mempool's buckets of fee rates as columns from left to right. Pure. */
import type { FeerateBucket } from '../contract.ts';

/** Fewer columns would be as broad as boards. */
const MIN_COLUMNS = 12;

/** The buckets from the first to the last that holds something, one more on each side, and more where these are few. */
export function occupiedBuckets(buckets: readonly FeerateBucket[]): readonly FeerateBucket[] {
  const first = buckets.findIndex(({ txCount }) => txCount > 0);
  if (first === -1) return [];
  const last = buckets.findLastIndex(({ txCount }) => txCount > 0);
  const spare = Math.max(1, Math.ceil((MIN_COLUMNS - (last - first + 1)) / 2));
  return buckets.slice(Math.max(0, first - spare), last + 1 + spare);
}

/** Where a fee rate stands among the buckets, in buckets from the left. */
export function placeAmong(satPerVb: number, buckets: readonly FeerateBucket[]): number {
  const at = buckets.findLastIndex(({ fromSatPerVb }) => fromSatPerVb <= satPerVb);
  if (at === -1) return 0;
  const [from, to] = [buckets[at]?.fromSatPerVb ?? 0, buckets[at + 1]?.fromSatPerVb ?? 0];
  return at + (to > from ? (satPerVb - from) / (to - from) : 0);
}

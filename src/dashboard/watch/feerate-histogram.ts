/**
 * The mempool by fee rate, kept as transactions come and go: a few additions for each, where a walk over a full mempool would take
 * some ten milliseconds. What pays for what is left out: a transaction counts by what it pays itself.
 */
import type { FeerateBucket } from '../contract.ts';

/** Lower ends, sat per vbyte; steps of some 15 to 25 per cent, on round numbers. */
export const BUCKET_BOUNDS: readonly number[] = [
  ...[0, 1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 25, 30, 35, 40, 50, 60, 70, 80],
  ...[
    100, 120, 140, 170, 200, 250, 300, 350, 400, 500, 600, 700, 800, 1_000, 1_200, 1_500, 2_000, 3_000, 5_000, 10_000,
  ],
];

export type Priced = { readonly fee: bigint; readonly vsize: number };

export type FilledBucket = FeerateBucket & { readonly feesSats: number };

export class FeerateHistogram {
  readonly #counts = new Float64Array(BUCKET_BOUNDS.length);
  readonly #vsizes = new Float64Array(BUCKET_BOUNDS.length);
  readonly #fees = new Float64Array(BUCKET_BOUNDS.length);

  add(entry: Priced): void {
    this.#count(entry, 1);
  }

  remove(entry: Priced): void {
    this.#count(entry, -1);
  }

  /** Lowest rates first. */
  buckets(): readonly FilledBucket[] {
    return BUCKET_BOUNDS.map((fromSatPerVb, at) => ({
      fromSatPerVb,
      txCount: this.#counts[at] ?? 0,
      vsizeBytes: this.#vsizes[at] ?? 0,
      feesSats: this.#fees[at] ?? 0,
    }));
  }

  #count({ fee, vsize }: Priced, sign: 1 | -1): void {
    const sats = Number(fee);
    const at = bucketOf(sats / vsize);
    this.#counts[at] = (this.#counts[at] ?? 0) + sign;
    this.#vsizes[at] = (this.#vsizes[at] ?? 0) + sign * vsize;
    this.#fees[at] = (this.#fees[at] ?? 0) + sign * sats;
  }
}

/** The last bucket that begins at the rate or below. */
function bucketOf(satPerVb: number): number {
  let [low, high] = [0, BUCKET_BOUNDS.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((BUCKET_BOUNDS[middle] ?? 0) <= satPerVb) low = middle;
    else high = middle - 1;
  }
  return low;
}

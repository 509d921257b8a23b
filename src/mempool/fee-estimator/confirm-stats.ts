/**
 * How long transactions of each bucket took to be confirmed, over one horizon (Core's TxConfirmStats).
 * Averages decay with every block; what is in the mempool now is counted apart and not kept on disk.
 * Invariant: tables hold one row of `buckets.length` numbers a period (averages) or a block (unconfirmed).
 */
import { assert } from '#util';
import type { HorizonFigures } from './horizons.ts';

/** What is kept on disk. Sums of all blocks so far, each weighted by decay^age. */
export type Averages = Pick<HorizonFigures, 'periods' | 'scale' | 'decay'> & {
  /** By bucket: sum of fee rates, and number, of confirmed transactions. */
  readonly feeRateSum: Float64Array;
  readonly txCount: Float64Array;
  /** By period and bucket: confirmed within so many periods; left the mempool unconfirmed after so many. */
  readonly confirmed: Float64Array;
  readonly failed: Float64Array;
};

export function emptyAverages(figures: HorizonFigures, bucketCount: number): Averages {
  const { periods, scale, decay } = figures;
  return {
    periods,
    scale,
    decay,
    feeRateSum: new Float64Array(bucketCount),
    txCount: new Float64Array(bucketCount),
    confirmed: new Float64Array(periods * bucketCount),
    failed: new Float64Array(periods * bucketCount),
  };
}

export class ConfirmStats {
  readonly averages: Averages;
  readonly bucketCount: number;
  /** The highest target that is tracked, blocks (GetMaxConfirms). */
  readonly maxConfirms: number;
  /** Transactions in the mempool by the height at which they entered (a ring of `maxConfirms`) and bucket. */
  readonly #unconfirmed: Int32Array;
  /** Those that have been there for longer. */
  readonly #oldUnconfirmed: Int32Array;
  /** False while all averages are 0: nothing to decay, as all through the first sync. */
  #hasData: boolean;

  constructor(averages: Averages) {
    this.averages = averages;
    this.bucketCount = averages.txCount.length;
    this.maxConfirms = averages.scale * averages.periods;
    this.#unconfirmed = new Int32Array(this.maxConfirms * this.bucketCount);
    this.#oldUnconfirmed = new Int32Array(this.bucketCount);
    const { feeRateSum, txCount, confirmed, failed } = averages;
    const isFilled = (table: Float64Array): boolean => table.some((value) => value !== 0);
    this.#hasData = [feeRateSum, txCount, confirmed, failed].some(isFilled);
  }

  /** A block came: the row that its height takes over belongs to the old ones now (ClearCurrent). */
  rollUnconfirmed(height: number): void {
    const row = this.#row(height);
    for (let bucket = 0; bucket < this.bucketCount; bucket++) {
      add(this.#oldUnconfirmed, bucket, this.#unconfirmed[row + bucket] ?? 0);
      this.#unconfirmed[row + bucket] = 0;
    }
  }

  /** UpdateMovingAverages. */
  decay(): void {
    if (!this.#hasData) return;
    const { decay, feeRateSum, txCount, confirmed, failed } = this.averages;
    for (const table of [feeRateSum, txCount, confirmed, failed]) {
      for (let at = 0; at < table.length; at++) table[at] = (table[at] ?? 0) * decay;
    }
  }

  /** A transaction was confirmed by the block `blocks` (at least 1) after the tip that it met (Record). */
  recordConfirmed(bucket: number, blocks: number, feeRate: number): void {
    const { scale, periods, feeRateSum, txCount, confirmed } = this.averages;
    for (let period = Math.ceil(blocks / scale); period <= periods; period++) {
      add(confirmed, (period - 1) * this.bucketCount + bucket, 1);
    }
    this.#hasData = true;
    add(txCount, bucket, 1);
    add(feeRateSum, bucket, feeRate);
  }

  /** NewTx. */
  entered(bucket: number, height: number): void {
    add(this.#unconfirmed, this.#row(height) + bucket, 1);
  }

  /** A transaction is no longer in the mempool; unless a block took it, that is a failure (removeTx). */
  left(bucket: number, entryHeight: number, bestSeenHeight: number, inBlock: boolean): void {
    // Before the first block nothing has an age.
    const age = bestSeenHeight === 0 ? 0 : bestSeenHeight - entryHeight;
    assert(age >= 0, 'nothing is tracked from above the best seen height');
    if (age >= this.maxConfirms) takeOne(this.#oldUnconfirmed, bucket);
    else takeOne(this.#unconfirmed, this.#row(entryHeight) + bucket);
    if (inBlock) return;
    const { scale, periods, failed } = this.averages;
    // It failed for the periods that it has been there in full.
    const periodsAgo = Math.min(Math.floor(age / scale), periods);
    this.#hasData ||= periodsAgo > 0;
    for (let period = 0; period < periodsAgo; period++) add(failed, period * this.bucketCount + bucket, 1);
  }

  /** Transactions of a bucket that have been in the mempool for `target` blocks or longer. */
  unconfirmedFor(bucket: number, target: number, height: number): number {
    let count = this.#oldUnconfirmed[bucket] ?? 0;
    for (let age = target; age < this.maxConfirms; age++) {
      count += this.#unconfirmed[this.#row(height - age) + bucket] ?? 0;
    }
    return count;
  }

  /** Below zero as in Core, whose heights are unsigned 32-bit numbers. */
  #row(height: number): number {
    return ((height >>> 0) % this.maxConfirms) * this.bucketCount;
  }
}

function add(table: Float64Array | Int32Array, at: number, by: number): void {
  table[at] = (table[at] ?? 0) + by;
}

/** Never below zero: a counter starts anew with the file while the mempool may know older transactions. */
function takeOne(table: Int32Array, at: number): void {
  if ((table[at] ?? 0) > 0) add(table, at, -1);
}

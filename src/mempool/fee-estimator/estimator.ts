/**
 * Which fee rate gets a transaction confirmed within a number of blocks: Core 27's CBlockPolicyEstimator. It learns
 * from transactions that it saw enter the mempool and from the blocks that confirmed them, and never from blocks alone:
 * miners cannot raise its estimates with transactions that nobody else saw.
 * Invariants: all horizons share the buckets; a tracked transaction entered at or below the best seen height.
 */
import type { Sats, Txid } from '#primitives';
import { satPerKvb } from '../fee-rate.ts';
import { bucketOf, defaultBuckets } from './buckets.ts';
import { ConfirmStats, emptyAverages } from './confirm-stats.ts';
import type { MedianEstimate } from './estimate-median.ts';
import { decodeFeeEstimates, encodeFeeEstimates, type FeeEstimates } from './file-format.ts';
import { DOUBLE_SUCCESS, HORIZONS, type Horizon, OLDEST_ESTIMATE_HISTORY } from './horizons.ts';
import { type EstimateMode, estimateHorizon, type FeeReason, type HorizonStats, smartFee } from './smart-fee.ts';

/** A transaction that entered the mempool. */
export type EnteredTx = {
  readonly txid: Txid;
  readonly fee: Sats;
  readonly vsize: number;
  /** Of the tip that it met. */
  readonly height: number;
  /** Whether its confirmation will say something about its fee rate. */
  readonly isValidForEstimates: boolean;
};

export type ConfirmedTx = Pick<EnteredTx, 'txid' | 'fee' | 'vsize'>;

export type RawFee = MedianEstimate & {
  /** Whole satoshis per 1000 vbytes; 0 when there is no estimate. */
  readonly feePerKvb: number;
  readonly decay: number;
  readonly scale: number;
};

export type SmartFeeAnswer = {
  /** Whole satoshis per 1000 vbytes; 0 when there is no estimate. */
  readonly feePerKvb: number;
  /** The target that the answer holds for: lower than asked for when the history is short. */
  readonly returnedTarget: number;
  readonly reason: FeeReason | undefined;
};

type Tracked = { readonly height: number; readonly bucket: number };

const ALL: readonly Horizon[] = ['short', 'medium', 'long'];

export class FeeEstimator {
  #buckets = defaultBuckets();
  #stats: Readonly<Record<Horizon, ConfirmStats>>;
  readonly #tracked = new Map<Txid, Tracked>();
  #bestSeenHeight = 0;
  /** Where this run's counting began; 0 until a block confirmed something tracked. */
  #firstRecordedHeight = 0;
  /** What the file's averages are made of. */
  #historicalFirst = 0;
  #historicalBest = 0;

  constructor() {
    const make = (horizon: Horizon): ConfirmStats =>
      new ConfirmStats(emptyAverages(HORIZONS[horizon], this.#buckets.length));
    this.#stats = { short: make('short'), medium: make('medium'), long: make('long') };
  }

  get bestSeenHeight(): number {
    return this.#bestSeenHeight;
  }

  /** Transactions that are waited for. */
  get trackedCount(): number {
    return this.#tracked.size;
  }

  processTransaction(tx: EnteredTx): void {
    // At another height than the last block's the chain is moving: the next block puts that right.
    if (this.#tracked.has(tx.txid) || tx.height !== this.#bestSeenHeight || !tx.isValidForEstimates) return;
    const bucket = bucketOf(this.#buckets, Number(satPerKvb(tx.fee, tx.vsize)));
    for (const horizon of ALL) this.#stats[horizon].entered(bucket, tx.height);
    this.#tracked.set(tx.txid, { height: tx.height, bucket });
  }

  /** A transaction left the mempool, and not for a block. */
  removeTx(txid: Txid): void {
    this.#untrack(txid, false);
  }

  /** A block was connected; `confirmed`: what was in the mempool of it, in the block's order. */
  processBlock(height: number, confirmed: readonly ConfirmedTx[]): void {
    // Side chains say nothing about fees; a transaction may count twice in a reorganisation of one block.
    if (height <= this.#bestSeenHeight) return;
    this.#bestSeenHeight = height;
    for (const horizon of ALL) {
      this.#stats[horizon].rollUnconfirmed(height);
      this.#stats[horizon].decay();
    }
    let counted = 0;
    for (const tx of confirmed) counted += this.#confirm(height, tx) ? 1 : 0;
    if (this.#firstRecordedHeight === 0 && counted > 0) this.#firstRecordedHeight = height;
  }

  /** The medium horizon's estimate at 95%; 0 when there is none. Core's estimateFee. */
  estimateFee(target: number): number {
    // Nobody can tell for the very next block.
    return target <= 1 ? 0 : (this.estimateRawFee(target, DOUBLE_SUCCESS, 'medium')?.feePerKvb ?? 0);
  }

  /** One horizon's estimate; undefined for a target it does not track, or a threshold above 1. */
  estimateRawFee(target: number, threshold: number, horizon: Horizon): RawFee | undefined {
    const { averages, maxConfirms } = this.#stats[horizon];
    if (target <= 0 || target > maxConfirms || threshold > 1) return undefined;
    const median = estimateHorizon(this.#all(), horizon, target, threshold);
    return { ...median, feePerKvb: wholeFee(median.feeRate), decay: averages.decay, scale: averages.scale };
  }

  estimateSmartFee(target: number, mode: EstimateMode): SmartFeeAnswer {
    const none = (returnedTarget: number): SmartFeeAnswer => ({ feePerKvb: 0, returnedTarget, reason: undefined });
    if (target <= 0 || target > this.highestTargetTracked('long')) return none(target);
    const usable = Math.min(Math.max(target, 2), this.#maxUsableTarget());
    if (usable <= 1) return none(usable);
    const { feeRate, reason } = smartFee(this.#all(), usable, mode);
    return { feePerKvb: wholeFee(feeRate), returnedTarget: usable, reason };
  }

  highestTargetTracked(horizon: Horizon): number {
    return this.#stats[horizon].maxConfirms;
  }

  /** At the end: what is still waited for has failed to be confirmed so far (FlushUnconfirmed). */
  flushUnconfirmed(): void {
    for (const txid of this.#tracked.keys()) this.#untrack(txid, false);
  }

  /** What Core keeps in fee_estimates.dat. */
  encode(): Uint8Array {
    const ownSpanCounts = this.#blockSpan() > Math.floor(this.#historicalBlockSpan() / 2);
    return encodeFeeEstimates({
      bestSeenHeight: this.#bestSeenHeight,
      historicalFirst: ownSpanCounts ? this.#firstRecordedHeight : this.#historicalFirst,
      historicalBest: ownSpanCounts ? this.#bestSeenHeight : this.#historicalBest,
      buckets: this.#buckets,
      medium: this.#stats.medium.averages,
      short: this.#stats.short.averages,
      long: this.#stats.long.averages,
    });
  }

  /** Replaces everything by a file's content. Throws DecodeError, and changes nothing then. */
  load(bytes: Uint8Array): void {
    const file: FeeEstimates = decodeFeeEstimates(bytes);
    this.#buckets = file.buckets;
    this.#stats = {
      short: new ConfirmStats(file.short),
      medium: new ConfirmStats(file.medium),
      long: new ConfirmStats(file.long),
    };
    this.#tracked.clear();
    this.#bestSeenHeight = file.bestSeenHeight;
    this.#firstRecordedHeight = 0;
    this.#historicalFirst = file.historicalFirst;
    this.#historicalBest = file.historicalBest;
  }

  #all(): HorizonStats {
    return { buckets: this.#buckets, stats: this.#stats, height: this.#bestSeenHeight };
  }

  #confirm(height: number, { txid, fee, vsize }: ConfirmedTx): boolean {
    const tracked = this.#untrack(txid, true);
    if (tracked === undefined) return false;
    const blocks = height - tracked.height;
    if (blocks <= 0) return false;
    for (const horizon of ALL) {
      this.#stats[horizon].recordConfirmed(tracked.bucket, blocks, Number(satPerKvb(fee, vsize)));
    }
    return true;
  }

  #untrack(txid: Txid, inBlock: boolean): Tracked | undefined {
    const tracked = this.#tracked.get(txid);
    if (tracked === undefined) return undefined;
    this.#tracked.delete(txid);
    for (const horizon of ALL) {
      this.#stats[horizon].left(tracked.bucket, tracked.height, this.#bestSeenHeight, inBlock);
    }
    return tracked;
  }

  /** Half of the span seen, so that there is time enough for failures to show (MaxUsableEstimate). */
  #maxUsableTarget(): number {
    const span = Math.max(this.#blockSpan(), this.#historicalBlockSpan());
    return Math.min(this.highestTargetTracked('long'), Math.floor(span / 2));
  }

  #blockSpan(): number {
    return this.#firstRecordedHeight === 0 ? 0 : this.#bestSeenHeight - this.#firstRecordedHeight;
  }

  #historicalBlockSpan(): number {
    if (this.#historicalFirst === 0) return 0;
    if (this.#bestSeenHeight - this.#historicalBest > OLDEST_ESTIMATE_HISTORY) return 0;
    return this.#historicalBest - this.#historicalFirst;
  }
}

function wholeFee(feeRate: number): number {
  return feeRate < 0 ? 0 : Math.round(feeRate);
}

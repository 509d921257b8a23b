/** The figures of Core 27's CBlockPolicyEstimator (policy/fees.h). Targets and heights are in blocks. */

/** How far back an estimate looks: half-lives of 18, 144 and 1008 blocks. */
export type Horizon = 'short' | 'medium' | 'long';

export type HorizonFigures = {
  /** Confirmations are counted in this many periods of `scale` blocks each. */
  readonly periods: number;
  readonly scale: number;
  /** What is left of every average after one more block. */
  readonly decay: number;
  /** Transactions a block, on average, that make a range of buckets worth a judgement. */
  readonly sufficientTxs: number;
};

export const HORIZONS: Readonly<Record<Horizon, HorizonFigures>> = {
  short: { periods: 12, scale: 1, decay: 0.962, sufficientTxs: 0.5 },
  medium: { periods: 24, scale: 2, decay: 0.9952, sufficientTxs: 0.1 },
  long: { periods: 42, scale: 24, decay: 0.99931, sufficientTxs: 0.1 },
};

/** What part of the transactions must have been confirmed within half the target, the target, and twice the target. */
export const HALF_SUCCESS = 0.6;
export const SUCCESS = 0.85;
export const DOUBLE_SUCCESS = 0.95;

/** History of a file is not believed for targets once it is this old (OLDEST_ESTIMATE_HISTORY). */
export const OLDEST_ESTIMATE_HISTORY = 6 * 1008;

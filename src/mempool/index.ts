export {
  type BlockTemplate,
  blockOf,
  createBlockTemplate,
  selectForTip,
} from './block-template.ts';
export { withReservedValue } from './coinbase.ts';
export type { RawFee } from './fee-estimator/estimator.ts';
export { MAX_FEE_ESTIMATES_BYTES } from './fee-estimator/file-format.ts';
export type { Horizon } from './fee-estimator/horizons.ts';
export type { EstimateMode } from './fee-estimator/smart-fee.ts';
export { createMempool } from './mempool.ts';
export { checkMempoolOptions, DEFAULT_MEMPOOL_OPTIONS, type MempoolOptions } from './options.ts';
export { type PackageHash, packageHash } from './package-rules.ts';
export * as payer from './payer.ts';
export { STANDARD_SCRIPT_FLAGS, virtualSize } from './policy.ts';
export { outpointKey, packageTotals, withAncestors, withDescendants } from './pool.ts';
export { feeRate, type MempoolEntry } from './pool-entry.ts';
export type {
  DryRun,
  LoadCounts,
  LoadOptions,
  Mempool,
  MempoolVerdict,
  PackageVerdict,
} from './port.ts';
export { signalsBip125 } from './replacement.ts';

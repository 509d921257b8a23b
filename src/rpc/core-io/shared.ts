/** What other modules answer in Core's form: the part of this folder that leaves the module, as `coreIo`. */
export { initialDownload } from '../initial-download.ts';
export { blockJson, difficultyOf, workHex } from './block-json.ts';
export { blockStats } from './block-stats.ts';
export { DEFAULT_HASH_RATE_BLOCKS, networkHashesPerSecond } from './network-hash-rate.ts';
export { servicesNames } from './services.ts';
export { pooledTransaction } from './spent-outputs.ts';
export { feeOf, txJson } from './tx-json.ts';

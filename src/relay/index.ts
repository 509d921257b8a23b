export type { TxRef } from './names.ts';
export { TxDownload, type TxFate, type TxPackage } from './tx-download.ts';
export type { TxBatch } from './tx-request-tracker.ts';

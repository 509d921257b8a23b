export { type BlockFiles, createBlockFiles } from './block-files.ts';
export { readBlockFile, readBlockHeaders, type ScanItem } from './block-scan.ts';
export { HeaderIntake, type HeaderOutcome } from './header-intake.ts';
export { antiDosWorkThreshold } from './low-work.ts';
export { COINS_STORE_CACHE_BYTES, networkDirectory, type OpenChainOptions, openChain } from './open-chain.ts';
export type {
  BlockVerdict,
  Chain,
  ChainChange,
  ChainControl,
  ChainObserver,
  ChainReader,
  Coin,
  CoinScan,
  ConnectedBlock,
  HeaderEntry,
  HeadersVerdict,
  OpenProgress,
  OutPoint,
  UtxoStats,
} from './port.ts';
export { MANUAL_PRUNE_BYTES } from './pruner.ts';
export type { ReindexKind } from './repair.ts';
export { bogoSize, serializeUtxo } from './utxo-hash.ts';

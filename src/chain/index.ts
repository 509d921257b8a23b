export type {
  BlockVerdict,
  Chain,
  ChainChange,
  ChainObserver,
  ChainReader,
  Coin,
  ConnectedBlock,
  HeaderEntry,
  HeadersVerdict,
  OutPoint,
  UtxoStats,
} from './port.ts';

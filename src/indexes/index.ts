export { checkSelection, openIndexes, type RunningIndexes } from './indexes.ts';
export type {
  BlockFilter,
  BlockInfo,
  CoinStats,
  IndexedTransaction,
  Indexes,
  IndexInfo,
  IndexSelection,
} from './port.ts';

export { Block } from './block.ts';
export { BLOCK_HEADER_BYTES, BlockHeader, type BlockHeaderFields } from './block-header.ts';
export {
  type BlockHash,
  blockHashFromBytes,
  idToBytes,
  MAX_MONEY,
  parseBlockHash,
  parseTxid,
  type Sats,
  type Txid,
  txidFromBytes,
  type Wtxid,
  wtxidFromBytes,
} from './ids.ts';
export { formatCoins, formatMoney } from './money.ts';
export { PackedTransaction } from './packed-transaction.ts';
export { DecodeError, Reader } from './reader.ts';
export {
  isNullOutpoint,
  readTxOutput,
  Transaction,
  type TransactionFields,
  type TxInput,
  type TxOutput,
  txOutputSize,
  writeTxOutput,
} from './transaction.ts';
export { compactSizeLength, Writer } from './writer.ts';

/**
 * `blocktxn/1`: the transactions at some places of a block, all in one frame. The request is BIP152's
 * BlockTransactionsRequest, places as distances; the answer is BlockTransactions without the hash, which the stream knows.
 */
import {
  type BlockHash,
  blockHashFromBytes,
  compactSizeLength,
  DecodeError,
  idToBytes,
  Reader,
  Transaction,
  Writer,
} from '#primitives';
import { assert } from '#util';
import type { Codec } from '../rows.ts';
import { MAX_BLOCK_BYTES } from './blocks.ts';
import { MAX_BLOCK_TRANSACTIONS } from './compact-block.ts';
import { readCount } from './headers.ts';

/** All places: one byte each. Wider distances skip more places than they take bytes. */
export const MAX_BLOCK_TXS_REQUEST_BYTES = 32 + compactSizeLength(MAX_BLOCK_TRANSACTIONS) + MAX_BLOCK_TRANSACTIONS;
/** A count and transactions are no longer than the block that holds them. */
export const MAX_BLOCK_TXS_BYTES = MAX_BLOCK_BYTES;

/** Version, two counts, lock time. */
const MIN_TRANSACTION_BYTES = 10;

export type BlockTxsRequest = {
  readonly hash: BlockHash;
  /** Places in the block, ascending; at least one. */
  readonly indexes: readonly number[];
};

export const blockTxsRequest: Codec<BlockTxsRequest> = {
  encode({ hash, indexes }) {
    const { length } = indexes;
    assert(length >= 1 && length <= MAX_BLOCK_TRANSACTIONS, `${length} transactions of a block asked`);
    const writer = new Writer(32 + 3 + length).bytes(idToBytes(hash)).compactSize(length);
    let next = 0;
    for (const index of indexes) {
      assert(index >= next && index < MAX_BLOCK_TRANSACTIONS, `place ${index} asked behind ${next - 1}`);
      writer.compactSize(index - next);
      next = index + 1;
    }
    return writer.finish();
  },

  decode(bytes) {
    const reader = new Reader(bytes);
    const hash = blockHashFromBytes(reader.take(32));
    const count = readCount(reader, MAX_BLOCK_TRANSACTIONS, 1);
    if (count === 0) throw new DecodeError('nothing asked', reader.offset);
    const indexes: number[] = [];
    let next = 0;
    for (let i = 0; i < count; i++) {
      // A compact size is at most 2^25, and the sum is checked at each step: it cannot overflow.
      const index = next + reader.compactSize();
      if (index >= MAX_BLOCK_TRANSACTIONS) throw new DecodeError(`place ${index} in a block`, reader.offset);
      indexes.push(index);
      next = index + 1;
    }
    reader.end();
    return { hash, indexes };
  },
};

/** In the order asked. */
export const blockTxsResponse: Codec<readonly Transaction[]> = {
  encode(transactions) {
    const writer = new Writer(transactions.reduce((sum, tx) => sum + tx.size, 3)).compactSize(transactions.length);
    for (const tx of transactions) writer.bytes(tx.raw);
    return writer.finish();
  },

  decode(bytes) {
    if (bytes.length > MAX_BLOCK_TXS_BYTES) throw new DecodeError('a message too long', MAX_BLOCK_TXS_BYTES);
    const reader = new Reader(bytes);
    const count = readCount(reader, MAX_BLOCK_TRANSACTIONS, MIN_TRANSACTION_BYTES);
    const transactions: Transaction[] = [];
    for (let i = 0; i < count; i++) transactions.push(Transaction.read(reader));
    reader.end();
    return transactions;
  },
};

/** A block: header and transactions, as views of the bytes it came in. */
import { BLOCK_HEADER_BYTES, BlockHeader } from './block-header.ts';
import type { BlockHash } from './ids.ts';
import { Reader } from './reader.ts';
import { Transaction } from './transaction.ts';
import { compactSizeLength, Writer } from './writer.ts';

/** Bytes of the smallest transaction: version, two counts, lock time. */
const MIN_TRANSACTION_BYTES = 10;

export class Block {
  /** The bytes as received; kept, not copied, and must not change. */
  readonly raw: Uint8Array;
  readonly header: BlockHeader;
  #transactions: readonly Transaction[] | undefined;

  /** Decodes the header only. Throws DecodeError when it is cut short. */
  constructor(raw: Uint8Array) {
    this.raw = raw;
    this.header = new BlockHeader(raw.subarray(0, BLOCK_HEADER_BYTES));
  }

  /** Decodes the whole block at once; throws DecodeError, also for bytes left over. */
  static fromBytes(raw: Uint8Array): Block {
    const block = new Block(raw);
    block.#decode();
    return block;
  }

  static fromParts(header: BlockHeader, transactions: readonly Pick<Transaction, 'raw' | 'size'>[]): Block {
    const writer = new Writer(BLOCK_HEADER_BYTES + 9 + transactions.reduce((sum, tx) => sum + tx.size, 0));
    writer.bytes(header.raw).compactSize(transactions.length);
    for (const tx of transactions) writer.bytes(tx.raw);
    return new Block(writer.finish());
  }

  get hash(): BlockHash {
    return this.header.hash;
  }

  /** Decoded at the first use; throws DecodeError. */
  get transactions(): readonly Transaction[] {
    return this.#decode();
  }

  /** Serialised bytes with witness. */
  get size(): number {
    return this.raw.length;
  }

  /** Serialised bytes without witness. */
  get strippedSize(): number {
    const count = this.transactions.length;
    return this.transactions.reduce((sum, tx) => sum + tx.strippedSize, BLOCK_HEADER_BYTES + compactSizeLength(count));
  }

  /** BIP141: three times the stripped size plus the full size. */
  get weight(): number {
    return this.strippedSize * 3 + this.size;
  }

  #decode(): readonly Transaction[] {
    this.#transactions ??= readTransactions(this.raw);
    return this.#transactions;
  }
}

function readTransactions(raw: Uint8Array): Transaction[] {
  const reader = new Reader(raw, BLOCK_HEADER_BYTES);
  const count = reader.count(MIN_TRANSACTION_BYTES);
  const transactions: Transaction[] = [];
  for (let i = 0; i < count; i++) transactions.push(Transaction.read(reader));
  reader.end();
  return transactions;
}

/**
 * Topic `block/1` and the answer of `compact/1`: a compact block, laid out as BIP152's HeaderAndShortIDs of version 2
 * (short ids of wtxids). Without ids and prefilled transactions it is a bare header: gossip carries no more of any but
 * small blocks, and whoever wants it asks one peer for the rest.
 * A decoded CompactBlock is well-formed: every transaction of the block has exactly one place in it.
 */
import {
  BLOCK_HEADER_BYTES,
  type BlockHash,
  BlockHeader,
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

export const MAX_COMPACT_BLOCK_BYTES = 256 * 1024;
export const COMPACT_REQUEST_BYTES = 32;
export const SHORT_ID_BYTES = 6;

/**
 * Core's MAX_BLOCK_WEIGHT / MIN_TRANSACTION_WEIGHT (4,000,000 / 240): no valid block has more transactions. Tighter
 * than Core's own bound here (65,535 by the width of an index), which leaves the rest to block validation.
 */
export const MAX_BLOCK_TRANSACTIONS = 16_666;

/** Bytes of the smallest prefilled entry: index and transaction (version, two counts, lock time). */
const MIN_PREFILLED_BYTES = 1 + 10;

export type PrefilledTransaction = {
  /** Position in the block (on the wire: the distance from the one before). */
  readonly index: number;
  readonly tx: Transaction;
};

export type CompactBlock = {
  readonly header: BlockHeader;
  /** Salt of the short ids, chosen by the sender. */
  readonly nonce: bigint;
  /** 6 bytes for each transaction that is not prefilled, in block order. */
  readonly shortIds: Uint8Array;
  /** Ascending by index. */
  readonly prefilled: readonly PrefilledTransaction[];
};

/** Transactions of the announced block; 0 when only the header came. */
export function compactTransactionCount(compact: CompactBlock): number {
  return compact.shortIds.length / SHORT_ID_BYTES + compact.prefilled.length;
}

/**
 * The announcement of a block that is to be asked for. One nonce for all, so that gossip sees one message whoever sends
 * it; `nonce` is given where that message was seen too early to be passed on.
 */
export function bareHeader(header: BlockHeader, nonce = 0n): CompactBlock {
  return { header, nonce, shortIds: new Uint8Array(0), prefilled: [] };
}

/** `compact/1`: the hash of the block. */
export const compactRequest: Codec<BlockHash> = {
  encode: (hash) => idToBytes(hash),
  decode(bytes) {
    const reader = new Reader(bytes);
    const hash = blockHashFromBytes(reader.take(COMPACT_REQUEST_BYTES));
    reader.end();
    return hash;
  },
};

export const compactBlock: Codec<CompactBlock> = {
  encode(compact) {
    const problem = structureProblem(compact);
    assert(problem === undefined, `compact block: ${problem}`);
    const writer = new Writer(compactBlockSize(compact)).bytes(compact.header.raw).u64(compact.nonce);
    writer.compactSize(compact.shortIds.length / SHORT_ID_BYTES).bytes(compact.shortIds);
    writer.compactSize(compact.prefilled.length);
    let next = 0;
    for (const { index, tx } of compact.prefilled) {
      writer.compactSize(index - next).bytes(tx.raw);
      next = index + 1;
    }
    return writer.finish();
  },

  decode(bytes) {
    if (bytes.length > MAX_COMPACT_BLOCK_BYTES) throw new DecodeError('a message too long', MAX_COMPACT_BLOCK_BYTES);
    const reader = new Reader(bytes);
    const header = new BlockHeader(reader.take(BLOCK_HEADER_BYTES));
    const nonce = reader.u64();
    const shortIds = reader.take(reader.count(SHORT_ID_BYTES) * SHORT_ID_BYTES);
    const prefilled = readPrefilled(reader);
    reader.end();
    const compact = { header, nonce, shortIds, prefilled };
    const problem = structureProblem(compact);
    if (problem !== undefined) throw new DecodeError(problem, reader.offset);
    return compact;
  },
};

/** Bytes on the wire. */
export function compactBlockSize({ shortIds, prefilled }: Pick<CompactBlock, 'shortIds' | 'prefilled'>): number {
  let size = BLOCK_HEADER_BYTES + 8 + compactSizeLength(shortIds.length / SHORT_ID_BYTES) + shortIds.length;
  size += compactSizeLength(prefilled.length);
  let next = 0;
  for (const { index, tx } of prefilled) {
    size += compactSizeLength(index - next) + tx.size;
    next = index + 1;
  }
  return size;
}

function readPrefilled(reader: Reader): PrefilledTransaction[] {
  const at = reader.offset;
  const count = reader.count(MIN_PREFILLED_BYTES);
  if (count > MAX_BLOCK_TRANSACTIONS) throw new DecodeError(`${count} prefilled transactions`, at);
  const prefilled: PrefilledTransaction[] = [];
  let next = 0;
  for (let i = 0; i < count; i++) {
    const index = next + reader.compactSize();
    prefilled.push({ index, tx: Transaction.read(reader) });
    next = index + 1;
  }
  return prefilled;
}

/** The structural checks of Core's PartiallyDownloadedBlock::InitData; undefined when all hold. */
export function structureProblem(compact: CompactBlock): string | undefined {
  const { shortIds, prefilled } = compact;
  if (shortIds.length % SHORT_ID_BYTES !== 0) return 'short ids are cut';
  const idCount = shortIds.length / SHORT_ID_BYTES;
  if (idCount + prefilled.length > MAX_BLOCK_TRANSACTIONS) return 'more transactions than a block can hold';
  let last = -1;
  for (const [i, { index, tx }] of prefilled.entries()) {
    if (index <= last) return 'prefilled indexes do not ascend';
    // Beyond all ids and the prefilled ones before it, so there would be a place with neither.
    if (index > idCount + i) return 'a prefilled index leaves a gap';
    if (tx.inputs.length === 0 && tx.outputs.length === 0) return 'a prefilled transaction is empty';
    last = index;
  }
  return undefined;
}

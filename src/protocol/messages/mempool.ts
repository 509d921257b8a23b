/** `mempool/1`: what a mempool holds, as entries in the order of arrival: parents first, unless a reorganisation brought them back. */
import { compactSizeLength, DecodeError, Reader, Writer } from '#primitives';
import { assert } from '#util';
import type { Codec } from '../rows.ts';
import { readCount } from './headers.ts';
import { readTxEntry, TX_ENTRY_BYTES, type TxEntry, writeTxEntry } from './tx-entry.ts';

export const MEMPOOL_REQUEST_BYTES = 8 + 4;
/** Entries of one frame, and frames of one answer. */
export const MAX_MEMPOOL_FRAME_ENTRIES = 1000;
export const MAX_MEMPOOL_FRAMES = 10;
export const MAX_MEMPOOL_FRAME_BYTES =
  compactSizeLength(MAX_MEMPOOL_FRAME_ENTRIES) + MAX_MEMPOOL_FRAME_ENTRIES * TX_ENTRY_BYTES;

export type MempoolRequest = {
  /** Only what pays at least so much, sat per 1000 vbytes. */
  readonly minFeeSatPerKvb: bigint;
  /** So many of them were listed before: the answer begins behind. */
  readonly skip: number;
};

export const mempoolRequest: Codec<MempoolRequest> = {
  encode: ({ minFeeSatPerKvb, skip }) => new Writer(MEMPOOL_REQUEST_BYTES).u64(minFeeSatPerKvb).u32(skip).finish(),
  decode(bytes) {
    const reader = new Reader(bytes);
    const minFeeSatPerKvb = reader.u64();
    const skip = reader.u32();
    reader.end();
    return { minFeeSatPerKvb, skip };
  },
};

/** 1 to 1000 entries. */
export const mempoolResponse: Codec<readonly TxEntry[]> = {
  encode(entries) {
    assert(entries.length >= 1 && entries.length <= MAX_MEMPOOL_FRAME_ENTRIES, `${entries.length} entries`);
    const writer = new Writer(compactSizeLength(entries.length) + entries.length * TX_ENTRY_BYTES);
    writer.compactSize(entries.length);
    for (const entry of entries) writeTxEntry(writer, entry);
    return writer.finish();
  },
  decode(bytes) {
    const reader = new Reader(bytes);
    const count = readCount(reader, MAX_MEMPOOL_FRAME_ENTRIES, TX_ENTRY_BYTES);
    if (count === 0) throw new DecodeError('an empty list', 0);
    const entries: TxEntry[] = [];
    for (let i = 0; i < count; i++) entries.push(readTxEntry(reader));
    reader.end();
    return entries;
  },
};

/** `headers/1`: headers that follow the newest block of a locator which both sides know (Core's getheaders). */
import {
  BLOCK_HEADER_BYTES,
  type BlockHash,
  BlockHeader,
  blockHashFromBytes,
  compactSizeLength,
  DecodeError,
  idToBytes,
  Reader,
  Writer,
} from '#primitives';
import { assert } from '#util';
import type { Codec } from '../rows.ts';

/** Core's MAX_LOCATOR_SZ. */
const MAX_LOCATOR_HASHES = 101;
/** Core's MAX_HEADERS_RESULTS: a full answer means that there may be more. */
const MAX_HEADERS = 2000;
export const MAX_HEADERS_REQUEST_BYTES = compactSizeLength(MAX_LOCATOR_HASHES) + (MAX_LOCATOR_HASHES + 1) * 32;
export const MAX_HEADERS_RESPONSE_BYTES = compactSizeLength(MAX_HEADERS) + MAX_HEADERS * BLOCK_HEADER_BYTES;

export type HeadersRequest = {
  /** From the sender's tip back to genesis with growing steps. Empty: only the header of `stopHash` is wanted. */
  readonly locator: readonly BlockHash[];
  /** The last header wanted; undefined: as many as fit (32 zero bytes on the wire). */
  readonly stopHash: BlockHash | undefined;
};

export const headersRequest: Codec<HeadersRequest> = {
  encode({ locator, stopHash }) {
    assert(locator.length <= MAX_LOCATOR_HASHES, `a locator of ${locator.length} hashes`);
    const writer = new Writer(MAX_HEADERS_REQUEST_BYTES).compactSize(locator.length);
    for (const hash of locator) writer.bytes(idToBytes(hash));
    return writer.bytes(stopHash === undefined ? new Uint8Array(32) : idToBytes(stopHash)).finish();
  },

  decode(bytes) {
    const reader = new Reader(bytes);
    const count = readCount(reader, MAX_LOCATOR_HASHES, 32);
    const locator: BlockHash[] = [];
    for (let i = 0; i < count; i++) locator.push(blockHashFromBytes(reader.take(32)));
    const stop = reader.take(32);
    reader.end();
    return { locator, stopHash: stop.every((byte) => byte === 0) ? undefined : blockHashFromBytes(stop) };
  },
};

/** In chain order; each is the child of the one before (the reader checks that). */
export const headersResponse: Codec<readonly BlockHeader[]> = {
  encode(headers) {
    assert(headers.length <= MAX_HEADERS, `${headers.length} headers`);
    const writer = new Writer(compactSizeLength(headers.length) + headers.length * BLOCK_HEADER_BYTES);
    writer.compactSize(headers.length);
    for (const header of headers) writer.bytes(header.raw);
    return writer.finish();
  },

  decode(bytes) {
    const reader = new Reader(bytes);
    const count = readCount(reader, MAX_HEADERS, BLOCK_HEADER_BYTES);
    const headers: BlockHeader[] = [];
    for (let i = 0; i < count; i++) headers.push(new BlockHeader(reader.take(BLOCK_HEADER_BYTES)));
    reader.end();
    return headers;
  },
};

/** A count of items of `itemBytes` each: refused above `max`, or when the bytes cannot hold it, before any allocation. */
export function readCount(reader: Reader, max: number, itemBytes: number): number {
  const at = reader.offset;
  const count = reader.count(itemBytes);
  if (count > max) throw new DecodeError(`${count} items, at most ${max} allowed`, at);
  return count;
}

/** `blocks/1`: whole blocks by hash, one frame a block. A server sends stored bytes as they are. */
import {
  Block,
  type BlockHash,
  blockHashFromBytes,
  compactSizeLength,
  DecodeError,
  idToBytes,
  Reader,
  Writer,
} from '#primitives';
import { assert } from '#util';
import type { Codec } from '../rows.ts';
import { readCount } from './headers.ts';

export const MAX_BLOCKS_REQUESTED = 128;
export const MAX_BLOCKS_REQUEST_BYTES = compactSizeLength(MAX_BLOCKS_REQUESTED) + MAX_BLOCKS_REQUESTED * 32;
/** Core's MAX_BLOCK_SERIALIZED_SIZE. */
export const MAX_BLOCK_BYTES = 4_000_000;

/** 1 to 128 hashes; answered in this order. */
export const blocksRequest: Codec<readonly BlockHash[]> = {
  encode(hashes) {
    assert(hashes.length >= 1 && hashes.length <= MAX_BLOCKS_REQUESTED, `${hashes.length} blocks asked`);
    const writer = new Writer(3 + hashes.length * 32).compactSize(hashes.length);
    for (const hash of hashes) writer.bytes(idToBytes(hash));
    return writer.finish();
  },

  decode(bytes) {
    const reader = new Reader(bytes);
    const count = readCount(reader, MAX_BLOCKS_REQUESTED, 32);
    if (count === 0) throw new DecodeError('nothing asked', 0);
    const hashes: BlockHash[] = [];
    for (let i = 0; i < count; i++) hashes.push(blockHashFromBytes(reader.take(32)));
    reader.end();
    return hashes;
  },
};

/** The whole block is decoded; who wants to compare the hash first looks at the first 80 bytes. */
export const blocksResponse: Codec<Block> = {
  encode: (block) => block.raw,
  decode(bytes) {
    if (bytes.length > MAX_BLOCK_BYTES) throw new DecodeError(`a block of ${bytes.length} bytes`, MAX_BLOCK_BYTES);
    return Block.fromBytes(bytes);
  },
};

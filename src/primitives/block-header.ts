/** The 80-byte block header. */
import { hash256 } from '#crypto';
import { type BlockHash, blockHashFromBytes, idToBytes } from './ids.ts';
import { DecodeError, Reader } from './reader.ts';
import { Writer } from './writer.ts';

export const BLOCK_HEADER_BYTES = 80;

export type BlockHeaderFields = {
  readonly version: number;
  readonly prevHash: BlockHash;
  /** 32 bytes, internal order. */
  readonly merkleRoot: Uint8Array;
  /** Unix time in seconds. */
  readonly time: number;
  /** Compact target (nBits). */
  readonly bits: number;
  readonly nonce: number;
};

/** Immutable view of 80 header bytes, which it keeps (not copied: they must not change). */
export class BlockHeader implements BlockHeaderFields {
  readonly raw: Uint8Array;
  readonly version: number;
  readonly time: number;
  readonly bits: number;
  readonly nonce: number;
  #hash: BlockHash | undefined;
  #prevHash: BlockHash | undefined;

  /** Throws DecodeError unless `raw` has 80 bytes. */
  constructor(raw: Uint8Array) {
    if (raw.length !== BLOCK_HEADER_BYTES) throw new DecodeError(`a header has 80 bytes, not ${raw.length}`, 0);
    const reader = new Reader(raw);
    this.raw = raw;
    this.version = reader.i32();
    reader.skip(64);
    this.time = reader.u32();
    this.bits = reader.u32();
    this.nonce = reader.u32();
  }

  static fromFields(fields: BlockHeaderFields): BlockHeader {
    const writer = new Writer(BLOCK_HEADER_BYTES)
      .i32(fields.version)
      .bytes(idToBytes(fields.prevHash))
      .bytes(fields.merkleRoot)
      .u32(fields.time)
      .u32(fields.bits)
      .u32(fields.nonce);
    return new BlockHeader(writer.finish());
  }

  get prevHash(): BlockHash {
    this.#prevHash ??= blockHashFromBytes(this.raw.subarray(4, 36));
    return this.#prevHash;
  }

  /** A view of the 32 bytes in internal order. */
  get merkleRoot(): Uint8Array {
    return this.raw.subarray(36, 68);
  }

  get hash(): BlockHash {
    this.#hash ??= blockHashFromBytes(hash256(this.raw));
    return this.#hash;
  }
}

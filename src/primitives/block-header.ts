/** The 80-byte block header. */
import { hash256 } from '#crypto';
import { equalBytes, u32At } from '#util';
import { type BlockHash, blockHashFromBytes, idToBytes } from './ids.ts';
import { DecodeError } from './reader.ts';
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

/**
 * Immutable view of 80 header bytes, which it keeps (not copied: they must not change). Headers come by the hundred
 * thousand: fields are read from the bytes when asked for, and those who compare hashes take the bytes.
 */
export class BlockHeader implements BlockHeaderFields {
  readonly raw: Uint8Array;
  #hashBytes: Uint8Array | undefined;
  #hash: BlockHash | undefined;
  #prevHash: BlockHash | undefined;

  /** Throws DecodeError unless `raw` has 80 bytes. */
  constructor(raw: Uint8Array) {
    if (raw.length !== BLOCK_HEADER_BYTES) throw new DecodeError(`a header has 80 bytes, not ${raw.length}`, 0);
    this.raw = raw;
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

  /** For who knows the hash already (32 bytes in internal order, kept) and wants it computed no second time. */
  static withHash(raw: Uint8Array, hash: Uint8Array): BlockHeader {
    const header = new BlockHeader(raw);
    header.#hashBytes = hash;
    return header;
  }

  get version(): number {
    return u32At(this.raw, 0) | 0;
  }

  get prevHash(): BlockHash {
    this.#prevHash ??= blockHashFromBytes(this.prevHashBytes);
    return this.#prevHash;
  }

  /** A view of the 32 bytes in internal order. */
  get prevHashBytes(): Uint8Array {
    return this.raw.subarray(4, 36);
  }

  /** Whether `parent` is the header that this one stands on. */
  follows(parent: BlockHeader): boolean {
    return equalBytes(this.prevHashBytes, parent.hashBytes);
  }

  /** A view of the 32 bytes in internal order. */
  get merkleRoot(): Uint8Array {
    return this.raw.subarray(36, 68);
  }

  get time(): number {
    return u32At(this.raw, 68);
  }

  get bits(): number {
    return u32At(this.raw, 72);
  }

  get nonce(): number {
    return u32At(this.raw, 76);
  }

  get hash(): BlockHash {
    this.#hash ??= blockHashFromBytes(this.hashBytes);
    return this.#hash;
  }

  /** 32 bytes in internal order, kept by the header: not to be changed. */
  get hashBytes(): Uint8Array {
    this.#hashBytes ??= hash256(this.raw);
    return this.#hashBytes;
  }
}

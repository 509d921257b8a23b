/**
 * A bounded reader of the Bitcoin wire format. It never reads past its end, and nothing is allocated from a
 * length that the remaining bytes do not cover. Byte results are views of the input: the input must not change.
 */
import { byteAt } from '#util';

/** The bytes are not a valid serialisation. `offset` is where it was noticed. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`);
    this.offset = offset;
  }
}

/** Core's MAX_SIZE (serialize.h): no compact size above it is accepted. */
const MAX_COMPACT_SIZE = 0x02000000;

export class Reader {
  readonly bytes: Uint8Array;
  #view: DataView | undefined;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.bytes.length - this.#offset;
  }

  /** Moves on by `length` bytes and gives the offset before the move. */
  skip(length: number): number {
    const start = this.#offset;
    if (length > this.bytes.length - start) throw new DecodeError(`truncated: ${length} bytes wanted`, start);
    this.#offset = start + length;
    return start;
  }

  u8(): number {
    return byteAt(this.bytes, this.skip(1));
  }

  u16(): number {
    return this.#numbers().getUint16(this.skip(2), true);
  }

  u32(): number {
    return this.#numbers().getUint32(this.skip(4), true);
  }

  i32(): number {
    return this.#numbers().getInt32(this.skip(4), true);
  }

  u64(): bigint {
    return this.#numbers().getBigUint64(this.skip(8), true);
  }

  i64(): bigint {
    return this.#numbers().getBigInt64(this.skip(8), true);
  }

  /** Made when first needed: many readers only meet bytes. */
  #numbers(): DataView {
    this.#view ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    return this.#view;
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  /**
   * A canonical compact size of at most MAX_COMPACT_SIZE, as Core's ReadCompactSize reads it.
   * Values above 2^32 never come back: they exceed the bound.
   */
  compactSize(): number {
    const start = this.#offset;
    const first = this.u8();
    if (first < 0xfd) return first;
    const [value, least] =
      first === 0xfd ? [this.u16(), 0xfd] : first === 0xfe ? [this.u32(), 0x10000] : [Number(this.u64()), 0x100000000];
    if (value < least) throw new DecodeError('non-canonical compact size', start);
    if (value > MAX_COMPACT_SIZE) throw new DecodeError('compact size too large', start);
    return value;
  }

  /**
   * A compact size that counts items of at least `minItemBytes` each: a count that the remaining bytes cannot
   * hold is refused before anything is allocated for it.
   */
  count(minItemBytes: number): number {
    const start = this.#offset;
    const count = this.compactSize();
    if (count * minItemBytes > this.remaining) throw new DecodeError(`${count} items cannot fit`, start);
    return count;
  }

  /** A view of a byte string with a compact-size length in front. */
  varBytes(): Uint8Array {
    return this.take(this.compactSize());
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.remaining !== 0) throw new DecodeError(`${this.remaining} bytes too many`, this.#offset);
  }
}

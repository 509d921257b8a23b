/**
 * Growing columns of numbers, of work and of fixed-size records, in chunks: growth copies nothing, leaves nothing
 * behind for the allocator to keep, and makes room for 8192 at a time. Views of records stay valid.
 */
import { assert, byteAt, u32At } from '#util';

/** A power of two: `#chunks[index >> CHUNK_BITS]` at `index & CHUNK_MASK`. */
const CHUNK_BITS = 13;
const CHUNK_RECORDS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_RECORDS - 1;

/** Signed 32-bit numbers. */
export class IntColumn {
  readonly #chunks: Int32Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(value: number): void {
    const index = this.#size++;
    if ((index & CHUNK_MASK) === 0) this.#chunks.push(new Int32Array(CHUNK_RECORDS));
    this.set(index, value);
  }

  get(index: number): number {
    const value = this.#chunks[index >> CHUNK_BITS]?.[index & CHUNK_MASK];
    if (value === undefined || index >= this.#size) throw new RangeError(`number ${index} of ${this.#size}`);
    return value;
  }

  set(index: number, value: number): void {
    const chunk = this.#chunks[index >> CHUNK_BITS];
    if (chunk === undefined || index >= this.#size) throw new RangeError(`number ${index} of ${this.#size}`);
    chunk[index & CHUNK_MASK] = value;
  }
}

const WORD_BITS = 64n;

/** Amounts of work below 2^128 in 16 bytes each: a bigint in an array takes 40, and the garbage collector's time. */
export class WorkColumn {
  /** Low word, high word. */
  readonly #chunks: BigUint64Array[] = [];
  #size = 0;

  push(work: bigint): void {
    // Only hashes that were really made count as work: nobody ever makes 2^128.
    const high = work >> WORD_BITS;
    assert(high >> WORD_BITS === 0n, 'work is below 2^128');
    const index = this.#size++;
    const chunk = this.#chunks[index >> CHUNK_BITS] ?? new BigUint64Array(2 * CHUNK_RECORDS);
    this.#chunks[index >> CHUNK_BITS] = chunk;
    const at = (index & CHUNK_MASK) * 2;
    chunk[at] = BigInt.asUintN(64, work);
    chunk[at + 1] = high;
  }

  get(index: number): bigint {
    return (this.#word(index, 1) << WORD_BITS) | this.#word(index, 0);
  }

  isMore(index: number, than: number): boolean {
    const [high, highThan] = [this.#word(index, 1), this.#word(than, 1)];
    return high > highThan || (high === highThan && this.#word(index, 0) > this.#word(than, 0));
  }

  #word(index: number, part: 0 | 1): bigint {
    const word = this.#chunks[index >> CHUNK_BITS]?.[(index & CHUNK_MASK) * 2 + part];
    if (word === undefined || index >= this.#size) throw new RangeError(`work ${index} of ${this.#size}`);
    return word;
  }
}

export class RecordColumn {
  readonly #recordBytes: number;
  /** Made when first written to: until then its records are zeros. */
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(recordBytes: number) {
    this.#recordBytes = recordBytes;
  }

  get size(): number {
    return this.#size;
  }

  /** Appends a record of zeros. It takes no memory until something is written near it. */
  push(): void {
    this.#size++;
  }

  /** Copies the bytes `start` .. `end` of `source` to offset `at` of the record. A view and its `set` cost more. */
  write(index: number, at: number, source: Uint8Array, start: number, end: number): void {
    assert(at + end - start <= this.#recordBytes, 'a record is written within its bounds');
    const chunk = this.#chunkOf(index);
    const to = this.#startOf(index) + at;
    for (let i = start; i < end; i++) chunk[to + i - start] = byteAt(source, i);
  }

  /** Copies the record's bytes `start` .. `end` to offset `at` of `target`. */
  read(index: number, start: number, end: number, target: Uint8Array, at: number): void {
    assert(index < this.#size && end <= this.#recordBytes, 'bytes of a record');
    const chunk = this.#chunks[index >> CHUNK_BITS];
    const from = this.#startOf(index);
    if (chunk === undefined) target.fill(0, at, at + end - start);
    else for (let i = start; i < end; i++) target[at + i - start] = byteAt(chunk, from + i);
  }

  /** A view of the record. Where one field of many records is looked at, `byte` and `u32` make no object. */
  get(index: number): Uint8Array {
    const start = this.#startOf(index);
    return this.#chunkOf(index).subarray(start, start + this.#recordBytes);
  }

  /** False: nothing was ever written near the record, which is zeros. */
  isTouched(index: number): boolean {
    return this.#chunks[index >> CHUNK_BITS] !== undefined;
  }

  byte(index: number, at: number): number {
    assert(index < this.#size && at < this.#recordBytes, 'a byte of a record');
    const chunk = this.#chunks[index >> CHUNK_BITS];
    return chunk === undefined ? 0 : byteAt(chunk, this.#startOf(index) + at);
  }

  u32(index: number, at: number): number {
    return u32At(this.#chunkOf(index), this.#startOf(index) + at);
  }

  equals(index: number, record: Uint8Array): boolean {
    const chunk = this.#chunkOf(index);
    const start = this.#startOf(index);
    for (let i = 0; i < this.#recordBytes; i++) if (chunk[start + i] !== record[i]) return false;
    return true;
  }

  #startOf(index: number): number {
    return (index & CHUNK_MASK) * this.#recordBytes;
  }

  #chunkOf(index: number): Uint8Array {
    if (index >= this.#size) throw new RangeError(`record ${index} of ${this.#size}`);
    const at = index >> CHUNK_BITS;
    const chunk = this.#chunks[at] ?? new Uint8Array(CHUNK_RECORDS * this.#recordBytes);
    this.#chunks[at] = chunk;
    return chunk;
  }
}

/** Growing columns of numbers, of work and of fixed-size records. */
import { assert, byteAt, u32At } from '#util';

export type Column = Int32Array;

/** The same numbers with twice the room. */
export function growColumn(column: Column): Column {
  const larger = new Int32Array(column.length * 2);
  larger.set(column);
  return larger;
}

const WORD_BITS = 64n;
const INITIAL_WORKS = 1024;

/** Amounts of work below 2^128 in 16 bytes each: a bigint in an array takes 40, and the garbage collector's time. */
export class WorkColumn {
  /** Low word, high word. */
  #words = new BigUint64Array(2 * INITIAL_WORKS);
  #size = 0;

  push(work: bigint): void {
    // Only hashes that were really made count as work: nobody ever makes 2^128.
    const high = work >> WORD_BITS;
    assert(high >> WORD_BITS === 0n, 'work is below 2^128');
    if (this.#size * 2 === this.#words.length) {
      const larger = new BigUint64Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[this.#size * 2] = BigInt.asUintN(64, work);
    this.#words[this.#size * 2 + 1] = high;
    this.#size++;
  }

  get(index: number): bigint {
    return (this.#word(index * 2 + 1) << WORD_BITS) | this.#word(index * 2);
  }

  isMore(index: number, than: number): boolean {
    const [high, highThan] = [this.#word(index * 2 + 1), this.#word(than * 2 + 1)];
    return high > highThan || (high === highThan && this.#word(index * 2) > this.#word(than * 2));
  }

  #word(at: number): bigint {
    const word = this.#words[at];
    if (word === undefined || at >= this.#size * 2) throw new RangeError(`work ${at >> 1} of ${this.#size}`);
    return word;
  }
}

/** Records per chunk: chunks are never moved, so views stay valid and growth copies nothing. */
const CHUNK_RECORDS = 8192;

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
    const chunk = this.#chunks[Math.floor(index / CHUNK_RECORDS)];
    const from = this.#startOf(index);
    if (chunk === undefined) target.fill(0, at, at + end - start);
    else for (let i = start; i < end; i++) target[at + i - start] = byteAt(chunk, from + i);
  }

  /** A view of the record. Where one field of many records is looked at, `byte` and `u32` make no object. */
  get(index: number): Uint8Array {
    const start = this.#startOf(index);
    return this.#chunkOf(index).subarray(start, start + this.#recordBytes);
  }

  byte(index: number, at: number): number {
    assert(index < this.#size && at < this.#recordBytes, 'a byte of a record');
    const chunk = this.#chunks[Math.floor(index / CHUNK_RECORDS)];
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
    return (index % CHUNK_RECORDS) * this.#recordBytes;
  }

  #chunkOf(index: number): Uint8Array {
    if (index >= this.#size) throw new RangeError(`record ${index} of ${this.#size}`);
    const at = Math.floor(index / CHUNK_RECORDS);
    const chunk = this.#chunks[at] ?? new Uint8Array(CHUNK_RECORDS * this.#recordBytes);
    this.#chunks[at] = chunk;
    return chunk;
  }
}

/** Growing columns of numbers and of fixed-size records. */
import { assert } from '#util';

export type Column = Int32Array;

/** The same numbers with twice the room. */
export function growColumn(column: Column): Column {
  const larger = new Int32Array(column.length * 2);
  larger.set(column);
  return larger;
}

/** Records per chunk: chunks are never moved, so views stay valid and growth copies nothing. */
const CHUNK_RECORDS = 8192;

export class RecordColumn {
  readonly #recordBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(recordBytes: number) {
    this.#recordBytes = recordBytes;
  }

  get size(): number {
    return this.#size;
  }

  /** Copies the record in. */
  push(record: Uint8Array): void {
    assert(record.length === this.#recordBytes, 'record size');
    const index = this.#size % CHUNK_RECORDS;
    if (index === 0) this.#chunks.push(new Uint8Array(CHUNK_RECORDS * this.#recordBytes));
    this.#chunks.at(-1)?.set(record, index * this.#recordBytes);
    this.#size++;
  }

  /** A view of the record. */
  get(index: number): Uint8Array {
    const start = (index % CHUNK_RECORDS) * this.#recordBytes;
    return this.#chunkOf(index).subarray(start, start + this.#recordBytes);
  }

  equals(index: number, record: Uint8Array): boolean {
    const chunk = this.#chunkOf(index);
    const start = (index % CHUNK_RECORDS) * this.#recordBytes;
    for (let i = 0; i < this.#recordBytes; i++) if (chunk[start + i] !== record[i]) return false;
    return true;
  }

  #chunkOf(index: number): Uint8Array {
    const chunk = this.#chunks[Math.floor(index / CHUNK_RECORDS)];
    if (chunk === undefined || index >= this.#size) throw new RangeError(`record ${index} of ${this.#size}`);
    return chunk;
  }
}

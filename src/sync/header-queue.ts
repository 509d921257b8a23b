/**
 * A chain of headers on its way from a peer to the tree, as one block of memory: 80 bytes each. A header's hash is
 * found in the next one, so that it need not be computed again. (Core keeps 48 bytes and hashes each header twice.)
 * Invariant: each header is the child of the one before it.
 */
import { BLOCK_HEADER_BYTES, BlockHeader } from '#primitives';
import { assert } from '#util';

/** Where the parent's hash is in a header. */
const PREV_HASH_OFFSET = 4;
const HASH_BYTES = 32;

export class HeaderQueue {
  readonly #capacity: number;
  readonly #ring: Uint8Array;
  #first = 0;
  #size = 0;
  #lastHash: Uint8Array = new Uint8Array(HASH_BYTES);

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#ring = new Uint8Array(capacity * BLOCK_HEADER_BYTES);
  }

  get size(): number {
    return this.#size;
  }

  /** Memory that it takes. */
  get bytes(): number {
    return this.#ring.length;
  }

  push(header: BlockHeader): void {
    assert(this.#size < this.#capacity, 'the queue is emptied before it is full');
    this.#slot(this.#size).set(header.raw);
    this.#lastHash = header.hashBytes;
    this.#size += 1;
  }

  /** Takes the first `count` headers out; copies, as their places are used again. */
  take(count: number): BlockHeader[] {
    const headers: BlockHeader[] = [];
    for (let i = 0; i < count && this.#size > 0; i++) {
      const raw = this.#slot(0).slice();
      const hash = this.#size > 1 ? this.#hashFrom(this.#slot(1)) : this.#lastHash;
      headers.push(BlockHeader.withHash(raw, hash));
      this.#first = (this.#first + 1) % this.#capacity;
      this.#size -= 1;
    }
    return headers;
  }

  #hashFrom(child: Uint8Array): Uint8Array {
    return child.slice(PREV_HASH_OFFSET, PREV_HASH_OFFSET + HASH_BYTES);
  }

  #slot(index: number): Uint8Array {
    const offset = ((this.#first + index) % this.#capacity) * BLOCK_HEADER_BYTES;
    return this.#ring.subarray(offset, offset + BLOCK_HEADER_BYTES);
  }
}

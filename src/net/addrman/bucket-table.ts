/**
 * A table of buckets with 64 places each, stored sparsely: a node of a small network pays for what it knows, not for
 * 65,536 places. A place is a number: bucket * 64 + position.
 */
import { assert } from '#util';

/** Core's ADDRMAN_BUCKET_SIZE. */
export const BUCKET_SIZE = 64;

export class BucketTable<T> {
  readonly #places = new Map<number, T>();

  get size(): number {
    return this.#places.size;
  }

  get(place: number): T | undefined {
    return this.#places.get(place);
  }

  /** The place must be free. */
  put(place: number, entry: T): void {
    assert(!this.#places.has(place), 'the place is taken');
    this.#places.set(place, entry);
  }

  clear(place: number): void {
    this.#places.delete(place);
  }
}

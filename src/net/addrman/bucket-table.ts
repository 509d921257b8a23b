/**
 * A table of buckets with 64 places each, stored sparsely: a node of a small network pays for what it knows, not for
 * 65,536 places. A place is a number: bucket * 64 + position.
 */
import { assert, type Random } from '#util';

/** Core's ADDRMAN_BUCKET_SIZE. */
export const BUCKET_SIZE = 64;

export class BucketTable<T> {
  readonly bucketCount: number;
  readonly #places = new Map<number, T>();
  /** Entries in a bucket; a bucket without any is absent. */
  readonly #counts = new Map<number, number>();
  /** The buckets with entries, in no order, and where each stands in that list. */
  readonly #filled: number[] = [];
  readonly #filledIndex = new Map<number, number>();

  constructor(bucketCount: number) {
    this.bucketCount = bucketCount;
  }

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
    const bucket = Math.floor(place / BUCKET_SIZE);
    const count = this.#counts.get(bucket) ?? 0;
    this.#counts.set(bucket, count + 1);
    if (count === 0) this.#filledIndex.set(bucket, this.#filled.push(bucket) - 1);
  }

  clear(place: number): void {
    if (!this.#places.delete(place)) return;
    const bucket = Math.floor(place / BUCKET_SIZE);
    const count = (this.#counts.get(bucket) ?? 1) - 1;
    if (count > 0) this.#counts.set(bucket, count);
    else this.#dropBucket(bucket);
  }

  /**
   * Core's draw: a bucket with entries, each as likely as any other, then the first entry at or behind a random
   * position. Undefined only when the table is empty.
   */
  draw(random: Random): T | undefined {
    if (this.#filled.length === 0) return undefined;
    const bucket = this.#filled[random.below(this.#filled.length)] ?? 0;
    const first = random.below(BUCKET_SIZE);
    for (let step = 0; step < BUCKET_SIZE; step += 1) {
      const entry = this.#places.get(bucket * BUCKET_SIZE + ((first + step) % BUCKET_SIZE));
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /** Every place that is taken, with what is there. */
  entries(): IterableIterator<[number, T]> {
    return this.#places.entries();
  }

  #dropBucket(bucket: number): void {
    this.#counts.delete(bucket);
    const index = this.#filledIndex.get(bucket);
    const last = this.#filled.pop();
    this.#filledIndex.delete(bucket);
    if (index === undefined || last === undefined || last === bucket) return;
    this.#filled[index] = last;
    this.#filledIndex.set(last, index);
  }
}

/** A set of header ids, a bit each: while headers come faster than the disk takes them, all of them are in one. */
import type { HeaderId } from './header-tree.ts';

const WORD_BITS = 32;
const INITIAL_WORDS = 64;

export class IdSet {
  #words = new Uint32Array(INITIAL_WORDS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(id: HeaderId): void {
    if (this.#has(id)) return;
    this.#reserve(id);
    this.#flip(id);
    this.#size++;
  }

  delete(id: HeaderId): void {
    if (!this.#has(id)) return;
    this.#flip(id);
    this.#size--;
  }

  /** The smallest ids of `from` .. `end` (excluded), at most `max`, ascending. */
  first(max: number, from: HeaderId, end: HeaderId): HeaderId[] {
    const ids: HeaderId[] = [];
    for (let id = from; id < end && ids.length < max; ) {
      const bits = (this.#words[id >>> 5] ?? 0) >>> (id & 31);
      if (bits === 0) id = (id | 31) + 1;
      else {
        id += Math.clz32(bits & -bits) ^ 31;
        if (id < end) ids.push(id);
        id++;
      }
    }
    return ids;
  }

  #has(id: HeaderId): boolean {
    return ((this.#words[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0;
  }

  #flip(id: HeaderId): void {
    this.#words[id >>> 5] = (this.#words[id >>> 5] ?? 0) ^ (1 << (id & 31));
  }

  #reserve(id: HeaderId): void {
    if (id < this.#words.length * WORD_BITS) return;
    let words = this.#words.length * 2;
    while (id >= words * WORD_BITS) words *= 2;
    const larger = new Uint32Array(words);
    larger.set(this.#words);
    this.#words = larger;
  }
}

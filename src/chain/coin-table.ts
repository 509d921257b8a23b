/**
 * A hash table of coins in memory of its own: no object, string or map entry a coin, so the garbage collector never
 * looks at them, and the bytes are known exactly. A P2WPKH coin takes 80 bytes and 12 to 24 of slots, against 142 as
 * strings in a Map.
 *
 * A record lies in a chunk: txid (32) | index (4) | length and flags (2) | size in units (2) | the coin's bytes as the
 * store has them (coin-codec.ts). Length 0: spent. A record's address counts units of 8 bytes over all chunks; address
 * 0 is never used. Slots are open addressing, two words each: hash, address (0: free).
 */
import { assert, type Random } from '#util';

export const DIRTY = 0x4000;
export const FRESH = 0x8000;
const LENGTH_MASK = 0x3fff;

const UNIT_BYTES = 8;
const KEY_WORDS = 9;
const HEADER_BYTES = 40;
/** Offset of length and flags in 16-bit steps, and of the size. */
const META_AT = 18;
const SIZE_AT = 19;
const CHUNK_BYTES = 1 << 18;
const CHUNK_UNITS = CHUNK_BYTES / UNIT_BYTES;
const INITIAL_SLOTS = 1 << 10;
/** A free record up to so many units too large is taken: what is lost comes back with the record. */
const SLACK_UNITS = 2;

/** The outpoint that the next calls are about, with its hash. One object is used again and again. */
export class CoinKey {
  readonly words = new Uint32Array(KEY_WORDS);
  readonly #bytes = new Uint8Array(this.words.buffer);
  readonly #salt: readonly [number, number, number];
  hash = 0;

  /** The salt keeps others from choosing txids that share a slot. */
  constructor(random: Random) {
    this.#salt = [random.below(2 ** 32), random.below(2 ** 32), random.below(2 ** 32)];
  }

  /** `txid`: 32 bytes in internal order. */
  set(txid: Uint8Array, index: number): this {
    const { words } = this;
    this.#bytes.set(txid);
    words[8] = index;
    const [a, b, c] = this.#salt;
    let hash = Math.imul(word(words, 0) ^ a, 0x9e3779b1);
    hash = Math.imul((hash ^ (hash >>> 15) ^ word(words, 1)) + b, 0x85ebca6b);
    hash = Math.imul((hash ^ (hash >>> 13) ^ index) + c, 0xc2b2ae35);
    this.hash = (hash ^ (hash >>> 16)) >>> 0;
    return this;
  }
}

type Chunk = { readonly bytes: Uint8Array; readonly words: Uint32Array; readonly halves: Uint16Array };

/** Chunks that no table uses any more: taking them again is cheaper than asking the system. */
export type ChunkPool = Chunk[];

export class CoinTable {
  readonly #pool: ChunkPool;
  readonly #chunks: Chunk[] = [];
  /** First free record of each size in units; the next one's address stands in its first word. */
  readonly #free: number[] = [];
  #slots = new Uint32Array(2 * INITIAL_SLOTS);
  #count = 0;
  /** Units used in the last chunk. */
  #lastUnits = CHUNK_UNITS;

  constructor(pool: ChunkPool) {
    this.#pool = pool;
  }

  /** Records, spent ones included. */
  get count(): number {
    return this.#count;
  }

  /** Memory that the table holds. */
  get bytes(): number {
    return this.#chunks.length * CHUNK_BYTES + this.#slots.byteLength;
  }

  /** The record's address, or 0. */
  find(key: CoinKey): number {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    for (let slot = key.hash & mask; ; slot = (slot + 1) & mask) {
      const address = word(slots, 2 * slot + 1);
      if (address === 0) return 0;
      if (word(slots, 2 * slot) === key.hash && this.#hasKey(address, key.words)) return address;
    }
  }

  /** Adds a record for a key that has none and gives its address. `flags`: DIRTY, FRESH. */
  insert(key: CoinKey, coin: Uint8Array, flags: number): number {
    assert(coin.length > 0 && coin.length <= LENGTH_MASK, 'a coin has a script of 10,000 bytes at most');
    const address = this.#allocate(Math.ceil((HEADER_BYTES + coin.length) / UNIT_BYTES));
    const { words } = this.#chunkOf(address);
    words.set(key.words, wordAt(address));
    this.replace(address, coin, flags);
    if (++this.#count * 8 > this.#slots.length * 3) this.#grow();
    this.#putSlot(key.hash, address);
    return address;
  }

  /** Whether `replace` finds room for so many bytes in the record. */
  fits(address: number, length: number): boolean {
    const units = this.#chunkOf(address).halves[halfAt(address) + SIZE_AT] ?? 0;
    return HEADER_BYTES + length <= units * UNIT_BYTES;
  }

  replace(address: number, coin: Uint8Array, flags: number): void {
    const { bytes, halves } = this.#chunkOf(address);
    bytes.set(coin, byteAt(address) + HEADER_BYTES);
    halves[halfAt(address) + META_AT] = coin.length | flags;
  }

  flags(address: number): number {
    return this.#meta(address) & ~LENGTH_MASK;
  }

  isSpent(address: number): boolean {
    return (this.#meta(address) & LENGTH_MASK) === 0;
  }

  /** A view of the coin's bytes, good until the next change of the table. */
  coin(address: number): Uint8Array {
    const start = byteAt(address) + HEADER_BYTES;
    return this.#chunkOf(address).bytes.subarray(start, start + (this.#meta(address) & LENGTH_MASK));
  }

  /** The same bytes as a copy. */
  copy(address: number): Uint8Array {
    const start = byteAt(address) + HEADER_BYTES;
    return this.#chunkOf(address).bytes.slice(start, start + (this.#meta(address) & LENGTH_MASK));
  }

  /** Views of the txid, and the index. */
  txid(address: number): Uint8Array {
    const start = byteAt(address);
    return this.#chunkOf(address).bytes.subarray(start, start + 32);
  }

  index(address: number): number {
    return word(this.#chunkOf(address).words, wordAt(address) + 8);
  }

  /** Leaves a record that says so: the store still has the coin. */
  markSpent(address: number): void {
    this.#chunkOf(address).halves[halfAt(address) + META_AT] = DIRTY;
  }

  markClean(address: number): void {
    this.#chunkOf(address).halves[halfAt(address) + META_AT] = this.#meta(address) & LENGTH_MASK;
  }

  /** `key` is the record's own. */
  remove(key: CoinKey, address: number): void {
    this.#takeSlot(key.hash, address);
    this.#release(address);
  }

  /** Addresses of all records, in the order of their slots. Between two steps records may be changed, not moved. */
  *addresses(): Generator<number> {
    const slots = this.#slots;
    for (let at = 1; at < slots.length; at += 2) {
      const address = word(slots, at);
      if (address !== 0) yield address;
    }
  }

  /** Drops the records that were spent: to be called when the store knows of it. */
  removeSpent(): void {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    for (let slot = 0; slot <= mask; ) {
      const address = word(slots, 2 * slot + 1);
      if (address !== 0 && this.isSpent(address)) {
        this.#closeGap(slot);
        this.#release(address);
      } else slot++;
    }
  }

  /** Gives the memory back. The table is empty afterwards. */
  clear(): void {
    this.#pool.push(...this.#chunks.splice(0));
    this.#free.length = 0;
    this.#slots = new Uint32Array(2 * INITIAL_SLOTS);
    this.#count = 0;
    this.#lastUnits = CHUNK_UNITS;
  }

  #allocate(units: number): number {
    for (let size = units; size <= units + SLACK_UNITS; size++) {
      const address = this.#free[size] ?? 0;
      if (address === 0) continue;
      this.#free[size] = word(this.#chunkOf(address).words, wordAt(address));
      return address;
    }
    if (this.#lastUnits + units > CHUNK_UNITS) this.#addChunk();
    const address = (this.#chunks.length - 1) * CHUNK_UNITS + this.#lastUnits;
    this.#lastUnits += units;
    this.#chunkOf(address).halves[halfAt(address) + SIZE_AT] = units;
    return address;
  }

  #addChunk(): void {
    this.#chunks.push(this.#pool.pop() ?? newChunk());
    // Address 0 means none.
    this.#lastUnits = this.#chunks.length === 1 ? 1 : 0;
  }

  #release(address: number): void {
    const { halves, words } = this.#chunkOf(address);
    const units = halves[halfAt(address) + SIZE_AT] ?? 0;
    words[wordAt(address)] = this.#free[units] ?? 0;
    this.#free[units] = address;
    this.#count--;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const address = word(old, at + 1);
      if (address !== 0) this.#putSlot(word(old, at), address);
    }
  }

  #putSlot(hash: number, address: number): void {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    let slot = hash & mask;
    while (word(slots, 2 * slot + 1) !== 0) slot = (slot + 1) & mask;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = address;
  }

  #takeSlot(hash: number, address: number): void {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    let slot = hash & mask;
    while (word(slots, 2 * slot + 1) !== address) slot = (slot + 1) & mask;
    this.#closeGap(slot);
  }

  /** Frees a slot and moves up what would no longer be found behind the gap (Knuth's algorithm R). */
  #closeGap(freed: number): void {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    let gap = freed;
    for (let slot = (gap + 1) & mask; word(slots, 2 * slot + 1) !== 0; slot = (slot + 1) & mask) {
      const home = word(slots, 2 * slot) & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots[2 * gap] = word(slots, 2 * slot);
      slots[2 * gap + 1] = word(slots, 2 * slot + 1);
      gap = slot;
    }
    slots[2 * gap + 1] = 0;
  }

  #hasKey(address: number, key: Uint32Array): boolean {
    const { words } = this.#chunkOf(address);
    const start = wordAt(address);
    for (let i = 0; i < KEY_WORDS; i++) if (words[start + i] !== key[i]) return false;
    return true;
  }

  #meta(address: number): number {
    return this.#chunkOf(address).halves[halfAt(address) + META_AT] ?? 0;
  }

  #chunkOf(address: number): Chunk {
    const chunk = this.#chunks[Math.floor(address / CHUNK_UNITS)];
    assert(chunk !== undefined, 'an address comes from this table');
    return chunk;
  }
}

function newChunk(): Chunk {
  const buffer = new ArrayBuffer(CHUNK_BYTES);
  return { bytes: new Uint8Array(buffer), words: new Uint32Array(buffer), halves: new Uint16Array(buffer) };
}

function byteAt(address: number): number {
  return (address % CHUNK_UNITS) * UNIT_BYTES;
}

function wordAt(address: number): number {
  return (address % CHUNK_UNITS) * (UNIT_BYTES / 4);
}

function halfAt(address: number): number {
  return (address % CHUNK_UNITS) * (UNIT_BYTES / 2);
}

function word(words: Uint32Array, at: number): number {
  return words[at] as number;
}

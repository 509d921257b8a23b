/**
 * The tree of all known headers, in columns: a header is a dense number (its id), each of its fields a slot in a
 * typed array. A parent's id is always smaller than its children's. About 160 bytes a header and no object: the
 * 800,000 and more headers of mainnet must not cost a garbage collector its breath. `TreeEntry` is the view that
 * others see; it is made when asked for and keeps nothing but the id.
 */
import type { HeaderView } from '#consensus';
import { BLOCK_HEADER_BYTES, type BlockHash, BlockHeader, blockHashFromBytes, idToBytes } from '#primitives';
import { assert, type Random } from '#util';
import { type Column, growColumn, RecordColumn } from './columns.ts';
import type { HeaderEntry } from './port.ts';

export type HeaderId = number;

/** Number of blocks whose median time is "the past" (Core's nMedianTimeSpan). */
const MEDIAN_TIME_SPAN = 11;
const HASH_BYTES = 32;
const INITIAL_CAPACITY = 1024;
const NONE = -1;

export class HeaderTree {
  readonly #raw = new RecordColumn(BLOCK_HEADER_BYTES);
  readonly #hash = new RecordColumn(HASH_BYTES);
  readonly #work: bigint[] = [];
  #parent: Column = new Int32Array(INITIAL_CAPACITY);
  #skip: Column = new Int32Array(INITIAL_CAPACITY);
  #height: Column = new Int32Array(INITIAL_CAPACITY);
  /** Open addressing: slots hold id + 1, 0 is free. At most half full. */
  #slots: Column = new Int32Array(2 * INITIAL_CAPACITY);
  /** Keeps an attacker from choosing hashes that share a slot. */
  readonly #salt: number;
  #size = 0;

  constructor(random: Random) {
    this.#salt = random.below(2 ** 32);
  }

  get size(): number {
    return this.#size;
  }

  /** Appends a header behind `parent` (undefined for genesis) with the total work up to and including it. */
  add(header: BlockHeader, parent: HeaderId | undefined, chainWork: bigint): HeaderId {
    const id = this.#size;
    const hash = idToBytes(header.hash);
    assert(this.findBytes(hash) === undefined, 'a header is added once');
    this.#reserve(id + 1);
    this.#raw.push(header.raw);
    this.#hash.push(hash);
    this.#work.push(chainWork);
    this.#parent[id] = parent ?? NONE;
    this.#height[id] = parent === undefined ? 0 : this.heightOf(parent) + 1;
    this.#size = id + 1;
    this.#skip[id] = parent === undefined ? NONE : this.ancestorOf(parent, skipHeight(this.heightOf(id)));
    this.#insertSlot(id, hash);
    return id;
  }

  find(hash: BlockHash): HeaderId | undefined {
    return this.findBytes(idToBytes(hash));
  }

  /** `hash`: 32 bytes in internal order. */
  findBytes(hash: Uint8Array): HeaderId | undefined {
    const mask = this.#slots.length - 1;
    for (let slot = this.#slotOf(hash) & mask; ; slot = (slot + 1) & mask) {
      const value = at(this.#slots, slot);
      if (value === 0) return undefined;
      if (this.#hash.equals(value - 1, hash)) return value - 1;
    }
  }

  parentOf(id: HeaderId): HeaderId | undefined {
    const parent = at(this.#parent, id);
    return parent === NONE ? undefined : parent;
  }

  heightOf(id: HeaderId): number {
    return at(this.#height, id);
  }

  workOf(id: HeaderId): bigint {
    const work = this.#work[id];
    if (work === undefined) throw new RangeError(`header ${id} of ${this.#size}`);
    return work;
  }

  /** The 80 bytes: a view, not to be changed. */
  rawOf(id: HeaderId): Uint8Array {
    return this.#raw.get(id);
  }

  /** 32 bytes in internal order: a view, not to be changed. */
  hashBytesOf(id: HeaderId): Uint8Array {
    return this.#hash.get(id);
  }

  /** The ancestor at `height`, by skip pointers in O(log n) steps (Core's CBlockIndex::GetAncestor). */
  ancestorOf(id: HeaderId, height: number): HeaderId {
    let walk = id;
    let walkHeight = this.heightOf(walk);
    assert(height >= 0 && height <= walkHeight, 'an ancestor is not above');
    while (walkHeight > height) {
      const skipTo = skipHeight(walkHeight);
      const skipToBefore = skipHeight(walkHeight - 1);
      // The pointer is taken unless the parent's would lead closer to the goal.
      const takeSkip = skipTo === height || (skipTo > height && !(skipToBefore < skipTo - 2 && skipToBefore >= height));
      walk = takeSkip ? at(this.#skip, walk) : at(this.#parent, walk);
      walkHeight = takeSkip ? skipTo : walkHeight - 1;
    }
    return walk;
  }

  /** The last header that both have in their past (or are). */
  forkOf(a: HeaderId, b: HeaderId): HeaderId {
    const height = Math.min(this.heightOf(a), this.heightOf(b));
    let x = this.ancestorOf(a, height);
    let y = this.ancestorOf(b, height);
    while (x !== y) {
      // Equal skips mean that the fork is not below the skip: go back one by one only then.
      const [skipX, skipY] = [at(this.#skip, x), at(this.#skip, y)];
      const jump = skipX !== skipY;
      x = jump ? skipX : at(this.#parent, x);
      y = jump ? skipY : at(this.#parent, y);
    }
    return x;
  }

  isAncestor(ancestor: HeaderId, of: HeaderId): boolean {
    const height = this.heightOf(ancestor);
    return height <= this.heightOf(of) && this.ancestorOf(of, height) === ancestor;
  }

  /** BIP113: the median time of this header and the ten before it (fewer near genesis), Unix seconds. */
  medianTimePast(id: HeaderId): number {
    const times: number[] = [];
    for (let walk = id; times.length < MEDIAN_TIME_SPAN && walk !== NONE; walk = at(this.#parent, walk)) {
      times.push(this.entry(walk).time);
    }
    times.sort((a, b) => a - b);
    const median = times[times.length >> 1];
    assert(median !== undefined, 'a header has a time');
    return median;
  }

  entry(id: HeaderId): TreeEntry {
    assert(id >= 0 && id < this.#size, 'an id comes from this tree');
    return new TreeEntry(this, id);
  }

  #reserve(capacity: number): void {
    if (capacity > this.#parent.length) {
      this.#parent = growColumn(this.#parent);
      this.#skip = growColumn(this.#skip);
      this.#height = growColumn(this.#height);
    }
    if (capacity * 2 > this.#slots.length) {
      this.#slots = new Int32Array(this.#slots.length * 2);
      for (let id = 0; id < this.#size; id++) this.#insertSlot(id, this.#hash.get(id));
    }
  }

  #insertSlot(id: HeaderId, hash: Uint8Array): void {
    const mask = this.#slots.length - 1;
    let slot = this.#slotOf(hash) & mask;
    while (at(this.#slots, slot) !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = id + 1;
  }

  /** Mixes the first eight bytes (the last digits of the id, which proof of work leaves random) with the salt. */
  #slotOf(hash: Uint8Array): number {
    const view = new DataView(hash.buffer, hash.byteOffset, 8);
    let mixed = Math.imul(view.getUint32(0, true) ^ this.#salt, 0x9e3779b1);
    mixed = Math.imul(mixed ^ (mixed >>> 15) ^ view.getUint32(4, true), 0x85ebca6b);
    return (mixed ^ (mixed >>> 13)) >>> 0;
  }
}

/** A header in its place. Two entries of one header are different objects: compare `hash` or `id`. */
export class TreeEntry implements HeaderEntry, HeaderView {
  readonly id: HeaderId;
  readonly #tree: HeaderTree;
  #hash: BlockHash | undefined;

  constructor(tree: HeaderTree, id: HeaderId) {
    this.#tree = tree;
    this.id = id;
  }

  get hash(): BlockHash {
    this.#hash ??= blockHashFromBytes(this.#tree.hashBytesOf(this.id));
    return this.#hash;
  }

  get height(): number {
    return this.#tree.heightOf(this.id);
  }

  get header(): BlockHeader {
    return new BlockHeader(this.#tree.rawOf(this.id));
  }

  get version(): number {
    return this.#field(0) | 0;
  }

  get time(): number {
    return this.#field(68);
  }

  get bits(): number {
    return this.#field(72);
  }

  get chainWork(): bigint {
    return this.#tree.workOf(this.id);
  }

  get medianTimePast(): number {
    return this.#tree.medianTimePast(this.id);
  }

  ancestor(height: number): TreeEntry {
    return this.#tree.entry(this.#tree.ancestorOf(this.id, height));
  }

  #field(offset: number): number {
    const raw = this.#tree.rawOf(this.id);
    return new DataView(raw.buffer, raw.byteOffset).getUint32(offset, true);
  }
}

function at(column: Column, index: number): number {
  const value = column[index];
  if (value === undefined) throw new RangeError(`slot ${index} of ${column.length}`);
  return value;
}

/** Clears the lowest set bit. */
function invertLowestOne(n: number): number {
  return n & (n - 1);
}

/** The height that the skip pointer of a header at `height` leads to (Core's GetSkipHeight). */
function skipHeight(height: number): number {
  if (height < 2) return 0;
  return (height & 1) === 1 ? invertLowestOne(invertLowestOne(height - 1)) + 1 : invertLowestOne(height);
}

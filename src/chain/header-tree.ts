/**
 * The tree of all known headers, in columns: a header is a dense number (its id), each of its fields a slot in a
 * typed array. A parent's id is always smaller than its children's. About 120 bytes a header and no object: the
 * 800,000 and more headers of mainnet must not cost a garbage collector its breath. `TreeEntry` is the view that
 * others see; it is made when asked for and keeps nothing but the id.
 */
import { type HeaderView, medianTimePast } from '#consensus';
import { BLOCK_HEADER_BYTES, type BlockHash, BlockHeader, blockHashFromBytes, idToBytes } from '#primitives';
import { assert, type Random, u32At } from '#util';
import { IntColumn, RecordColumn, WorkColumn } from './columns.ts';
import type { HeaderEntry } from './port.ts';

export type HeaderId = number;

const HASH_BYTES = 32;
/** Where the parent's hash lies in a header: it is not kept, the parent's own is (as in Core's CBlockIndex). */
const PREV_HASH_AT = 4;
const PREV_HASH_END = PREV_HASH_AT + HASH_BYTES;
const KEPT_BYTES = BLOCK_HEADER_BYTES - HASH_BYTES;
const KEPT_VERSION_AT = 0;
const KEPT_TIME_AT = 36;
const KEPT_BITS_AT = 40;
const INITIAL_SLOTS = 2048;
const NONE = -1;

export class HeaderTree {
  /** Headers without the hash of the parent. */
  readonly #kept = new RecordColumn(KEPT_BYTES);
  readonly #hash = new RecordColumn(HASH_BYTES);
  readonly #work = new WorkColumn();
  readonly #parent = new IntColumn();
  readonly #skip = new IntColumn();
  readonly #height = new IntColumn();
  /** Open addressing: slots hold id + 1, 0 is free. At most half full. */
  #slots = new Int32Array(INITIAL_SLOTS);
  /** Keeps an attacker from choosing hashes that share a slot. */
  readonly #salt: number;

  constructor(random: Random) {
    this.#salt = random.below(2 ** 32);
  }

  get size(): number {
    return this.#parent.size;
  }

  /** Appends a header behind `parent` (undefined for genesis) with the total work up to and including it. */
  add(header: BlockHeader, parent: HeaderId | undefined, chainWork: bigint): HeaderId {
    const id = this.size;
    const { raw, hashBytes } = header;
    assert(parent !== undefined || header.prevHashBytes.every((byte) => byte === 0), 'genesis has no parent');
    this.#reserveSlots(id + 1);
    this.#kept.push();
    this.#kept.write(id, 0, raw, 0, PREV_HASH_AT);
    this.#kept.write(id, PREV_HASH_AT, raw, PREV_HASH_END, BLOCK_HEADER_BYTES);
    this.#hash.push();
    this.#hash.write(id, 0, hashBytes, 0, HASH_BYTES);
    this.#work.push(chainWork);
    const height = parent === undefined ? 0 : this.heightOf(parent) + 1;
    this.#parent.push(parent ?? NONE);
    this.#height.push(height);
    this.#skip.push(parent === undefined ? NONE : this.ancestorOf(parent, skipHeight(height)));
    this.#insertSlot(id, hashBytes);
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
    const parent = this.#parent.get(id);
    return parent === NONE ? undefined : parent;
  }

  heightOf(id: HeaderId): number {
    return this.#height.get(id);
  }

  workOf(id: HeaderId): bigint {
    return this.#work.get(id);
  }

  hasMoreWork(id: HeaderId, than: HeaderId): boolean {
    return this.#work.isMore(id, than);
  }

  versionOf(id: HeaderId): number {
    return this.#kept.u32(id, KEPT_VERSION_AT) | 0;
  }

  /** Unix seconds. */
  timeOf(id: HeaderId): number {
    return this.#kept.u32(id, KEPT_TIME_AT);
  }

  bitsOf(id: HeaderId): number {
    return this.#kept.u32(id, KEPT_BITS_AT);
  }

  /** The 80 bytes; a fresh array. */
  rawOf(id: HeaderId): Uint8Array {
    const raw = new Uint8Array(BLOCK_HEADER_BYTES);
    this.copyRaw(id, raw, 0);
    return raw;
  }

  /** Views of one piece of memory: an answer to a peer has 2000 of them. */
  headersOf(ids: readonly HeaderId[]): BlockHeader[] {
    const all = new Uint8Array(ids.length * BLOCK_HEADER_BYTES);
    return ids.map((id, i) => {
      const at = i * BLOCK_HEADER_BYTES;
      this.copyRaw(id, all, at);
      return new BlockHeader(all.subarray(at, at + BLOCK_HEADER_BYTES));
    });
  }

  /** Writes the 80 bytes into `target`, which is zero there: genesis has no parent's hash. */
  copyRaw(id: HeaderId, target: Uint8Array, at: number): void {
    this.#kept.read(id, 0, PREV_HASH_AT, target, at);
    const parent = this.parentOf(id);
    if (parent !== undefined) this.#hash.read(parent, 0, HASH_BYTES, target, at + PREV_HASH_AT);
    this.#kept.read(id, PREV_HASH_AT, KEPT_BYTES, target, at + PREV_HASH_END);
  }

  /** Writes the 32 bytes of the hash, internal order. */
  copyHash(id: HeaderId, target: Uint8Array, at: number): void {
    this.#hash.read(id, 0, HASH_BYTES, target, at);
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
      walk = takeSkip ? this.#skip.get(walk) : this.#parent.get(walk);
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
      const [skipX, skipY] = [this.#skip.get(x), this.#skip.get(y)];
      const jump = skipX !== skipY;
      x = jump ? skipX : this.#parent.get(x);
      y = jump ? skipY : this.#parent.get(y);
    }
    return x;
  }

  isAncestor(ancestor: HeaderId, of: HeaderId): boolean {
    const height = this.heightOf(ancestor);
    return height <= this.heightOf(of) && this.ancestorOf(of, height) === ancestor;
  }

  entry(id: HeaderId): TreeEntry {
    assert(id >= 0 && id < this.size, 'an id comes from this tree');
    return new TreeEntry(this, id);
  }

  #reserveSlots(headers: number): void {
    if (headers * 2 <= this.#slots.length) return;
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let id = 0; id < this.size; id++) this.#insertSlot(id, this.#hash.get(id));
  }

  #insertSlot(id: HeaderId, hash: Uint8Array): void {
    const mask = this.#slots.length - 1;
    let slot = this.#slotOf(hash) & mask;
    for (let value = at(this.#slots, slot); value !== 0; value = at(this.#slots, slot)) {
      assert(!this.#hash.equals(value - 1, hash), 'a header is added once');
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = id + 1;
  }

  /** Mixes the first eight bytes (the last digits of the id, which proof of work leaves random) with the salt. */
  #slotOf(hash: Uint8Array): number {
    let mixed = Math.imul(u32At(hash, 0) ^ this.#salt, 0x9e3779b1);
    mixed = Math.imul(mixed ^ (mixed >>> 15) ^ u32At(hash, 4), 0x85ebca6b);
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
    return this.#tree.versionOf(this.id);
  }

  get time(): number {
    return this.#tree.timeOf(this.id);
  }

  get bits(): number {
    return this.#tree.bitsOf(this.id);
  }

  get chainWork(): bigint {
    return this.#tree.workOf(this.id);
  }

  get medianTimePast(): number {
    return medianTimePast(this);
  }

  ancestor(height: number): TreeEntry {
    return this.#tree.entry(this.#tree.ancestorOf(this.id, height));
  }
}

function at(slots: Int32Array, slot: number): number {
  const value = slots[slot];
  if (value === undefined) throw new RangeError(`slot ${slot} of ${slots.length}`);
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

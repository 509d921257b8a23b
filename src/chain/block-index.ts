/**
 * What we know of each block besides its header: whether and where its body and undo data are stored, and whether
 * it failed. Written to `blocks/index` in batches.
 *
 * In the store: key `b` | height (4 bytes, big endian) | hash (32, internal order), so that a parent is always read
 * before its children; value: version (1) | header (80) | state (21). The state's bytes in memory are the same:
 * status (1) | block file, block offset, undo file, undo offset, transactions (4 bytes each, little endian). Records of
 * version 1 lack the last.
 */
import { blockProof } from '#consensus';
import { BLOCK_HEADER_BYTES, BlockHeader } from '#primitives';
import type { BatchOp, FilePosition, KeyRange, KeyValueStore } from '#store';
import { assert, concatBytes, type Random } from '#util';
import { RecordColumn } from './columns.ts';
import { FileHeights } from './file-heights.ts';
import { type HeaderId, HeaderTree } from './header-tree.ts';
import { IdSet } from './id-set.ts';
import { damaged } from './repair.ts';

const KEY_PREFIX = 0x62;
/** The keys of all records in the store. */
export const INDEX_KEYS: KeyRange = { gte: Uint8Array.of(KEY_PREFIX), lt: Uint8Array.of(KEY_PREFIX + 1) };
/** Loaded between two trims of the store: 15 MB of its files. */
const MAX_RECORDS_A_WALK = 100_000;
const RECORD_VERSION = 2;
const STATE_BYTES = 21;
/** Version to the bytes of its state. */
const READABLE: Readonly<Record<number, number>> = { 1: 17, [RECORD_VERSION]: STATE_BYTES };
const KEY_BYTES = 1 + 4 + 32;
const VALUE_BYTES = 1 + BLOCK_HEADER_BYTES + STATE_BYTES;
const BLOCK_AT = 1;
const UNDO_AT = 9;
const TX_COUNT_AT = 17;

const HAVE_DATA = 1;
const HAVE_UNDO = 2;
/** Breaks a rule itself. */
const FAILED = 4;
/** Descends from a block that breaks a rule. */
const FAILED_PARENT = 8;
/** Passed every check, scripts included, when it was connected (Core's BLOCK_VALID_SCRIPTS). */
const VALID_SCRIPTS = 16;

/** Numbers of block files and of undo files. */
export type FileSets = { readonly blocks: ReadonlySet<number>; readonly undos: ReadonlySet<number> };

export type IndexChanges = {
  /** The last of them; undefined if there are none. */
  readonly last: HeaderId | undefined;
  /** With `marks` in the same batch. Throws NodeError. */
  readonly write: (store: KeyValueStore, marks?: readonly BatchOp[]) => Promise<void>;
  /** They were not written: the next ones have them again. */
  readonly giveBack: () => void;
};

export class BlockIndex {
  readonly tree: HeaderTree;
  /** Which files the positions below point to. */
  readonly blockFiles = new FileHeights();
  readonly undoFiles = new FileHeights();
  #lastBlock: FilePosition | undefined;
  readonly #states = new RecordColumn(STATE_BYTES);
  readonly #dirty = new IdSet();
  /** That of the last header: the next one nearly always has the same bits, and the division costs 0.3 us. */
  #proof = { bits: 0, work: 0n };

  constructor(random: Random) {
    this.tree = new HeaderTree(random);
  }

  /** Of the positions of blocks the last one in the files. */
  get lastBlock(): FilePosition | undefined {
    return this.#lastBlock;
  }

  /** Number of records that changed. */
  get dirtyCount(): number {
    return this.#dirty.size;
  }

  addHeader(header: BlockHeader, parent: HeaderId | undefined): HeaderId {
    const id = this.#add(header, parent);
    if (parent !== undefined && this.isFailed(parent)) this.#setStatus(id, FAILED_PARENT);
    this.#dirty.add(id);
    return id;
  }

  hasData(id: HeaderId): boolean {
    return this.#has(id, HAVE_DATA);
  }

  isFailed(id: HeaderId): boolean {
    return this.#has(id, FAILED | FAILED_PARENT);
  }

  blockPosition(id: HeaderId): FilePosition | undefined {
    return this.#has(id, HAVE_DATA) ? this.#position(id, BLOCK_AT) : undefined;
  }

  undoPosition(id: HeaderId): FilePosition | undefined {
    return this.#has(id, HAVE_UNDO) ? this.#position(id, UNDO_AT) : undefined;
  }

  /** Whether it was once connected, with every check. */
  hasPassed(id: HeaderId): boolean {
    return this.#has(id, VALID_SCRIPTS);
  }

  hasUndo(id: HeaderId): boolean {
    return this.#has(id, HAVE_UNDO);
  }

  /** Transactions of the block (Core's nTx); 0 as long as its body never was here. */
  txCount(id: HeaderId): number {
    return this.#states.isTouched(id) ? this.#states.u32(id, TX_COUNT_AT) : 0;
  }

  setTxCount(id: HeaderId, txCount: number): void {
    this.#view(id).setUint32(TX_COUNT_AT, txCount, true);
    this.#dirty.add(id);
  }

  setData(id: HeaderId, position: FilePosition, txCount: number): void {
    this.#setPosition(id, BLOCK_AT, position);
    this.setTxCount(id, txCount);
    this.#setStatus(id, HAVE_DATA);
    this.#noteBlock(position, this.tree.heightOf(id));
  }

  /** Forgets all that points into these files, which are about to go. */
  forgetFiles({ blocks, undos }: FileSets): void {
    for (let id = 0; id < this.tree.size; id++) {
      if (blocks.has(this.blockPosition(id)?.file ?? -1)) this.#clear(id, HAVE_DATA);
      if (undos.has(this.undoPosition(id)?.file ?? -1)) this.#clear(id, HAVE_UNDO);
    }
    for (const file of blocks) this.blockFiles.forget(file);
    for (const file of undos) this.undoFiles.forget(file);
  }

  /** The block passed every check; its undo data are stored at `undo` (genesis has none). */
  setConnected(id: HeaderId, undo: FilePosition | undefined): void {
    if (undo !== undefined) {
      this.#setPosition(id, UNDO_AT, undo);
      this.undoFiles.note(undo.file, this.tree.heightOf(id));
    }
    this.#setStatus(id, VALID_SCRIPTS | (undo === undefined ? 0 : HAVE_UNDO));
  }

  /** Marks the block and all its descendants. Gives the ids marked, ascending. */
  setFailed(id: HeaderId): HeaderId[] {
    const marked = [id];
    this.#setStatus(id, FAILED);
    // Children always have larger ids than their parents, so one pass upwards finds every descendant.
    for (let child = id + 1; child < this.tree.size; child++) {
      const parent = this.tree.parentOf(child);
      if (parent === undefined || parent < id || this.isFailed(child) || !this.isFailed(parent)) continue;
      this.#setStatus(child, FAILED_PARENT);
      marked.push(child);
    }
    return marked;
  }

  /**
   * Forgets that the block, its ancestors or its descendants failed (Core's ResetBlockFailureFlags), and with them all
   * that was refused for descending from one of these. Gives the ids that are free again.
   */
  clearFailed(id: HeaderId): HeaderId[] {
    for (let up: HeaderId | undefined = id; up !== undefined; up = this.tree.parentOf(up)) this.#clear(up, FAILED);
    const freed: HeaderId[] = [];
    // Parents come before their children: one pass finds whose ancestors are free of blame.
    for (let each = 0; each < this.tree.size; each++) {
      if (!this.isFailed(each)) continue;
      if (this.tree.isAncestor(id, each)) this.#clear(each, FAILED);
      const parent = this.tree.parentOf(each);
      if (parent === undefined || !this.isFailed(parent)) this.#clear(each, FAILED_PARENT);
      if (!this.isFailed(each)) freed.push(each);
    }
    return freed;
  }

  /** Whether a record changed, of the headers `from` .. `end`. */
  hasChanges(from: HeaderId, end: HeaderId): boolean {
    return this.#dirty.first(1, from, end).length > 0;
  }

  /**
   * The first `max` records that changed, of the headers `from` .. `end`, as they are now. Ascending, so that a parent
   * comes before its children. Write them, durably, once all that they point to is on the disk.
   */
  takeChanges(max: number, from: HeaderId = 0, end: HeaderId = this.tree.size): IndexChanges {
    const ids = this.#dirty.first(max, from, end);
    // One piece of memory for all: see toLevelOps.
    const all = new Uint8Array(ids.length * (KEY_BYTES + VALUE_BYTES));
    const ops = ids.map((id, i) => this.#encode(id, all, i * (KEY_BYTES + VALUE_BYTES)));
    for (const id of ids) this.#dirty.delete(id);
    return {
      last: ids.at(-1),
      write: async (store, marks = []) => {
        if (ops.length + marks.length > 0) await store.write([...ops, ...marks], { sync: true });
      },
      giveBack: () => {
        for (const id of ids) this.#dirty.add(id);
      },
    };
  }

  /** Fills an empty index from the store. Throws NodeError `CORRUPT_DATA`. */
  async load(store: KeyValueStore, maxRecordsAWalk = MAX_RECORDS_A_WALK): Promise<void> {
    assert(this.tree.size === 0, 'load fills an empty index');
    let rest = await this.#loadSome(store, INDEX_KEYS, maxRecordsAWalk);
    while (rest !== undefined) {
      await store.trim();
      rest = await this.#loadSome(store, rest, maxRecordsAWalk);
    }
  }

  /** The keys that are left then; undefined if it was the last walk. */
  async #loadSome(store: KeyValueStore, keys: KeyRange, max: number): Promise<KeyRange | undefined> {
    let count = 0;
    for await (const [key, value] of store.entries(keys)) {
      this.#decode(value);
      count++;
      if (count === max) return { ...keys, gte: concatBytes(key, Uint8Array.of(0)) };
    }
    return undefined;
  }

  #add(header: BlockHeader, parent: HeaderId | undefined): HeaderId {
    const parentWork = parent === undefined ? 0n : this.tree.workOf(parent);
    const { bits } = header;
    if (this.#proof.bits !== bits) this.#proof = { bits, work: blockProof(bits) };
    this.#states.push();
    return this.tree.add(header, parent, parentWork + this.#proof.work);
  }

  #decode(value: Uint8Array): void {
    const stateBytes = READABLE[value[0] ?? 0];
    if (stateBytes === undefined || value.length !== 1 + BLOCK_HEADER_BYTES + stateBytes) {
      throw damaged('all', 'a record of the block index has an unknown form');
    }
    const header = new BlockHeader(value.subarray(1, 1 + BLOCK_HEADER_BYTES));
    const parent = this.tree.findBytes(header.prevHashBytes);
    if (parent === undefined && this.tree.size > 0) {
      throw damaged('all', `the block index lacks the parent of ${header.hash}`);
    }
    const id = this.#add(header, parent);
    const state = value.subarray(1 + BLOCK_HEADER_BYTES);
    if (state.every((byte) => byte === 0)) return;
    this.#states.get(id).set(state);
    const [block, undo, height] = [this.blockPosition(id), this.undoPosition(id), this.tree.heightOf(id)];
    if (block !== undefined) this.#noteBlock(block, height);
    if (undo !== undefined) this.undoFiles.note(undo.file, height);
  }

  #noteBlock(position: FilePosition, height: number): void {
    this.blockFiles.note(position.file, height);
    if (this.#lastBlock === undefined || isBehind(position, this.#lastBlock)) this.#lastBlock = position;
  }

  /** Writes key and value to `all` from `at` on. */
  #encode(id: HeaderId, all: Uint8Array, at: number): BatchOp {
    const valueAt = at + KEY_BYTES;
    all[at] = KEY_PREFIX;
    new DataView(all.buffer).setUint32(at + 1, this.tree.heightOf(id));
    this.tree.copyHash(id, all, at + 5);
    all[valueAt] = RECORD_VERSION;
    this.tree.copyRaw(id, all, valueAt + 1);
    this.#states.read(id, 0, STATE_BYTES, all, valueAt + 1 + BLOCK_HEADER_BYTES);
    return { kind: 'put', key: all.subarray(at, valueAt), value: all.subarray(valueAt, valueAt + VALUE_BYTES) };
  }

  #has(id: HeaderId, anyOf: number): boolean {
    return (this.#states.byte(id, 0) & anyOf) !== 0;
  }

  #setStatus(id: HeaderId, bits: number): void {
    const state = this.#states.get(id);
    state[0] = (state[0] ?? 0) | bits;
    this.#dirty.add(id);
  }

  #clear(id: HeaderId, bits: number): void {
    if (!this.#has(id, bits)) return;
    const state = this.#states.get(id);
    state[0] = (state[0] ?? 0) & ~bits;
    this.#dirty.add(id);
  }

  #position(id: HeaderId, at: number): FilePosition {
    const view = this.#view(id);
    return { file: view.getUint32(at, true), offset: view.getUint32(at + 4, true) };
  }

  #setPosition(id: HeaderId, at: number, position: FilePosition): void {
    const view = this.#view(id);
    view.setUint32(at, position.file, true);
    view.setUint32(at + 4, position.offset, true);
  }

  #view(id: HeaderId): DataView {
    const state = this.#states.get(id);
    return new DataView(state.buffer, state.byteOffset, STATE_BYTES);
  }
}

function isBehind(a: FilePosition, b: FilePosition): boolean {
  return a.file > b.file || (a.file === b.file && a.offset > b.offset);
}

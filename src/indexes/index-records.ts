/**
 * The schema that all indexes share. `B`: the block where the index stands, height (4 bytes) and hash. `r` | height
 * (4, big endian) | hash: what the index says of the block; there is one for each block that it ever stood on, so
 * records are added in the order of their keys, and blocks that the chain left keep theirs.
 */
import { type BlockHash, blockHashFromBytes, idToBytes } from '#primitives';
import type { BatchOp, KeyValueStore } from '#store';
import { NodeError } from '#util';

const BEST_KEY = Uint8Array.of(0x42);
const BEST_BYTES = 36;
const RECORD = 0x72;

/** A block by its place: enough of a header entry to find its record. */
export type BlockRef = { readonly height: number; readonly hash: BlockHash };

/** A key that sorts by height under the letter. */
export function blockKey(letter: number, { height, hash }: BlockRef): Uint8Array {
  const key = new Uint8Array(1 + BEST_BYTES);
  key[0] = letter;
  new DataView(key.buffer).setUint32(1, height);
  key.set(idToBytes(hash), 5);
  return key;
}

export function recordOp(ref: BlockRef, value: Uint8Array): BatchOp {
  return { kind: 'put', key: blockKey(RECORD, ref), value };
}

export function readRecord(store: KeyValueStore, ref: BlockRef): Uint8Array | undefined {
  return store.get(blockKey(RECORD, ref));
}

export function bestOp(ref: BlockRef): BatchOp {
  return { kind: 'put', key: BEST_KEY, value: blockKey(RECORD, ref).subarray(1) };
}

/** Throws NodeError. */
export function readBest(store: KeyValueStore): BlockRef | undefined {
  const value = store.get(BEST_KEY);
  if (value === undefined) return undefined;
  if (value.length !== BEST_BYTES) throw damagedIndex('the name of its best block is damaged');
  const height = new DataView(value.buffer, value.byteOffset).getUint32(0);
  return { height, hash: blockHashFromBytes(value.subarray(4)) };
}

export function damagedIndex(what: string, cause?: unknown): NodeError {
  return new NodeError('CORRUPT_DATA', `damaged index: ${what}; start with --reindex to build it anew`, { cause });
}

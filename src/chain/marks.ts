/**
 * What the index store remembers besides its records: that block files were pruned (Core's flag `prunedblockfiles`),
 * that a rebuild is under way (Core's `reindexing`), and how far the block files are recorded. An older version that does
 * not know them finds blocks missing.
 */
import type { BatchOp, FilePosition, KeyValueStore } from '#store';
import { jsonOp, readJson } from './json-record.ts';

const PRUNED_KEY = Buffer.from('Fprunedblockfiles');
const REBUILD_KEY = Buffer.from('Freindexing');
const RECORDED_KEY = Buffer.from('Frecorded');
const MARK = 'a mark of the block index';

/**
 * A rebuild and how far it came. `wipe`: what is to be built anew is still there, or part of it. `scan`: the block
 * files below `nextFile` are in the index.
 */
export type Rebuild =
  | { readonly kind: 'chainstate'; readonly step: 'wipe' }
  | { readonly kind: 'all'; readonly step: 'wipe' }
  | { readonly kind: 'all'; readonly step: 'scan'; readonly nextFile: number };

/** The prune target, in bytes, of the last run that removed files; undefined: every block is there. */
export function readPruned(store: KeyValueStore): number | undefined {
  return readJson<number>(store, PRUNED_KEY, MARK);
}

export function prunedOp(targetBytes: number | undefined): BatchOp {
  return jsonOp(PRUNED_KEY, targetBytes);
}

export function readRebuild(store: KeyValueStore): Rebuild | undefined {
  return readJson<Rebuild>(store, REBUILD_KEY, MARK);
}

/** `undefined`: it is done. */
export function rebuildOp(rebuild: Rebuild | undefined): BatchOp {
  return jsonOp(REBUILD_KEY, rebuild);
}

/** The last block of those that are all in the store's records, however far a save came that was cut off after it. */
export function readRecorded(store: KeyValueStore): FilePosition | undefined {
  return readJson<FilePosition>(store, RECORDED_KEY, MARK);
}

export function recordedOp(last: FilePosition | undefined): BatchOp {
  return jsonOp(RECORDED_KEY, last);
}

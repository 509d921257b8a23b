/** Brings the block index to the disk, behind the files that it points into. */
import type { BatchOp, KeyValueStore } from '#store';
import type { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import { recordedOp } from './marks.ts';

/** Records in one write. All of a headers sync at once took 2 GB and 30 s; 4000 still took 100 MB more than 500. */
const MAX_RECORDS_A_WRITE = 500;

/**
 * Blocks may be stored meanwhile: what is saved of the index points only to what was in the files before they were
 * synced. `marks` are in the last write, and the block up to which all are recorded: after a crash between two writes the
 * next start looks from the one before. Throws NodeError; what was not written is written the next time then.
 */
export async function saveIndex(
  index: BlockIndex,
  store: KeyValueStore,
  storage: BlockStorage,
  marks: readonly BatchOp[] = [],
): Promise<void> {
  const last = [...marks, recordedOp(index.lastBlock)];
  // One pass over the headers that there are now: what changes behind it waits for the next time, so that this ends.
  const end = index.tree.size;
  for (let from = 0; ; ) {
    const changes = index.takeChanges(MAX_RECORDS_A_WRITE, from, end);
    from = changes.last === undefined ? end : changes.last + 1;
    const isLast = !index.hasChanges(from, end);
    try {
      await storage.sync();
      await changes.write(store, isLast ? last : []);
    } catch (error) {
      changes.giveBack();
      throw error;
    }
    if (isLast) return;
  }
}

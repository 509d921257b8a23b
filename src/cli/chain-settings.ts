/** The settings that say how a chain is opened for writing. */
import { MANUAL_PRUNE_BYTES } from '#chain';
import type { NodeOptions } from '#node';
import { NodeError } from '#util';
import type { Settings } from './options.ts';

const MIB = 1 << 20;
/** Core's MIN_DISK_SPACE_FOR_BLOCK_FILES: 288 blocks and their undo data, and the files that are being written. */
const MIN_PRUNE_MIB = 550;
/** Core's -prune=1. */
const MANUAL = 1;

/** Throws NodeError `BAD_CONFIG`. */
export function chainSettings(
  settings: Settings,
): Pick<NodeOptions, 'datadir' | 'dbCacheBytes' | 'scriptThreads' | 'pruneBytes' | 'hasSmallFiles' | 'reindex'> {
  const { datadir, dbCache, fastPrune, par, prune, reindex, reindexChainstate } = settings;
  const isManual = prune === MANUAL && !fastPrune;
  if (prune > 0 && prune < MIN_PRUNE_MIB && !isManual && !fastPrune) {
    throw new NodeError(
      'BAD_CONFIG',
      `--prune ${prune} is below the least of ${MIN_PRUNE_MIB} MiB; 0 keeps all blocks, 1 removes them only when told to`,
    );
  }
  return {
    datadir,
    dbCacheBytes: dbCache * MIB,
    scriptThreads: par,
    pruneBytes: isManual ? MANUAL_PRUNE_BYTES : prune * MIB,
    hasSmallFiles: fastPrune,
    reindex: reindex ? 'all' : reindexChainstate ? 'chainstate' : undefined,
  };
}

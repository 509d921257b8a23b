/** The settings that say how a chain is opened for writing. */
import type { NodeOptions } from '#node';
import { NodeError } from '#util';
import type { Settings } from './options.ts';

const MIB = 1 << 20;
/** Core's MIN_DISK_SPACE_FOR_BLOCK_FILES: 288 blocks and their undo data, and the files that are being written. */
const MIN_PRUNE_MIB = 550;

/** Throws NodeError `BAD_CONFIG`. */
export function chainSettings(
  settings: Settings,
): Pick<NodeOptions, 'datadir' | 'dbCacheBytes' | 'scriptThreads' | 'pruneBytes' | 'hasSmallFiles' | 'reindex'> {
  const { datadir, dbCache, fastPrune, par, prune, reindex, reindexChainstate } = settings;
  if (prune > 0 && prune < MIN_PRUNE_MIB && !fastPrune) {
    throw new NodeError(
      'BAD_CONFIG',
      `--prune ${prune} is below the least of ${MIN_PRUNE_MIB} MiB; 0 keeps all blocks`,
    );
  }
  return {
    datadir,
    dbCacheBytes: dbCache * MIB,
    scriptThreads: par,
    pruneBytes: prune * MIB,
    hasSmallFiles: fastPrune,
    reindex: reindex ? 'all' : reindexChainstate ? 'chainstate' : undefined,
  };
}

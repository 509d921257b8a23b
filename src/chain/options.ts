/** What a chain is made of, and how. */
import type { NetworkParams } from '#consensus';
import type { KeyValueStore } from '#store';
import type { Clock, Logger, Random } from '#util';
import type { ScriptVerifier } from '#verify';
import type { BlockStorage } from './block-storage.ts';
import type { OpenProgress } from './port.ts';

export type ChainDeps = {
  readonly params: NetworkParams;
  /** Header tree and block positions. */
  readonly indexStore: KeyValueStore;
  /** Unspent outputs. */
  readonly coinsStore: KeyValueStore;
  readonly storage: BlockStorage;
  readonly verifier: ScriptVerifier;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

export type ChainOptions = {
  /** Memory for coins. */
  readonly dbCacheBytes: number;
  /** Bytes of coins in one write to the disk; default 128 KiB (Core's -dbbatchsize). */
  readonly dbBatchBytes?: number;
  /**
   * What block and undo files may take before old ones are removed; 0 or undefined: all are kept, and a chain whose
   * files were pruned is not opened. `as-is`: opened as it is, and nothing is removed.
   */
  readonly pruneBytes?: number | 'as-is';
  /** The lowest height that somebody still reads: pruning stays below it. */
  readonly keepFrom?: () => number;
  /** Where block and undo files end and the next are begun; default 128 MiB. */
  readonly maxFileBytes?: number;
  /** Ends a long opening; what was done is kept. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of a long opening. */
  readonly onProgress?: ((progress: OpenProgress) => void) | undefined;
};

/** Core's MAX_BLOCKFILE_SIZE. */
export const MAX_FILE_BYTES = 128 << 20;

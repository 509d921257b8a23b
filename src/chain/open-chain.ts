/**
 * A chain in a data directory, laid out with Bitcoin Core's names: `<datadir>/<network>/` (mainnet at the top) holds
 * `blocks/blk*.dat`, `blocks/rev*.dat`, `blocks/index/`, `chainstate/` and `.lock`.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NetworkParams } from '#consensus';
import { type LevelStore, lockDirectory, openAppendFiles, openLevelStore, type StoreFigures } from '#store';
import { type Clock, type Logger, NodeError, nullLogger, type Random, systemClock, systemRandom } from '#util';
import { createVerifier, type ScriptVerifier } from '#verify';
import { createBlockStorage } from './block-storage.ts';
import { createChain } from './chain.ts';
import { type ChainOptions, MAX_FILE_BYTES } from './options.ts';
import type { Chain } from './port.ts';
import { areCoinsWiped, requestRebuild } from './reindex.ts';
import type { ReindexKind } from './repair.ts';

export type OpenChainOptions = Pick<ChainOptions, 'pruneBytes' | 'keepFrom' | 'signal' | 'onProgress'> & {
  readonly params: NetworkParams;
  /** The top data directory; created when missing. */
  readonly datadir: string;
  /** Bytes of coins kept in memory (Core's -dbcache is in MiB). */
  readonly dbCacheBytes: number;
  /** Stays the caller's when given; else one is made with `scriptThreads`. */
  readonly verifier?: ScriptVerifier;
  /** 1 (default): scripts are checked on this thread; 0: on as many threads as there are cores (Core's -par). */
  readonly scriptThreads?: number;
  /** Block and undo files of 64 KiB, for tests of pruning (Core's -fastprune). */
  readonly hasSmallFiles?: boolean;
  /** Builds the coins, or index and coins, anew from the block files. */
  readonly reindex?: ReindexKind | undefined;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
};

/** Its databases: the coins, and the index of blocks and headers. */
export type OpenedChain = Chain & { readonly stores: () => Readonly<Record<'coins' | 'blocks', StoreFigures>> };

const MIB = 1 << 20;
/** The stores' own block caches: small beside the coins cache, as Core's are. */
export const COINS_STORE_CACHE_BYTES = 16 * MIB;
const INDEX_STORE_CACHE_BYTES = 2 * MIB;
const WRITE_BUFFER_BYTES = 16 * MIB;
const SMALL_FILE_BYTES = 64 << 10;

/** The network's own folder below the top data directory. */
export function networkDirectory(datadir: string, params: NetworkParams): string {
  return join(datadir, params.dataDirName);
}

/** Opens or creates. Throws NodeError: DATADIR_LOCKED, WRONG_NETWORK, SCHEMA_TOO_NEW, CORRUPT_DATA, DISK_FULL, IO, BAD_CONFIG, ABORTED. */
export async function openChain(options: OpenChainOptions): Promise<OpenedChain> {
  const { params } = options;
  const directory = networkDirectory(options.datadir, params);
  await using stack = new AsyncDisposableStack();
  stack.use(await lockDirectory(directory));
  await mkdir(join(directory, 'blocks'), { recursive: true });
  const indexStore = stack.use(await openIndexStore(join(directory, 'blocks', 'index'), options.reindex));
  if (options.reindex !== undefined) {
    await requestRebuild(indexStore, params, options.reindex, (options.pruneBytes ?? 0) !== 0);
  }
  // At once, and whatever state the database is in.
  if (areCoinsWiped(indexStore)) await rm(join(directory, 'chainstate'), { recursive: true, force: true });
  const coinsStore = stack.use(
    await openLevelStore(join(directory, 'chainstate'), {
      cacheBytes: COINS_STORE_CACHE_BYTES,
      writeBufferBytes: WRITE_BUFFER_BYTES,
    }),
  );
  const maxFileBytes = options.hasSmallFiles === true ? SMALL_FILE_BYTES : MAX_FILE_BYTES;
  const blk = stack.use(await openAppendFiles(join(directory, 'blocks'), { prefix: 'blk', maxFileBytes }));
  const rev = stack.use(await openAppendFiles(join(directory, 'blocks'), { prefix: 'rev', maxFileBytes }));
  const verifier = options.verifier ?? stack.use(createVerifier(options.scriptThreads ?? 1));
  const chain = stack.use(
    await createChain(
      {
        params,
        indexStore,
        coinsStore,
        storage: createBlockStorage(blk, rev, params.magic),
        verifier,
        clock: options.clock ?? systemClock,
        random: options.random ?? systemRandom,
        log: options.log ?? nullLogger,
      },
      { ...options, maxFileBytes },
    ),
  );
  const resources = stack.move();
  const stores: OpenedChain['stores'] = () => ({ coins: coinsStore.figures(), blocks: indexStore.figures() });
  return { ...chain, stores, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** One that is damaged is built anew when a reindex was asked for. */
async function openIndexStore(path: string, reindex: ReindexKind | undefined): Promise<LevelStore> {
  const options = { cacheBytes: INDEX_STORE_CACHE_BYTES, writeBufferBytes: WRITE_BUFFER_BYTES / 4 };
  try {
    return await openLevelStore(path, options);
  } catch (error) {
    if (reindex !== 'all' || !(error instanceof NodeError) || error.code !== 'CORRUPT_DATA') throw error;
    await rm(path, { recursive: true, force: true });
    return await openLevelStore(path, options);
  }
}

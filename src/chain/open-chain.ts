/**
 * A chain in a data directory, laid out with Bitcoin Core's names: `<datadir>/<network>/` (mainnet at the top) holds
 * `blocks/blk*.dat`, `blocks/rev*.dat`, `blocks/index/`, `chainstate/` and `.lock`.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NetworkParams } from '#consensus';
import { lockDirectory, openAppendFiles, openLevelStore } from '#store';
import { type Clock, type Logger, nullLogger, type Random, systemClock, systemRandom } from '#util';
import { createVerifier, type ScriptVerifier } from '#verify';
import { createBlockStorage } from './block-storage.ts';
import { createChain } from './chain.ts';
import type { Chain } from './port.ts';

export type OpenChainOptions = {
  readonly params: NetworkParams;
  /** The top data directory; created when missing. */
  readonly datadir: string;
  /** Bytes of coins kept in memory (Core's -dbcache is in MiB). */
  readonly dbCacheBytes: number;
  /** Stays the caller's when given; else one is made with `scriptThreads`. */
  readonly verifier?: ScriptVerifier;
  /** 1 (default): scripts are checked on this thread; 0: on as many threads as there are cores (Core's -par). */
  readonly scriptThreads?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
};

const MIB = 1 << 20;
/** The stores' own block caches: small beside the coins cache, as Core's are. */
const COINS_STORE_CACHE_BYTES = 16 * MIB;
const INDEX_STORE_CACHE_BYTES = 2 * MIB;
const WRITE_BUFFER_BYTES = 16 * MIB;
/** Core's MAX_BLOCKFILE_SIZE. */
const MAX_FILE_BYTES = 128 * MIB;

/** The network's own folder below the top data directory. */
export function networkDirectory(datadir: string, params: NetworkParams): string {
  return join(datadir, params.dataDirName);
}

/** Opens or creates. Throws NodeError: DATADIR_LOCKED, WRONG_NETWORK, SCHEMA_TOO_NEW, CORRUPT_DATA, DISK_FULL, IO. */
export async function openChain(options: OpenChainOptions): Promise<Chain> {
  const { params } = options;
  const directory = networkDirectory(options.datadir, params);
  await using stack = new AsyncDisposableStack();
  stack.use(await lockDirectory(directory));
  await mkdir(join(directory, 'blocks'), { recursive: true });
  const indexStore = stack.use(
    await openLevelStore(join(directory, 'blocks', 'index'), {
      cacheBytes: INDEX_STORE_CACHE_BYTES,
      writeBufferBytes: WRITE_BUFFER_BYTES / 4,
    }),
  );
  const coinsStore = stack.use(
    await openLevelStore(join(directory, 'chainstate'), {
      cacheBytes: COINS_STORE_CACHE_BYTES,
      writeBufferBytes: WRITE_BUFFER_BYTES,
    }),
  );
  const blk = stack.use(
    await openAppendFiles(join(directory, 'blocks'), { prefix: 'blk', maxFileBytes: MAX_FILE_BYTES }),
  );
  const rev = stack.use(
    await openAppendFiles(join(directory, 'blocks'), { prefix: 'rev', maxFileBytes: MAX_FILE_BYTES }),
  );
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
      { dbCacheBytes: options.dbCacheBytes },
    ),
  );
  const resources = stack.move();
  return { ...chain, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

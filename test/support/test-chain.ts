/** The real chain on memory stores that outlive it: dropping a chain without disposing of it is a crash. */
import type { Chain } from '#chain';
import type { NetworkParams } from '#consensus';
import { createMemoryAppendFiles, createMemoryStore } from '#store';
import { nullLogger, seededRandom } from '#util';
import { createInlineVerifier } from '#verify';
import { createBlockStorage } from '../../src/chain/block-storage.ts';
import { createChain } from '../../src/chain/chain.ts';
import type { ChainDeps, ChainOptions } from '../../src/chain/options.ts';
import { createManualClock } from './manual-clock.ts';

export type TestDisk = Pick<ChainDeps, 'indexStore' | 'coinsStore'> & {
  readonly blk: ReturnType<typeof createMemoryAppendFiles>;
  readonly rev: ReturnType<typeof createMemoryAppendFiles>;
};

export function createTestDisk(maxFileBytes = 1 << 20): TestDisk {
  return {
    indexStore: createMemoryStore(),
    coinsStore: createMemoryStore(),
    blk: createMemoryAppendFiles({ maxFileBytes }),
    rev: createMemoryAppendFiles({ maxFileBytes }),
  };
}

/** `nowSeconds` lies ahead of all blocks that the chain builder makes, unless a test says otherwise. */
export async function openTestChain(
  params: NetworkParams,
  disk: TestDisk = createTestDisk(),
  options: { readonly nowSeconds?: number } & Partial<ChainDeps> & Partial<ChainOptions> = {},
): Promise<Chain> {
  const deps: ChainDeps = {
    params,
    ...disk,
    storage: createBlockStorage(disk.blk, disk.rev, params.magic),
    verifier: await createInlineVerifier(),
    clock: createManualClock((options.nowSeconds ?? 2_000_000_000) * 1000),
    random: seededRandom(7),
    log: nullLogger,
    ...options,
  };
  return createChain(deps, { dbCacheBytes: 1 << 20, ...options });
}

/** Blocks from a file or from memory through all checks to the disk, and everything flushed. */
import { join } from 'node:path';
import { openChain } from '#chain';
import type { NetworkParams } from '#consensus';
import { Block } from '#primitives';
import { assert } from '#util';
import { type Benchmark, type Case, type Sample, timed } from './benchmark.ts';
import { mainnetBlocks, NO_MAINNET_BLOCKS, readBlocks } from './mainnet-blocks.ts';
import { buildSpendChain } from './spend-chain.ts';

const MIB = 1 << 20;

type Source = {
  readonly params: NetworkParams;
  readonly inputs: number;
  /** Blocks that nobody looked into yet, in order. */
  readonly blocks: () => AsyncIterable<Block> | Iterable<Block>;
};

export const importBlocks: Benchmark = {
  name: 'import',
  what: 'blocks decoded, checked (scripts too), stored and flushed into a new data directory on disk, one thread',
  run: async ({ isLong, scratch, measure }) => {
    const real = await mainnetBlocks();
    const paid = buildSpendChain({ blocks: isLong ? 20 : 4, paymentsPerBlock: isLong ? 2000 : 750 });
    const raw = paid.blocks.map((block) => block.raw);
    let directories = 0;
    const fresh = (): string => join(scratch, String(directories++));
    const cases: Case[] = [
      {
        name: `regtest, ${paid.blocks.length} blocks, ${paid.inputs} signatures`,
        unit: 'blocks',
        measure: () => importAll(fresh(), { ...paid, blocks: () => raw.map((bytes) => new Block(bytes)) }),
      },
    ];
    if (real !== undefined) {
      cases.unshift({
        name: 'mainnet 0 to 4312',
        unit: 'blocks',
        measure: () => importAll(fresh(), { params: real.params, inputs: 0, blocks: () => readBlocks(real) }),
      });
    }
    const results = await measure(cases, isLong ? 9 : 5);
    return real === undefined ? { results, leftOut: [NO_MAINNET_BLOCKS] } : { results };
  },
};

async function importAll(datadir: string, { params, inputs, blocks }: Source): Promise<Sample> {
  let amount = 0;
  let bytes = 0;
  const times = await timed(async () => {
    await using chain = await openChain({ params, datadir, dbCacheBytes: 450 * MIB });
    for await (const block of blocks()) {
      const verdict = await chain.submitBlock(block);
      // Genesis is there already.
      assert(verdict.kind === 'connected' || verdict.kind === 'duplicate', `block ${block.hash}: ${verdict.kind}`);
      amount++;
      bytes += block.size;
    }
  });
  const seconds = times.wallMs / 1000;
  const signatures = inputs === 0 ? {} : { 'signatures/s': inputs / seconds };
  return { ...times, amount, extra: { 'MB/s': bytes / 1e6 / seconds, ...signatures } };
}

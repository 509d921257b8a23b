/** A process of the `serve` benchmark: a whole node over full blocks. Says how busy both of its threads were. */
import { openChain } from '#chain';
import type { StarlingNode } from '#node';
import { limitHeapGrowth } from '../../src/cli/heap-growth.ts';
import { cpuMs } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { fullBlocks } from './full-blocks.ts';
import { loopDelays, resetLoopDelays } from './loop-delay.ts';
import { DB_CACHE_BYTES, listenAddress, startNode } from './node.ts';
import { servePeer } from './peer-process.ts';
import { usageOf } from './process-usage.ts';

let node: StarlingNode | undefined;

// As the program does.
limitHeapGrowth();

servePeer(
  {
    /** Makes the data directory, serves it, and gives the address. */
    listen: async ({ datadir, blocks }: { readonly datadir: string; readonly blocks: number }) => {
      await fill(datadir, blocks);
      node = await startNode({ network: 'regtest', datadir, connect: [] });
      return listenAddress(node);
    },
    resetLoopDelays,
    loopDelays,
    cpuMs,
    peakMemoryMb: () => usageOf('self').peakMemoryMb,
  },
  async () => node?.[Symbol.asyncDispose](),
);

async function fill(datadir: string, blocks: number): Promise<void> {
  await using chain = await openChain({ params: regtestParams(), datadir, dbCacheBytes: DB_CACHE_BYTES });
  for (const block of fullBlocks(blocks)) await chain.submitBlock(block);
}

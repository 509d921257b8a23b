/** A process of the `sync` benchmark: a whole node, as the program composes it. */
import { constants, setPriority } from 'node:os';
import { openChain } from '#chain';
import type { StarlingNode } from '#node';
import { Block } from '#primitives';
import { cpuMs } from './benchmark.ts';
import { mainnetBlocks, readBlocks } from './mainnet-blocks.ts';
import { DB_CACHE_BYTES, listenAddress, type NodeOrder, reach, startNode } from './node.ts';
import { servePeer } from './peer-process.ts';
import { usageOf } from './process-usage.ts';
import { buildSpendChain, type SpendChainSize } from './spend-chain.ts';

export type FillOrder = { readonly datadir: string; readonly spend: SpendChainSize | undefined };

let node: StarlingNode | undefined;

async function start(order: NodeOrder): Promise<string> {
  node = await startNode(order);
  return listenAddress(node);
}

servePeer(
  {
    /** Fills a data directory; gives height and bytes of blocks. */
    fill: async ({ datadir, spend }: FillOrder) => {
      const real = await mainnetBlocks();
      const made = spend === undefined ? undefined : buildSpendChain(spend);
      const params = made?.params ?? real?.params;
      if (params === undefined) throw new Error('there are no blocks');
      await using chain = await openChain({ params, datadir, dbCacheBytes: DB_CACHE_BYTES });
      let bytes = 0;
      for await (const block of made?.blocks ?? (real === undefined ? [] : readBlocks(real))) {
        await chain.submitBlock(new Block(block.raw));
        bytes += block.size;
      }
      return { height: chain.tip().height, bytes };
    },
    /** Its threads from now on get what is left of the processors: as if it were another machine's. */
    giveWay: () => setPriority(constants.priority.PRIORITY_LOW),
    start,
    syncTo: async ({ height, ...order }: NodeOrder & { readonly height: number }) => {
      const cpuBefore = cpuMs();
      const before = performance.now();
      await start(order);
      const startedMs = performance.now() - before;
      if (node !== undefined) await reach(node, height);
      const wallMs = performance.now() - before;
      return { wallMs, startedMs, cpuMs: cpuMs() - cpuBefore, peakMemoryMb: usageOf('self').peakMemoryMb };
    },
    cpuMs,
  },
  async () => node?.[Symbol.asyncDispose](),
);

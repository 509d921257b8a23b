/** A new node fetches a whole chain from another: everything from the socket to the coins. */
import { join } from 'node:path';
import { assert } from '#util';
import type { Benchmark, BenchmarkContext, Case, Sample } from './benchmark.ts';
import { mainnetBlocks, NO_MAINNET_BLOCKS } from './mainnet-blocks.ts';
import { type PeerProcess, startPeer } from './peer-process.ts';
import { peakMemory } from './process-usage.ts';
import type { SpendChainSize } from './spend-chain.ts';

const PEER_FILE = new URL('./sync-peer.ts', import.meta.url);

type Chain = {
  readonly name: string;
  readonly network: string;
  readonly spend: SpendChainSize | undefined;
};

type Filled = { readonly height: number; readonly bytes: number };
type Synced = {
  readonly wallMs: number;
  readonly startedMs: number;
  readonly cpuMs: number;
  readonly peakMemoryMb: number | undefined;
};

export const sync: Benchmark = {
  name: 'sync',
  what: 'a new node in a process of its own syncs from one peer, from listening to the last block; CPU of both',
  run: async (context) => {
    await using stack = new AsyncDisposableStack();
    const hasReal = (await mainnetBlocks()) !== undefined;
    const spend = { blocks: context.isLong ? 20 : 4, paymentsPerBlock: 750 };
    const chains: Chain[] = [{ name: 'regtest, blocks of 280 kB', network: 'regtest', spend }];
    if (hasReal) chains.unshift({ name: 'mainnet 0 to 4312', network: 'mainnet', spend: undefined });
    const cases: Case[] = [];
    for (const chain of chains) cases.push(await prepare(context, chain, stack));
    const results = await context.measure(cases, context.isLong ? 9 : 3);
    return hasReal ? { results } : { results, leftOut: [NO_MAINNET_BLOCKS] };
  },
};

async function prepare(context: BenchmarkContext, chain: Chain, stack: AsyncDisposableStack): Promise<Case> {
  const { scratch, execArgv } = context;
  const server = stack.use(startPeer(PEER_FILE, execArgv));
  const datadir = join(scratch, `server-${chain.network}`);
  const filled = await server.call<Filled>('fill', { datadir, spend: chain.spend });
  const address = await startNode(server, chain.network, datadir);
  let runs = 0;
  return {
    name: chain.name,
    unit: 'blocks',
    measure: () => {
      const clientDir = join(scratch, `${chain.network}-${runs++}`);
      return syncOnce(server, { ...filled, network: chain.network, datadir: clientDir, connect: [address] }, execArgv);
    },
  };
}

/** In a process of its own, ended with the stack: a node with the blocks of the data directory. */
export async function startServer(
  network: string,
  datadir: string,
  execArgv: readonly string[],
  stack: AsyncDisposableStack,
  givesWay = false,
): Promise<{ readonly process: PeerProcess; readonly address: string }> {
  const process = stack.use(startPeer(PEER_FILE, execArgv));
  if (givesWay) await process.call('giveWay');
  return { process, address: await startNode(process, network, datadir) };
}

/** Gives the address at which it listens. */
function startNode(server: PeerProcess, network: string, datadir: string): Promise<string> {
  return server.call<string>('start', { network, datadir, connect: [] });
}

/** What the client, and how. */
type Order = Filled & { readonly network: string; readonly datadir: string; readonly connect: readonly string[] };

/** A process of its own syncs and ends; the sample is the time from when its node listens to the last block. */
async function syncOnce(server: PeerProcess, order: Order, execArgv: readonly string[]): Promise<Sample> {
  await using client = startPeer(PEER_FILE, execArgv);
  const before = await server.call<number>('cpuMs');
  const { wallMs, startedMs, cpuMs, peakMemoryMb } = await client.call<Synced>('syncTo', order);
  const servedCpuMs = (await server.call<number>('cpuMs')) - before;
  const syncMs = wallMs - startedMs;
  assert(syncMs > 0, 'the sync took time');
  return {
    amount: order.height,
    wallMs: syncMs,
    cpuMs: cpuMs + servedCpuMs,
    extra: {
      'MB/s': order.bytes / 1e3 / syncMs,
      ...peakMemory(peakMemoryMb),
      'ms CPU received': cpuMs,
      'ms CPU sent': servedCpuMs,
    },
  };
}

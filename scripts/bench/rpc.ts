/** How soon calls are answered: by a node that has nothing else to do, and by one that syncs. */
import { join } from 'node:path';
import type { Benchmark, BenchmarkContext, Case, Sample } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { type PeerProcess, startPeer } from './peer-process.ts';
import { callEvenly, type LoadTarget } from './rpc-load.ts';
import { startServer } from './sync.ts';

const CALLS_PER_SECOND = 2_000;
const IDLE_MS = 2_000;
const NODE_FILE = new URL('./rpc-node.ts', import.meta.url);
const FILLER_FILE = new URL('./sync-peer.ts', import.meta.url);

export const rpc: Benchmark = {
  name: 'rpc',
  what: `${CALLS_PER_SECOND} calls of getblockheader a second, by a process of its own; from when a call is due to its answer`,
  run: async (context) => {
    await using stack = new AsyncDisposableStack();
    const { scratch, isLong, execArgv } = context;
    const datadir = join(scratch, 'served');
    const { height } = await fill(datadir, isLong ? 20 : 6, execArgv);
    const { address } = await startServer('regtest', datadir, execArgv, stack);
    let runs = 0;
    const next = (): string => join(scratch, `node-${runs++}`);
    const cases: Case[] = [
      { name: 'idle', unit: 'calls', isAlwaysCold: true, measure: () => measure(context, next(), [], 0) },
      {
        name: 'while it syncs',
        unit: 'calls',
        isAlwaysCold: true,
        measure: () => measure(context, next(), [address], height),
      },
    ];
    return { results: await context.measure(cases, isLong ? 7 : 3) };
  },
};

/** Makes a chain of blocks with signatures, in a process of its own. */
async function fill(
  datadir: string,
  blocks: number,
  execArgv: readonly string[],
): Promise<{ readonly height: number }> {
  await using filler = startPeer(FILLER_FILE, execArgv);
  return await filler.call('fill', { datadir, spend: { blocks, paymentsPerBlock: 750 } });
}

async function measure(
  { execArgv }: BenchmarkContext,
  datadir: string,
  connect: readonly string[],
  height: number,
): Promise<Sample> {
  await using node = startPeer(NODE_FILE, execArgv);
  const target = await node.call<LoadTarget>('start', { network: 'regtest', datadir, connect });
  const before = await node.call<number>('cpuMs');
  const progress = await follow(node, height);
  const body = JSON.stringify({ method: 'getblockheader', params: [regtestParams().genesis.hash], id: 1 });
  const { calls, wallMs, p50Ms, p99Ms } = await callEvenly(target, body, CALLS_PER_SECOND, IDLE_MS, progress.isOver);
  progress.stop();
  const cpuMs = (await node.call<number>('cpuMs')) - before;
  return { amount: calls, wallMs, cpuMs, extra: { 'ms p50': p50Ms, 'ms p99': p99Ms } };
}

const ASK_EVERY_MS = 100;

/** Whether the node has reached the height. */
async function follow(
  node: PeerProcess,
  height: number,
): Promise<{ readonly isOver: () => boolean; readonly stop: () => void }> {
  let reached = await node.call<number>('height');
  const timer = setInterval(async () => {
    reached = await node.call<number>('height').catch(() => reached);
  }, ASK_EVERY_MS);
  return { isOver: () => reached >= height, stop: () => clearInterval(timer) };
}

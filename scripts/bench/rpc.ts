/** How soon calls are answered: by a node that has nothing else to do, and by one that syncs; and what the sync loses by it. */
import { join } from 'node:path';
import type { Benchmark, BenchmarkContext, Case, Sample } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { type PeerProcess, startPeer } from './peer-process.ts';
import { callEvenly, type LoadTarget } from './rpc-load.ts';
import { startServer } from './sync.ts';

const CALLS_PER_SECOND = 2_000;
const IDLE_MS = 2_000;
const PAYMENTS_PER_BLOCK = 750;
const NODE_FILE = new URL('./rpc-node.ts', import.meta.url);
const FILLER_FILE = new URL('./sync-peer.ts', import.meta.url);
const SYNC_ALONE = 'sync alone';
const BODY = JSON.stringify({ method: 'getblockheader', params: [regtestParams().genesis.hash], id: 1 });

type Chain = { readonly address: string; readonly height: number };
type Started = { readonly node: PeerProcess; readonly target: LoadTarget };

export const rpc: Benchmark = {
  name: 'rpc',
  what: `${CALLS_PER_SECOND} calls of getblockheader a second, by a process of its own; from when a call is due to its answer`,
  run: async (context) => {
    await using stack = new AsyncDisposableStack();
    const { scratch, isLong, execArgv } = context;
    const datadir = join(scratch, 'served');
    const height = await fill(datadir, isLong ? 60 : 20, execArgv);
    const { address } = await startServer('regtest', datadir, execArgv, stack);
    const chain = { address, height };
    let runs = 0;
    const withNode = (measure: (started: Started) => Promise<Sample>): Pick<Case, 'isAlwaysCold' | 'measure'> => ({
      isAlwaysCold: true,
      measure: () => onNewNode(context, join(scratch, `node-${runs++}`), measure),
    });
    const cases: Case[] = [
      { name: 'idle', unit: 'calls', ...withNode(({ target }) => callIdle(target)) },
      { name: SYNC_ALONE, unit: 'blocks', ...withNode((started) => syncAlone(started, chain)) },
      {
        name: 'sync with calls',
        unit: 'blocks',
        against: SYNC_ALONE,
        ...withNode((started) => syncWithCalls(started, chain)),
      },
    ];
    return { results: await context.measure(cases, isLong ? 7 : 3) };
  },
};

/** Makes a chain of blocks with signatures, in a process of its own; gives its height. */
async function fill(datadir: string, blocks: number, execArgv: readonly string[]): Promise<number> {
  await using filler = startPeer(FILLER_FILE, execArgv);
  const spend = { blocks, paymentsPerBlock: PAYMENTS_PER_BLOCK };
  return (await filler.call<{ readonly height: number }>('fill', { datadir, spend })).height;
}

/** A sample of what `measure` does, with the CPU time that the node took meanwhile. */
async function onNewNode(
  { execArgv }: BenchmarkContext,
  datadir: string,
  measure: (started: Started) => Promise<Sample>,
): Promise<Sample> {
  await using node = startPeer(NODE_FILE, execArgv);
  const target = await node.call<LoadTarget>('start', { network: 'regtest', datadir, connect: [] });
  const before = await node.call<number>('cpuMs');
  const sample = await measure({ node, target });
  return { ...sample, cpuMs: (await node.call<number>('cpuMs')) - before };
}

async function callIdle(target: LoadTarget): Promise<Sample> {
  const { calls, wallMs, delays } = await callEvenly(target, BODY, CALLS_PER_SECOND, IDLE_MS, () => true);
  return { amount: calls, wallMs, cpuMs: undefined, extra: delays };
}

async function syncAlone({ node }: Started, chain: Chain): Promise<Sample> {
  const wallMs = await node.call<number>('sync', chain);
  return { amount: chain.height, wallMs, cpuMs: undefined };
}

async function syncWithCalls({ node, target }: Started, chain: Chain): Promise<Sample> {
  let isOver = false;
  const synced = node.call<number>('sync', chain).finally(() => {
    isOver = true;
  });
  const { calls, wallMs: loadMs, delays } = await callEvenly(target, BODY, CALLS_PER_SECOND, 0, () => isOver);
  const extra = { 'calls/s': (calls * 1000) / loadMs, ...delays };
  return { amount: chain.height, wallMs: await synced, cpuMs: undefined, extra };
}

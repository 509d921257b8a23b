/**
 * How soon the program answers calls: with nothing else to do, and while it syncs; and what the sync loses by it. The
 * chain is the one of `ibd`, so that a sync takes some 15 s. The peer gets what is left of the processors: in life it is
 * another machine.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { networkDirectory } from '#chain';
import { callRpc, findEndpoint, findLogin, type JsonValue, type RpcTarget } from '#rpc';
import { assert } from '#util';
import type { Benchmark, BenchmarkContext, Case, Sample } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { cachedChain } from './chain-cache.ts';
import { importByProgram } from './import-program.ts';
import { startProgram } from './program.ts';
import { callEvenly, WARM_UP_MS } from './rpc-load.ts';
import { SIGNED_CHAIN } from './signed-chain.ts';
import { startServer } from './sync.ts';

const CALLS_PER_SECOND = 2_000;
const IDLE_MS = 5_000;
const SYNC_ALONE = 'sync alone';
const BODY = JSON.stringify({ method: 'getblockheader', params: [regtestParams().genesis.hash], id: 1 });

export const rpc: Benchmark = {
  name: 'rpc',
  what: `${CALLS_PER_SECOND} calls of getblockheader a second, by a process of its own; from when a call is due to its answer`,
  isHeavy: true,
  run: async (context) => {
    await using stack = new AsyncDisposableStack();
    const { scratch, isLong, execArgv } = context;
    const datadir = join(scratch, 'served');
    await importByProgram({ file: await cachedChain(SIGNED_CHAIN), tip: SIGNED_CHAIN.tip, datadir }, execArgv);
    const { address } = await startServer('regtest', datadir, execArgv, stack, true);
    let runs = 0;
    const withProgram = (measure: (target: RpcTarget) => Promise<Sample>): Pick<Case, 'isAlwaysCold' | 'measure'> => ({
      isAlwaysCold: true,
      measure: () => onNewNode(context, join(scratch, `node-${runs++}`), measure),
    });
    const cases: Case[] = [
      { name: 'idle', unit: 'calls', ...withProgram((target) => callIdle(target)) },
      { name: SYNC_ALONE, unit: 'blocks', ...withProgram((target) => syncAlone(target, address)) },
      {
        name: 'sync with calls',
        unit: 'blocks',
        against: SYNC_ALONE,
        ...withProgram((target) => syncWithCalls(target, address)),
      },
    ];
    return { results: await context.measure(cases, isLong ? 7 : 3) };
  },
};

/** A sample of what `measure` does, with the CPU time that the program took meanwhile. */
async function onNewNode(
  { execArgv }: BenchmarkContext,
  datadir: string,
  measure: (target: RpcTarget) => Promise<Sample>,
): Promise<Sample> {
  const args = ['node', '--network', 'regtest', '--datadir', datadir, '--listen', '/ip4/127.0.0.1/tcp/0'];
  const rpcArgs = ['--rpc-port', '0', '--dashboard', 'off'];
  const program = await startProgram([...args, ...rpcArgs], 'node is running', { execArgv });
  try {
    const target = await targetOf(networkDirectory(datadir, regtestParams()));
    const before = program.usage().cpuMs;
    const sample = await measure(target);
    const after = program.usage().cpuMs;
    return { ...sample, cpuMs: before === undefined || after === undefined ? undefined : after - before };
  } finally {
    await program.stop();
  }
}

async function targetOf(directory: string): Promise<RpcTarget> {
  const [endpoint, login] = await Promise.all([findEndpoint(directory), findLogin(undefined, directory)]);
  assert(endpoint !== undefined && login !== undefined, 'a program that runs says where and how it can be called');
  return { endpoint, login, timeoutMs: 0 };
}

async function call(target: RpcTarget, method: string, params: readonly JsonValue[]): Promise<void> {
  const reply = await callRpc(target, method, params);
  assert(reply.kind === 'result', `${method} succeeds: ${JSON.stringify(reply)}`);
}

async function callIdle(target: RpcTarget): Promise<Sample> {
  const { calls, wallMs, delays } = await callEvenly(target, BODY, CALLS_PER_SECOND, IDLE_MS, () => true);
  return { amount: calls, wallMs, cpuMs: undefined, extra: delays };
}

/** From the dial to the last block. */
async function syncAlone(target: RpcTarget, peer: string): Promise<Sample> {
  const before = performance.now();
  await call(target, 'addnode', [peer, 'add']);
  await call(target, 'waitforblockheight', [SIGNED_CHAIN.height]);
  return { amount: SIGNED_CHAIN.height, wallMs: performance.now() - before, cpuMs: undefined };
}

async function syncWithCalls(target: RpcTarget, peer: string): Promise<Sample> {
  let isOver = false;
  const syncing = sleep(WARM_UP_MS)
    .then(() => syncAlone(target, peer))
    .finally(() => {
      isOver = true;
    });
  const { calls, wallMs, delays } = await callEvenly(target, BODY, CALLS_PER_SECOND, 0, () => isOver);
  return { ...(await syncing), extra: { 'calls/s': (calls * 1000) / wallMs, ...delays } };
}

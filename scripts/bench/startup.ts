/** From the start of the process until the program is of use. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { openChain } from '#chain';
import type { NetworkParams } from '#consensus';
import { BLOCK_HEADER_BYTES, BlockHeader } from '#primitives';
import { assert } from '#util';
import type { Benchmark, Case, Sample } from './benchmark.ts';
import { buildHeaders, RETARGETING_NETWORK, retargetingParams } from './header-chain.ts';
import { mainnetBlocks, NO_MAINNET_BLOCKS, readBlocks } from './mainnet-blocks.ts';
import { startProgram } from './program.ts';

const DB_CACHE_BYTES = 64 << 20;
const RUNNING = 'node is running';

export const startup: Benchmark = {
  name: 'startup',
  what: 'from the start of the process to its version, or to "node is running"; memory is the peak until then',
  run: async ({ isLong, scratch, measure }) => {
    // A cache of compiled code of our own: whether it is warm must not depend on what ran before.
    const cache = join(scratch, 'compiled');
    const env = { ...process.env, NODE_COMPILE_CACHE: cache };
    const networkFile = join(scratch, 'network.json');
    await writeFile(networkFile, JSON.stringify(RETARGETING_NETWORK));
    const headerCount = isLong ? 800_000 : 100_000;
    await storeHeaders(join(scratch, 'headers'), retargetingParams(), headerCount);
    const real = await mainnetBlocks();
    const node = (name: string, network: string, directory: string): Case => ({
      name,
      unit: 'ms',
      measure: () => startNode(env, network, join(scratch, directory)),
    });
    const cases: Case[] = [
      { name: '--version', unit: 'ms', measure: () => run(['--version'], '0.', env) },
      {
        name: '--version, nothing compiled before',
        unit: 'ms',
        measure: () => withoutCache(join(scratch, 'cold'), (cold) => run(['--version'], '0.', cold)),
      },
      node('node, regtest, empty', 'regtest', 'empty'),
      {
        name: 'node, regtest, nothing compiled before',
        unit: 'ms',
        measure: () =>
          withoutCache(join(scratch, 'cold'), (cold) => startNode(cold, 'regtest', join(scratch, 'empty'))),
      },
      node(`node, ${headerCount} headers`, networkFile, 'headers'),
    ];
    if (real !== undefined) {
      await using chain = await openChain({
        params: real.params,
        datadir: join(scratch, 'mainnet'),
        dbCacheBytes: DB_CACHE_BYTES,
      });
      for await (const block of readBlocks(real)) await chain.submitBlock(block);
      cases.push(node(`node, mainnet, ${real.height} blocks`, 'mainnet', 'mainnet'));
    }
    const results = await measure(cases, isLong ? 15 : 5);
    return real === undefined ? { results, leftOut: [NO_MAINNET_BLOCKS] } : { results };
  },
};

async function run(args: readonly string[], line: string, env: NodeJS.ProcessEnv): Promise<Sample> {
  const program = await startProgram(args, line, { env });
  const { wallMs } = program;
  const { cpuMs, peakMemoryMb } = program.usage();
  const stoppedMs = await program.stop();
  const extra = { ...(peakMemoryMb === undefined ? {} : { 'MB memory': peakMemoryMb }), 'ms to stop': stoppedMs };
  return { amount: 1, wallMs, cpuMs, extra };
}

function startNode(env: NodeJS.ProcessEnv, network: string, datadir: string): Promise<Sample> {
  const listen = ['--listen', '/ip4/127.0.0.1/tcp/0'];
  return run(['node', '--network', network, '--datadir', datadir, ...listen, '--log-format', 'json'], RUNNING, env);
}

async function withoutCache(folder: string, measure: (env: NodeJS.ProcessEnv) => Promise<Sample>): Promise<Sample> {
  await rm(folder, { recursive: true, force: true });
  return measure({ ...process.env, NODE_COMPILE_CACHE: folder });
}

async function storeHeaders(datadir: string, params: NetworkParams, count: number): Promise<void> {
  await mkdir(datadir, { recursive: true });
  await using chain = await openChain({ params, datadir, dbCacheBytes: DB_CACHE_BYTES });
  const raw = buildHeaders(params, count);
  const all = Array.from({ length: count }, (_, i) => {
    return new BlockHeader(raw.subarray(i * BLOCK_HEADER_BYTES, (i + 1) * BLOCK_HEADER_BYTES));
  });
  assert(chain.submitHeaders(all).kind === 'accepted', 'the headers are valid');
}

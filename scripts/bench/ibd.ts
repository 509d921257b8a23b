/**
 * The first sync of a chain full of signatures, layer by layer: the bare signature checks, the script verifiers on the
 * same blocks, the program's import of the whole chain, and its sync from another node.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { loadSecp256k1 } from '#crypto';
import { assert } from '#util';
import { createInlineVerifier, createPoolVerifier, type ScriptJob, type ScriptVerifier } from '#verify';
import { type Benchmark, type BenchmarkContext, type Case, type Sample, timed } from './benchmark.ts';
import { cachedChain } from './chain-cache.ts';
import { importByProgram } from './import-program.ts';
import type { PeerProcess } from './peer-process.ts';
import { peakMemory } from './process-usage.ts';
import { type ChainSample, engineCalls, jobsOf, readSample, type SampleBlock } from './script-sample.ts';
import { SIGNED_CHAIN } from './signed-chain.ts';
import { startServer } from './sync.ts';
import { syncByProgram } from './sync-program.ts';

const CORES = availableParallelism();
const BARE = 'bare verification of signatures, one thread';
const POOL = `pool verifier, ${CORES} workers`;
const IMPORT = 'import by the program';
/** The verifiers get every eighth block of payments. */
const SAMPLE_STEP = 8;
/** Blocks at the verifier at a time, as when the next ones are read while one is checked. */
const BATCHES_IN_FLIGHT = 3;

export const ibd: Benchmark = {
  name: 'ibd',
  what: 'a chain of 210,000 signed inputs: blocks of it through the verifiers, all of it by import and by sync',
  isHeavy: true,
  run: async (context) => {
    const file = await cachedChain(SIGNED_CHAIN);
    const chain = await readSample(file, context.isLong ? 1 : SAMPLE_STEP);
    await using stack = new AsyncDisposableStack();
    const pool = stack.use(await createPoolVerifier({ workers: CORES }));
    const cases = [...(await verifierCases(chain.blocks, pool)), ...programCases(context, file, chain, stack)];
    return { results: await context.measure(cases, context.isLong ? 5 : 3) };
  },
};

/** The same blocks by each verifier, and only what these ask the engine for. */
async function verifierCases(blocks: readonly SampleBlock[], pool: ScriptVerifier): Promise<Case[]> {
  const secp = loadSecp256k1();
  const calls = await engineCalls(blocks, secp);
  const signatures = calls.filter(({ isSignature }) => isSignature).length;
  const inputs = blocks.reduce((sum, block) => sum + block.inputs, 0);
  const inline = createInlineVerifier();
  let bareMs: number | undefined;
  const bare = async (): Promise<Sample> => {
    const times = await timed(() => {
      for (const { repeat } of calls) assert(repeat(secp), 'the engine answers as before');
    });
    bareMs = times.wallMs;
    return { ...times, amount: inputs, extra: { 'signatures/s': (1000 * signatures) / times.wallMs } };
  };
  const pooled = async (): Promise<Sample> => {
    const sample = await verifyAll(pool, blocks, BATCHES_IN_FLIGHT);
    // Of the same round.
    const extra = bareMs === undefined ? {} : { [`% of ${CORES} x bare`]: (100 * bareMs) / (CORES * sample.wallMs) };
    return { ...sample, extra };
  };
  return [
    { name: BARE, unit: 'inputs', measure: bare },
    { name: 'inline verifier', unit: 'inputs', against: BARE, measure: () => verifyAll(inline, blocks, 1) },
    { name: POOL, unit: 'inputs', against: BARE, measure: pooled },
  ];
}

/** A batch a block, so many of them at a time. */
async function verifyAll(
  verifier: ScriptVerifier,
  blocks: readonly SampleBlock[],
  batchesInFlight: number,
): Promise<Sample> {
  const batches: ScriptJob[][] = blocks.map(jobsOf);
  const waiting = batches.values();
  const work = async (): Promise<void> => {
    for (const jobs of waiting) assert((await verifier.verify(jobs)) === undefined, 'valid scripts succeed');
  };
  const times = await timed(async () => {
    await Promise.all(Array.from({ length: batchesInFlight }, work));
  });
  return { ...times, amount: blocks.reduce((sum, block) => sum + block.inputs, 0) };
}

function programCases(
  { scratch, execArgv }: BenchmarkContext,
  file: string,
  { inputs, bytes }: ChainSample,
  stack: AsyncDisposableStack,
): Case[] {
  let directories = 0;
  const fresh = (): string => join(scratch, String(directories++));
  const importInto = async (datadir: string): Promise<Sample> => {
    const { wallMs, cpuMs, peakMemoryMb } = await importByProgram({ file, tip: SIGNED_CHAIN.tip, datadir }, execArgv);
    return { amount: inputs, wallMs, cpuMs, extra: { 'MB/s': bytes / 1e3 / wallMs, ...peakMemory(peakMemoryMb) } };
  };
  let importMs: number | undefined;
  const measureImport = async (): Promise<Sample> => {
    const sample = await importInto(fresh());
    importMs = sample.wallMs;
    return sample;
  };
  let server: { readonly process: PeerProcess; readonly address: string } | undefined;
  const sync = async (): Promise<Sample> => {
    if (server === undefined) {
      const datadir = fresh();
      await importInto(datadir);
      server = await startServer('regtest', datadir, execArgv, stack);
    }
    const order = { tip: SIGNED_CHAIN.tip, datadir: fresh(), flags: ['--connect', server.address] };
    const before = await server.process.call<number>('cpuMs');
    const { wallMs, reachedMs, cpuMs, peakMemoryMb } = await syncByProgram(order, execArgv);
    const servedCpuMs = (await server.process.call<number>('cpuMs')) - before;
    return {
      amount: inputs,
      wallMs,
      cpuMs: cpuMs === undefined ? undefined : cpuMs + servedCpuMs,
      extra: {
        // Of the same round.
        ...(importMs === undefined ? {} : { 'x the time of the import': wallMs / importMs }),
        's to the tip': reachedMs / 1000,
        'MB/s': bytes / 1e3 / wallMs,
        ...peakMemory(peakMemoryMb),
        'ms CPU sent': servedCpuMs,
      },
    };
  };
  return [
    { name: IMPORT, unit: 'inputs', against: POOL, isAlwaysCold: true, measure: measureImport },
    { name: 'sync from a peer', unit: 'inputs', against: IMPORT, isAlwaysCold: true, measure: sync },
  ];
}

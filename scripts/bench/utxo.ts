/** The unspent outputs under pressure: a chain of many coins imported with caches of different sizes. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { networkDirectory } from '#chain';
import type { Benchmark, BenchmarkContext, Case, Sample } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { cachedChain } from './chain-cache.ts';
import { importByProgram } from './import-program.ts';
import { peakMemory } from './process-usage.ts';
import { LONG_UTXO_CHAIN, UTXO_CHAIN, type UtxoChain } from './utxo-chain.ts';

const CACHES_MIB = [32, 100, 450, 1024];

export const utxo: Benchmark = {
  name: 'utxo',
  what: 'the program imports a million coins without signatures under assumevalid; coins made and spent, by size of the cache',
  isHeavy: true,
  run: async (context) => {
    const chain = context.isLong ? LONG_UTXO_CHAIN : UTXO_CHAIN;
    const file = await cachedChain(chain);
    const assumed = ['--assume-valid', chain.tip];
    const measured = (name: string, ...flags: readonly string[]): Case => ({
      name,
      unit: 'coins',
      isAlwaysCold: true,
      measure: () => importOnce(context, chain, file, flags),
    });
    const cases = [
      ...CACHES_MIB.map((mib) => measured(`cache of ${mib} MiB`, '--db-cache', String(mib), ...assumed)),
      measured('default cache', ...assumed),
      measured('default cache, scripts run', '--assume-valid', '0'),
    ];
    return { results: await context.measure(cases, 3) };
  },
};

async function importOnce(
  { scratch, execArgv }: BenchmarkContext,
  { tip, coins }: UtxoChain,
  file: string,
  flags: readonly string[],
): Promise<Sample> {
  const datadir = join(scratch, 'datadir');
  const { wallMs, cpuMs, peakMemoryMb } = await importByProgram({ file, tip, datadir, flags }, execArgv);
  const chainstate = await folderBytes(join(networkDirectory(datadir, regtestParams()), 'chainstate'));
  await rm(datadir, { recursive: true });
  const extra = { ...peakMemory(peakMemoryMb), 'MB chainstate': chainstate / 1e6 };
  return { amount: coins, wallMs, cpuMs, extra };
}

async function folderBytes(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

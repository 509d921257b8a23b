/**
 * Measures the node's speed, each benchmark in processes of its own, and prints medians and ratios.
 *
 *   npm run bench                     all but the heavy ones, a few minutes
 *   npm run bench -- stream ibd       those named; heavy ones only so
 *   npm run bench -- --long           more rounds of more work
 *   npm run bench -- --only libp2p    of each, the cases whose name holds this text
 *   npm run bench -- --json           one JSON object
 *   npm run bench -- --profile DIR    CPU profiles (*.cpuprofile) of every process
 *   npm run bench -- --list           what there is
 *
 * Ratios compare cases of the same round. CPU time is steadier than wall time on a machine that does other work.
 */
import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BENCHMARKS } from './bench/all.ts';
import type { Benchmark, Report } from './bench/benchmark.ts';
import { type Finished, machineLine, textOf, thisMachine } from './bench/report.ts';
import type { Progress, Started } from './bench/run-one.ts';

const RUNNER = fileURLToPath(new URL('./bench/run-one.ts', import.meta.url));

type Options = {
  readonly isLong: boolean;
  readonly isJson: boolean;
  readonly only: string;
  readonly profile: string | undefined;
};

function chosen(names: readonly string[]): readonly Benchmark[] {
  const unknown = names.find((name) => !BENCHMARKS.some((each) => each.name === name));
  if (unknown !== undefined) {
    throw new Error(`no benchmark ${unknown}; there are: ${BENCHMARKS.map((each) => each.name).join(', ')}`);
  }
  if (names.length === 0) return BENCHMARKS.filter(({ isHeavy = false }) => !isHeavy);
  return BENCHMARKS.filter((each) => names.includes(each.name));
}

function runOne({ name }: Benchmark, options: Options): Promise<Report> {
  const profiling = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(options.profile)}`];
  const child = fork(RUNNER, { execArgv: ['--expose-gc', ...profiling] });
  child.send({ name, isLong: options.isLong, only: options.only } satisfies Started);
  return new Promise((resolveReport, reject) => {
    child.on('message', (progress: Progress) => {
      if (progress.kind === 'progress') show(`${name}: ${progress.done} of ${progress.of}`);
      else if (progress.kind === 'done') resolveReport(progress.report);
      else reject(new Error(`${name}: ${progress.error}`));
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => reject(new Error(`${name}: ended early with ${signal ?? `code ${code}`}`)));
  });
}

/** One line that is written over, on a terminal only. */
function show(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      long: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      profile: { type: 'string' },
    },
  });
  if (values.list) {
    for (const { name, what, isHeavy = false } of BENCHMARKS) {
      console.log(`${name.padEnd(10)}${what}${isHeavy ? ' (only when named)' : ''}`);
    }
    return;
  }
  const benchmarks = chosen(positionals);
  const options = { isLong: values.long, isJson: values.json, only: values.only, profile: values.profile };
  if (options.profile !== undefined) mkdirSync(options.profile, { recursive: true });
  const machine = thisMachine();
  if (!options.isJson) console.log(`${machineLine(machine)}\n`);
  const finished: Finished[] = [];
  for (const benchmark of benchmarks) {
    const report = await runOne(benchmark, options);
    show('');
    const { name, what } = benchmark;
    finished.push({ name, what, report });
    if (!options.isJson) console.log(`${textOf({ name, what, report })}\n`);
  }
  if (options.isJson) console.log(JSON.stringify({ machine, benchmarks: finished }, undefined, 2));
}

try {
  await main();
} catch (error) {
  show('');
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

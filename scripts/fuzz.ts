/**
 * Throws random inputs at two or more things that must agree, in two threads, and says what it met.
 *
 *   npm run fuzz -- engines                            the target's usual number of cases
 *   npm run fuzz -- engines --cases 100000 --seed 1    the same cases for the same seed, however many threads
 *   npm run fuzz -- --list                             what there is
 *
 * A difference is printed with all its bytes, to be kept as a vector; the exit code is then 1.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { addShare, emptyTally, summaryLine, type Tally, tallyTable } from './fuzz/tally.ts';
import type { FuzzTarget, ShareResult } from './fuzz/target.ts';
import { TARGETS } from './fuzz/targets.ts';
import type { Job } from './fuzz/worker.ts';

const THREADS = 2;
/** A difference is rarely alone. */
const DIFFERENCES_SHOWN = 20;
const PROGRESS_MS = 10_000;

function wholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new Error(`${name} takes a whole number, not ${text}`);
  return value;
}

function chosen(names: readonly string[]): FuzzTarget {
  const target = TARGETS.find(({ name }) => name === names[0]);
  if (target !== undefined && names.length === 1) return target;
  throw new Error(`name one target of: ${TARGETS.map(({ name }) => name).join(', ')}`);
}

/** Runs one thread's part of the shares to its end. */
function runThread(job: Job, onShare: (result: ShareResult) => void): Promise<void> {
  const worker = new Worker(new URL('./fuzz/worker.ts', import.meta.url), { workerData: job });
  return new Promise((resolve, reject) => {
    worker.on('message', onShare).on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a thread ended with code ${code}`))));
  });
}

async function fuzz(target: FuzzTarget, cases: number, seed: number): Promise<Tally> {
  const tally = emptyTally();
  const started = performance.now();
  let shown = started;
  const onShare = (result: ShareResult): void => {
    addShare(tally, result);
    const now = performance.now();
    const isLate = now - shown >= PROGRESS_MS;
    const line = `${target.name}: ${tally.cases} of ${cases}, ${tally.differences.length} differences`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
    else if (isLate) console.error(`${line}, ${Math.round((now - started) / 1000)} s`);
    if (isLate) shown = now;
  };
  const jobs = Array.from({ length: THREADS }, (_, part) => ({ target: target.name, cases, seed, part, of: THREADS }));
  await Promise.all(jobs.map((job) => runThread(job, onShare)));
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return tally;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      cases: { type: 'string' },
      seed: { type: 'string', default: '1' },
      list: { type: 'boolean', default: false },
    },
  });
  if (values.list) {
    for (const { name, what, usualCases } of TARGETS) console.log(`${name.padEnd(14)}${what} (${usualCases} cases)`);
    return 0;
  }
  const target = chosen(positionals);
  const lacking = await target.lacks?.();
  if (lacking !== undefined) throw new Error(lacking);
  const cases = values.cases === undefined ? target.usualCases : wholeNumber(values.cases, '--cases');
  const seed = wholeNumber(values.seed, '--seed');
  const started = performance.now();
  const tally = await fuzz(target, cases, seed);
  console.log(tallyTable(tally));
  for (const difference of tally.differences.slice(0, DIFFERENCES_SHOWN)) console.log(`DIFFERENCE ${difference}`);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${target.name}: ${summaryLine(tally)}, seed ${seed}, ${seconds} s`);
  return tally.cases === cases && tally.differences.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

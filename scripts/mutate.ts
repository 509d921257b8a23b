/**
 * Measures what the tests notice: changes the consensus and script sources in one small place at a time and runs the
 * tests on each such mutant. A mutant that no test fails on has survived, and shows what is not tested.
 *
 *   npm run mutate                        all of them: half an hour on two idle cores
 *   npm run mutate -- --file pow          of the files whose path holds this text (may be repeated)
 *   npm run mutate -- --sample 200        a random choice, the same again with the same --seed
 *   npm run mutate -- --list              only say what there is
 *   npm run mutate -- --jobs 4            so many at a time (2)
 *   npm run mutate -- --json FILE         writes every mutant and what became of it
 *
 * The exit code is 0 only if nothing survived and every entry of mutate/equivalents.txt still matches a mutant.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seededRandom } from '#util';
import { EquivalentList, readEquivalents } from './mutate/equivalents.ts';
import { type Mutant, mutantsOf } from './mutate/mutants.ts';
import { changeText, reportText } from './mutate/report.ts';
import { type Result, runMutants } from './mutate/run.ts';
import { MUTATED, stagesFor } from './mutate/stages.ts';
import { readSources } from './source-scan.ts';

/** A stage may compute so long, or three times as long as without a mutant. */
const MIN_CPU_SECONDS = 4;
const ROOT = fileURLToPath(new URL('..', import.meta.url));

type Options = {
  readonly files: readonly string[];
  readonly sample: number | undefined;
  readonly seed: number;
  readonly jobs: number;
  readonly isList: boolean;
  readonly json: string | undefined;
};

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      file: { type: 'string', multiple: true, default: [] },
      sample: { type: 'string' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '2' },
      list: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  return {
    files: values.file,
    sample: values.sample === undefined ? undefined : count('--sample', values.sample),
    seed: count('--seed', values.seed),
    jobs: count('--jobs', values.jobs),
    isList: values.list,
    json: values.json,
  };
}

function count(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${name} must be a positive number, not "${text}"`);
  return Number(text);
}

/** `size` of the items, in their order. */
function sampled<T>(items: readonly T[], size: number, seed: number): T[] {
  const random = seededRandom(seed);
  const drawn = items.map((item, at) => ({ item, at, order: random.below(2 ** 32) }));
  const chosen = drawn.sort((a, b) => a.order - b.order).slice(0, size);
  return chosen.sort((a, b) => a.at - b.at).map(({ item }) => item);
}

function showProgress(done: number, total: number, survived: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done} of ${total}, ${survived} survived`);
  else if (done % 100 === 0) process.stderr.write(`${done} of ${total}, ${survived} survived\n`);
}

function test(mutants: readonly Mutant[], jobs: number): Promise<Result[]> {
  let survived = 0;
  return runMutants({
    root: ROOT,
    mutants,
    stagesFor: (path) => stagesFor(ROOT, path),
    jobs,
    minCpuSeconds: MIN_CPU_SECONDS,
    onResult: ({ outcome }, done) => {
      if (outcome.kind === 'survived') survived++;
      showProgress(done, mutants.length, survived);
    },
  });
}

async function main(): Promise<number> {
  const options = readOptions();
  const { files, sample, seed } = options;
  const isAsked = (path: string): boolean => files.length === 0 || files.some((part) => path.includes(part));
  const sources = readSources(ROOT, MUTATED).filter(({ path }) => isAsked(path));
  if (sources.length === 0) throw new Error(`no source has ${files.join(' or ')} in its path`);
  const all = sources.flatMap(({ path, text }) => mutantsOf(path, text));
  const equivalents = new EquivalentList(readEquivalents());
  const distinct = all.filter((mutant) => !equivalents.has(mutant));
  const stale = equivalents.stale(isAsked);
  const chosen = sample === undefined ? distinct : sampled(distinct, sample, seed);
  if (options.isList) {
    for (const mutant of chosen) console.log(changeText(mutant));
    console.log(`${chosen.length} mutants, ${all.length - distinct.length} equivalent`);
    return 0;
  }
  const results = await test(chosen, options.jobs);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(reportText(results, all.length - distinct.length, stale));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ results, stale }, null, 1)}\n`);
  return stale.length > 0 || results.some(({ outcome }) => outcome.kind === 'survived') ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

/**
 * A long run of a network of whole nodes under the load of Bitcoin's: does anything grow that should not?
 *
 *   npm run soak                          30 minutes: the figures that count
 *   npm run soak -- --minutes 1           a try: too short for a slope
 *   npm run soak -- --heap-snapshots DIR  writes V8's heap of the first process after the warm-up and at the end
 *
 * Ends with code 1 if a node's heap grows by 1 MB/h or more after the warm-up (the first third), or if streams,
 * listeners, timers or other things have become more. `bench/README.md` says what is measured and what taken off.
 */
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { toMegabytes } from './bench/growth.ts';
import { machineLine, thisMachine } from './bench/report.ts';
import { type Minute, runSoak } from './bench/soak.ts';
import { verdictOf } from './bench/soak-verdict.ts';

const DEFAULT_MINUTES = 30;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string' }, 'heap-snapshots': { type: 'string' } },
  });
  const minutes = Number(values.minutes ?? DEFAULT_MINUTES);
  if (!Number.isInteger(minutes) || minutes < 1) throw new Error('--minutes takes a whole number of at least 1');
  const folder = values['heap-snapshots'];
  const snapshots = folder === undefined ? undefined : resolve(folder);
  if (snapshots !== undefined) mkdirSync(snapshots, { recursive: true });
  console.log(`${machineLine(thisMachine())}\n`);
  const scratch = await mkdtemp(join(tmpdir(), 'starling-soak-'));
  try {
    const run: Minute[] = [];
    await runSoak({ minutes, scratch, snapshots }, (minute) => {
      run.push(minute);
      console.log(lineOf(minute));
    });
    const { lines, isFlat } = verdictOf(run);
    console.log(`\n${lines.join('\n')}`);
    if (!isFlat) process.exitCode = 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Memory of a node, in each process. */
function lineOf({ atMs, processes }: Minute): string {
  const each = (of: (process: Minute['processes'][number]) => number): string =>
    processes.map((process) => toMegabytes(of(process)).toFixed(2)).join(' ');
  const height = processes[0]?.counts['height'];
  return [
    `${(atMs / 60_000).toFixed(1).padStart(5)} min`,
    `height ${height}`,
    `heap ${each(({ heapBytes }) => heapBytes)} MB a node`,
    `outside ${each(({ externalBytes }) => externalBytes)}`,
  ].join(', ');
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** The process in which one benchmark runs. Says how far it is and what it found to whoever started it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BENCHMARKS } from './all.ts';
import type { Report } from './benchmark.ts';
import { runRounds } from './rounds.ts';

export type Started = {
  readonly name: string;
  readonly isLong: boolean;
  /** Only cases whose name holds this text; empty for all. */
  readonly only: string;
};

export type Progress =
  | { readonly kind: 'progress'; readonly done: number; readonly of: number }
  | { readonly kind: 'done'; readonly report: Report }
  | { readonly kind: 'failed'; readonly error: string };

const tell = (progress: Progress): void => {
  if (process.connected) process.send?.(progress);
};

async function run({ name, isLong, only }: Started): Promise<Report> {
  const benchmark = BENCHMARKS.find((each) => each.name === name);
  if (benchmark === undefined) throw new Error(`no benchmark ${name}`);
  const scratch = await mkdtemp(join(tmpdir(), `starling-bench-${name}-`));
  try {
    return await benchmark.run({
      isLong,
      scratch,
      // What profiles this process profiles those that it starts.
      execArgv: process.execArgv,
      measure: (cases, rounds) =>
        runRounds(
          cases.filter((each) => each.name.includes(only)),
          rounds,
          (done, of) => tell({ kind: 'progress', done, of }),
        ),
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

process.once('message', async (started: Started) => {
  try {
    tell({ kind: 'done', report: await run(started) });
  } catch (error) {
    tell({ kind: 'failed', error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  process.disconnect();
});
// Whoever started it has gone.
process.on('disconnect', () => process.exit());

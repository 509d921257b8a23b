/** The thread that runs every `of`th share of a fuzz run, from share `part` on, and tells what each met. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { type Outcome, type ShareResult, shareSeed, sharesOf } from './target.ts';
import { TARGETS } from './targets.ts';

export type Job = {
  readonly target: string;
  readonly cases: number;
  readonly seed: number;
  readonly part: number;
  readonly of: number;
};

async function gather(outcomes: Iterable<Outcome> | AsyncIterable<Outcome>): Promise<ShareResult> {
  const kinds = new Map<string, { valid: number; invalid: number }>();
  const differences: string[] = [];
  for await (const { kind, isValid, difference } of outcomes) {
    const sum = kinds.get(kind) ?? { valid: 0, invalid: 0 };
    kinds.set(kind, sum);
    sum[isValid ? 'valid' : 'invalid']++;
    if (difference !== undefined) differences.push(difference);
  }
  return { kinds, differences };
}

const job = workerData as Job;
const target = TARGETS.find(({ name }) => name === job.target);
assert(target, `no target ${job.target}`);
await using stack = new AsyncDisposableStack();
const run = await target.start(stack);
for (const [share, cases] of sharesOf(job.cases).entries()) {
  if (share % job.of === job.part) parentPort?.postMessage(await gather(run(shareSeed(job.seed, share), cases)));
}

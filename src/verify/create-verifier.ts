/** The verifier that fits the machine. */
import { availableParallelism } from 'node:os';
import { createInlineVerifier } from './inline.ts';
import { CAPACITY_PER_WORKER, createPoolVerifier } from './pool.ts';
import type { ScriptVerifier } from './port.ts';
import { isQuick } from './quick.ts';

/** Core's MAX_SCRIPTCHECK_THREADS and the main thread. */
const MAX_THREADS = 16;

/**
 * With `threads` worker threads; 0 (the default) takes as many as there are cores, 16 at most; 1 checks on the calling
 * thread (Core's -par). Threads start with the first script that is worth one: a node without blocks to check does without.
 */
export function createVerifier(threads = 0): ScriptVerifier {
  const workers = threads === 0 ? Math.min(availableParallelism(), MAX_THREADS) : threads;
  if (workers === 1) return createInlineVerifier();
  const inline = createInlineVerifier();
  let pool: Promise<ScriptVerifier> | undefined;
  let started: ScriptVerifier | undefined;
  const start = async (): Promise<ScriptVerifier> => {
    started = await createPoolVerifier({ workers });
    return started;
  };
  return {
    verify: async (jobs, signal) => {
      const [first] = jobs;
      if (first === undefined) return undefined;
      if (jobs.length === 1 && isQuick(first)) return inline.verify(jobs, signal);
      pool ??= start();
      try {
        return await (started ?? (await pool)).verify(jobs, signal);
      } catch (error) {
        // One that could not start is tried again with the next batch.
        if (started === undefined) pool = undefined;
        throw error;
      }
    },
    capacity: () => started?.capacity() ?? workers * CAPACITY_PER_WORKER,
    [Symbol.asyncDispose]: async () => {
      const opened = await pool?.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

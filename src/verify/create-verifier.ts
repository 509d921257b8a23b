/** The verifier that fits the machine. */
import { availableParallelism } from 'node:os';
import { systemClock } from '#util';
import { createInlineVerifier } from './inline.ts';
import { type MeteredVerifier, metered, type VerifierFigures, type WorkerUse } from './meter.ts';
import { CAPACITY_PER_WORKER, createPoolVerifier, type PooledVerifier } from './pool.ts';
import type { ScriptVerifier } from './port.ts';
import { isQuick } from './quick.ts';
import { ScriptCache, type ScriptCacheFigures, withScriptCache } from './script-cache.ts';

/** Core's MAX_SCRIPTCHECK_THREADS and the main thread. */
const MAX_THREADS = 16;
const NO_WORKERS: WorkerUse = { workers: 0, activeMs: 0, idleMs: 0 };

/**
 * With `threads` worker threads; 0 (the default) takes as many as there are cores, 16 at most; 1 checks on the calling
 * thread (Core's -par). Threads start with the first script that is worth one: a node without blocks to check does without.
 */
export function createVerifier(threads = 0): MeteredVerifier {
  const workers = threads === 0 ? Math.min(availableParallelism(), MAX_THREADS) : threads;
  const inline = createInlineVerifier();
  if (workers === 1) return metered(inline, () => NO_WORKERS, systemClock);
  let started: PooledVerifier | undefined;
  const onThreads = startsWhenNeeded(workers, inline, (pool) => {
    started = pool;
  });
  return metered(onThreads, () => started?.use() ?? NO_WORKERS, systemClock);
}

export type CachedVerifier = ScriptVerifier & {
  readonly figures: () => VerifierFigures & { readonly cache: ScriptCacheFigures };
};

/** The same, with a script cache. */
export function createCachedVerifier(threads = 0, cacheEntries?: number): CachedVerifier {
  const verifier = createVerifier(threads);
  const cache = new ScriptCache(cacheEntries);
  return {
    ...withScriptCache(verifier, cache),
    figures: () => ({ ...verifier.figures(), cache: cache.figures() }),
    [Symbol.asyncDispose]: () => verifier[Symbol.asyncDispose](),
  };
}

function startsWhenNeeded(
  workers: number,
  inline: ScriptVerifier,
  onStart: (pool: PooledVerifier) => void,
): ScriptVerifier {
  let pool: Promise<ScriptVerifier> | undefined;
  let started: PooledVerifier | undefined;
  const start = async (): Promise<ScriptVerifier> => {
    started = await createPoolVerifier({ workers, waitsForAll: false });
    onStart(started);
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

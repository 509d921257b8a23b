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
 * thread (Core's -par). Threads start with the first script: a node that checks none does without, and one that takes
 * transactions has them when a block comes that holds others. Loading them takes a second or more of a busy machine.
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
    try {
      started = await createPoolVerifier({ workers, waitsForAll: false });
    } catch (error) {
      // The next batch that needs one tries again.
      pool = undefined;
      throw error;
    }
    onStart(started);
    return started;
  };
  let isStartedEarly = false;
  const startEarly = (): void => {
    if (isStartedEarly) return;
    isStartedEarly = true;
    pool ??= start();
    pool.catch(() => undefined);
  };
  return {
    verify: async (jobs, options) => {
      if (jobs.length === 0) return undefined;
      if (isQuick(jobs)) {
        startEarly();
        return inline.verify(jobs, options);
      }
      pool ??= start();
      return (started ?? (await pool)).verify(jobs, options);
    },
    capacity: () => started?.capacity() ?? workers * CAPACITY_PER_WORKER,
    [Symbol.asyncDispose]: async () => {
      const opened = await pool?.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

/** The search for a nonce in a thread of its own, so that a node that mines goes on as one that does not. */
import { Worker } from 'node:worker_threads';
import { BlockHeader } from '#primitives';
import { NodeError } from '#util';
import type { GrindReply, GrindRequest } from './grind-worker.ts';

export type Grinder = AsyncDisposable & {
  /**
   * Tries every nonce once, beginning with the header's own; undefined when none meets the header's target. One search
   * at a time: another one, and the signal (whose reason it rejects with), end the one before. Rejects with NodeError
   * `IO` when the thread is gone.
   */
  readonly grind: (header: BlockHeader, signal: AbortSignal) => Promise<BlockHeader | undefined>;
};

const YOUNG_MEMORY_MB = 4;

type Search = PromiseWithResolvers<BlockHeader | undefined> & { readonly id: number };

/** Starts the thread. Disposal ends it. */
export function createGrinder(): Grinder {
  const worker = new Worker(new URL('./grind-worker.ts', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEMORY_MB },
  });
  let search: Search | undefined;
  let lastId = 0;
  let failure: NodeError | undefined;
  const post = (request: GrindRequest): void => worker.postMessage(request);
  const end = (error: unknown): void => {
    search?.reject(error);
    search = undefined;
  };
  worker.on('message', ({ id, header }: GrindReply) => {
    if (search?.id !== id) return;
    search.resolve(header === undefined ? undefined : new BlockHeader(header));
    search = undefined;
  });
  let cause: unknown;
  worker.on('error', (error) => {
    cause = error;
  });
  worker.on('exit', (code) => {
    failure = new NodeError('IO', `the mining thread ended with code ${code}`, { cause });
    end(failure);
  });

  return {
    grind: async (header, signal) => {
      signal.throwIfAborted();
      if (failure !== undefined) throw failure;
      end(new NodeError('ABORTED', 'another search began'));
      lastId += 1;
      const own: Search = { id: lastId, ...Promise.withResolvers<BlockHeader | undefined>() };
      search = own;
      const onAbort = (): void => {
        if (search !== own) return;
        post({ id: 0, header: undefined });
        end(signal.reason);
      };
      signal.addEventListener('abort', onAbort);
      post({ id: own.id, header: header.raw.slice() });
      try {
        return await own.promise;
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
    },
  };
}

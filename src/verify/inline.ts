/**
 * Script verification on the calling thread. It gives way to the event loop between inputs, about every 20 ms; one
 * input is never interrupted, and the worst that consensus allows (a tapscript with a block full of signatures)
 * takes seconds.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { loadSecp256k1, type Secp256k1 } from '#crypto';
import { type Clock, systemClock } from '#util';
import { JobVerifier } from './job-verifier.ts';
import type { ScriptVerifier } from './port.ts';

export type InlineVerifierOptions = {
  /** The engine; by default the fastest that works here. */
  readonly secp?: Secp256k1;
  readonly clock?: Clock;
  /** How long to work before others get a turn, in milliseconds. */
  readonly sliceMs?: number;
};

const DEFAULT_SLICE_MS = 20;
/** Inputs worth handing over at once: about 20 ms of the native engine. */
const CAPACITY_INPUTS = 256;

export function createInlineVerifier(options: InlineVerifierOptions = {}): ScriptVerifier {
  const { secp = loadSecp256k1(), clock = systemClock, sliceMs = DEFAULT_SLICE_MS } = options;
  let running = 0;

  const verify: ScriptVerifier['verify'] = async (jobs, { signal } = {}) => {
    running++;
    try {
      let sliceEndMs = clock.monotonicMs() + sliceMs;
      const verifier = new JobVerifier(secp);
      for (const [at, job] of jobs.entries()) {
        verifier.begin(job, jobs[at + 1]);
        for (let input = 0; input < job.tx.inputs.length; input++) {
          signal?.throwIfAborted();
          const error = verifier.verify(input);
          if (error !== undefined) return { job: at, input, error };
          if (clock.monotonicMs() < sliceEndMs) continue;
          await nextTurn();
          sliceEndMs = clock.monotonicMs() + sliceMs;
        }
      }
      return undefined;
    } finally {
      running--;
    }
  };

  return {
    verify,
    capacity: () => (running === 0 ? CAPACITY_INPUTS : 0),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

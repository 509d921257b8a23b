/** Counts what a verifier is given and how long it takes. A few additions a batch. */
import { Histogram, type HistogramFigures } from '#meter';
import type { Clock } from '#util';
import type { ScriptVerifier } from './port.ts';

/** Time that the event loops of all worker threads were busy, and not. */
export type WorkerUse = { readonly workers: number; readonly activeMs: number; readonly idleMs: number };

/** Since the start. What the script cache knew is not in it. */
export type VerifierFigures = WorkerUse & {
  readonly batches: number;
  readonly inputs: number;
  readonly failed: number;
  /** Inputs of batches that are not decided yet. */
  readonly waitingInputs: number;
  readonly seconds: HistogramFigures;
};

export type MeteredVerifier = ScriptVerifier & { readonly figures: () => VerifierFigures };

export function metered(inner: ScriptVerifier, use: () => WorkerUse, clock: Clock): MeteredVerifier {
  const seconds = new Histogram();
  let batches = 0;
  let inputs = 0;
  let failed = 0;
  let waitingInputs = 0;

  const verify: ScriptVerifier['verify'] = async (jobs, options) => {
    if (jobs.length === 0) return inner.verify(jobs, options);
    const own = jobs.reduce((sum, { tx }) => sum + tx.inputs.length, 0);
    const startedMs = clock.monotonicMs();
    batches += 1;
    inputs += own;
    waitingInputs += own;
    try {
      const failure = await inner.verify(jobs, options);
      if (failure !== undefined) failed += 1;
      seconds.add((clock.monotonicMs() - startedMs) / 1000);
      return failure;
    } finally {
      waitingInputs -= own;
    }
  };

  return {
    verify,
    capacity: () => inner.capacity(),
    figures: () => ({ ...use(), batches, inputs, failed, waitingInputs, seconds: seconds.figures() }),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

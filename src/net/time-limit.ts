/** Runs something that takes an abort signal, for a limited time and no longer than until we stop. */
import type { Clock } from '#util';

export async function withTimeLimit<T>(
  clock: Clock,
  limitMs: number,
  stopping: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  // Not AbortSignal.any: it leaks listeners.
  const onStop = (): void => controller.abort(stopping.reason);
  stopping.addEventListener('abort', onStop);
  if (stopping.aborted) onStop();
  const timer = clock.after(limitMs, () => controller.abort(new Error(`not done in ${limitMs} ms`)));
  try {
    return await run(controller.signal);
  } finally {
    timer.cancel();
    stopping.removeEventListener('abort', onStop);
  }
}

/**
 * The clock port. Everything that waits or tells the time takes one, so that tests run hours in
 * milliseconds. Times are milliseconds; `now` is Unix time, `monotonicMs` only ever grows.
 */
export type TimerHandle = { readonly cancel: () => void };

export type Clock = {
  /** Unix time in milliseconds. May jump when the operator sets the clock. */
  readonly now: () => number;
  /** Milliseconds since an arbitrary start; never goes back. */
  readonly monotonicMs: () => number;
  /** Runs `fn` once after `delayMs`. The handle's `cancel` is idempotent. A pending timer does not keep the process alive. */
  readonly after: (delayMs: number, fn: () => void) => TimerHandle;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, fn) => {
    const timer = setTimeout(fn, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Resolves after the event loop has turned once: what is ready to run runs first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves after `delayMs` of the clock's time; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

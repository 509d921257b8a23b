/**
 * A clock whose time can be set, for regression tests against a running node (Core's SetMockTime and MockForward). Until it
 * is, it is the clock below.
 */
import type { Clock, TimerHandle } from '#util';

export type MockableClock = Clock & {
  /** Unix time stands still at this from now on, milliseconds; undefined lets it go on. */
  readonly setTime: (ms: number | undefined) => void;
  /** Has every timer end so much earlier. */
  readonly forward: (ms: number) => void;
};

type Timer = { readonly fn: () => void; dueMs: number; handle: TimerHandle };

export function mockableClock(base: Clock): MockableClock {
  let mockMs: number | undefined;
  const timers = new Set<Timer>();
  const arm = (timer: Timer): TimerHandle =>
    base.after(Math.max(0, timer.dueMs - base.monotonicMs()), () => {
      timers.delete(timer);
      timer.fn();
    });
  return {
    now: () => mockMs ?? base.now(),
    monotonicMs: base.monotonicMs,
    after: (delayMs, fn) => {
      const timer: Timer = { fn, dueMs: base.monotonicMs() + delayMs, handle: { cancel: () => {} } };
      timers.add(timer);
      timer.handle = arm(timer);
      return {
        cancel: () => {
          timers.delete(timer);
          timer.handle.cancel();
        },
      };
    },
    setTime: (ms) => {
      mockMs = ms;
    },
    forward: (ms) => {
      for (const timer of timers) {
        timer.handle.cancel();
        timer.dueMs -= ms;
        timer.handle = arm(timer);
      }
    },
  };
}

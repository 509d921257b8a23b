/**
 * A clock whose timers count only the time in which this process runs. While the event loop is held up, answers lie in the
 * socket unread, and those who sent them are not slow; after it, timers would fire before anything is read.
 */
import type { Clock, TimerHandle } from '#util';

/** How much of a delay of the loop a timer takes for time that has passed. */
const STEP_MS = 50;

export function countRunningTime(clock: Clock): Clock {
  return {
    ...clock,
    after: (delayMs, fn) => {
      let leftMs = delayMs;
      let timer: TimerHandle;
      const step = (): void => {
        const stepMs = Math.min(leftMs, STEP_MS);
        leftMs -= stepMs;
        timer = clock.after(stepMs, () => (leftMs > 0 ? step() : fn()));
      };
      step();
      return { cancel: () => timer.cancel() };
    },
  };
}

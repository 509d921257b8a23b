/** Does something so many times at an even rate. Bounded: whoever is late catches up a few at a time, and ends when all are done. */
import { nowMs } from './benchmark.ts';

const TICK_MS = 5;
/** What is made up for at one tick: a process that was held up must not become a burst of everything it owes. */
const MAX_PER_TICK = 50;

export type Offering = {
  /** Of `nowMs`, when the first is due. */
  readonly startMs: number;
  readonly perSecond: number;
  readonly count: number;
};

/** Calls `act` with 0, 1, … when each is due; does not wait for what it begins. Resolves when the last was begun. */
export function offerEvenly({ startMs, perSecond, count }: Offering, act: (index: number) => void): Promise<void> {
  return new Promise((resolve) => {
    let next = 0;
    const timer = setInterval(() => {
      const due = Math.min(count, Math.floor(((nowMs() - startMs) * perSecond) / 1000) + 1, next + MAX_PER_TICK);
      for (; next < due; next++) act(next);
      if (next < count) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
}

/**
 * A clock for tests: time moves only when told to, timers fire in order of their time (then of their making), and
 * promises settle in between. Hours pass in milliseconds.
 */
import type { Clock, TimerHandle } from '#util';

type Timer = { readonly atMs: number; readonly order: number; readonly fn: () => void };

export type ManualClock = Clock & {
  /** Runs all timers due within `ms`, letting promises settle after each, then stands at the end of that time. */
  readonly advance: (ms: number) => Promise<void>;
  /**
   * Moves from timer to timer until `done` (a promise that settles, or a condition) and gives the promise's value.
   * Throws if nothing is left to wait for, or after `limitMs` of the clock's time (default: one day).
   */
  readonly runUntil: <T>(done: Promise<T> | (() => boolean), limitMs?: number) => Promise<T | undefined>;
  /** Timers that wait. */
  readonly pending: () => number;
};

export type ManualClockOptions = {
  /** Awaited before time moves: resolves when real work outside of the clock (a disk, a worker) is done. */
  readonly settle?: () => Promise<void> | void;
};

const DAY_MS = 86_400_000;
/** Turns of the event loop after which, with no timer waiting, nothing more is expected to happen. */
const IDLE_TURNS = 50;

export function createManualClock(startMs = 0, options: ManualClockOptions = {}): ManualClock {
  const timers = new TimerHeap();
  let elapsedMs = 0;
  let made = 0;

  const after = (delayMs: number, fn: () => void): TimerHandle => {
    const timer: Timer = { atMs: elapsedMs + Math.max(0, delayMs), order: made++, fn };
    timers.push(timer);
    return { cancel: () => timers.cancel(timer) };
  };

  const settle = async (): Promise<void> => {
    await turn();
    if (options.settle === undefined) return;
    await options.settle();
    await turn();
  };

  /** Fires the next timer if it is due by `limitMs`. */
  const fireNext = (limitMs: number): boolean => {
    const timer = timers.popDue(limitMs);
    if (timer === undefined) return false;
    elapsedMs = Math.max(elapsedMs, timer.atMs);
    timer.fn();
    return true;
  };

  const advance = async (ms: number): Promise<void> => {
    const untilMs = elapsedMs + ms;
    await settle();
    while (fireNext(untilMs)) await settle();
    elapsedMs = untilMs;
  };

  const runUntil = async <T>(done: Promise<T> | (() => boolean), limitMs = DAY_MS): Promise<T | undefined> => {
    const outcome = watch(done);
    const untilMs = elapsedMs + limitMs;
    for (let idle = 0; ; ) {
      await settle();
      if (outcome.isDone()) return outcome.value();
      if (fireNext(untilMs)) idle = 0;
      else if (timers.size > 0) throw new Error(`not done after ${limitMs} ms of the manual clock`);
      else if (++idle > IDLE_TURNS) throw new Error('not done, and nothing is left that could happen');
    }
  };

  return {
    now: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after,
    advance,
    runUntil,
    pending: () => timers.size,
  };
}

/** One turn of the event loop: everything that promises have made ready runs. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function watch<T>(done: Promise<T> | (() => boolean)): { isDone: () => boolean; value: () => T | undefined } {
  if (typeof done === 'function') return { isDone: done, value: () => undefined };
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
  done.then(
    (value) => {
      outcome = { value };
    },
    (error: unknown) => {
      outcome = { error };
    },
  );
  return {
    isDone: () => outcome !== undefined,
    value: () => {
      if (outcome !== undefined && 'error' in outcome) throw outcome.error;
      return outcome?.value;
    },
  };
}

/** A binary heap by time, then by order of making. Cancelled timers stay until they come to the top. */
class TimerHeap {
  readonly #items: Timer[] = [];
  readonly #live = new Set<Timer>();

  get size(): number {
    return this.#live.size;
  }

  cancel(timer: Timer): void {
    this.#live.delete(timer);
  }

  push(timer: Timer): void {
    this.#live.add(timer);
    const items = this.#items;
    let index = items.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(items, index, parent)) break;
      swap(items, index, parent);
      index = parent;
    }
  }

  popDue(limitMs: number): Timer | undefined {
    for (;;) {
      const [top] = this.#items;
      if (top === undefined) return undefined;
      if (this.#live.has(top) && top.atMs > limitMs) return undefined;
      this.#removeTop();
      if (this.#live.delete(top)) return top;
    }
  }

  #removeTop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    items[0] = last;
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child = right < items.length && isBefore(items, right, left) ? right : left;
      if (child >= items.length || !isBefore(items, child, index)) return;
      swap(items, child, index);
      index = child;
    }
  }
}

function isBefore(items: readonly Timer[], a: number, b: number): boolean {
  const [first, second] = [items[a], items[b]];
  if (first === undefined || second === undefined) return false;
  return first.atMs === second.atMs ? first.order < second.order : first.atMs < second.atMs;
}

function swap(items: Timer[], a: number, b: number): void {
  const [first, second] = [items[a], items[b]];
  if (first === undefined || second === undefined) return;
  items[a] = second;
  items[b] = first;
}

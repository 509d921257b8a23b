/**
 * Things that are let go together, at times `intervalMs` apart: those that are due, first come first, and at most
 * `maxAtOnce` of them; the others follow. Of nothing due there is no timer.
 */
import type { Clock, TimerHandle } from './clock.ts';

export type Pace = {
  readonly intervalMs: number;
  readonly maxAtOnce: number;
  /** Beyond it the newest is refused. */
  readonly maxWaiting: number;
};

type Entry<T> = { readonly item: T; readonly dueMs: number };

export class PacedQueue<T> {
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #letGo: (items: readonly T[]) => void;
  /** Of all times: queues that start at different times let go at different times. */
  readonly #startedMs: number;
  /** Those that are due first come first. */
  #waiting: Entry<T>[] = [];
  #timer: TimerHandle | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, pace: Pace, letGo: (items: readonly T[]) => void) {
    this.#clock = clock;
    this.#pace = pace;
    this.#letGo = letGo;
    this.#startedMs = clock.monotonicMs();
  }

  /** Due after so long. False, and nothing is kept, when there is no room. */
  add(item: T, afterMs: number): boolean {
    if (this.#waiting.length >= this.#pace.maxWaiting) return false;
    const dueMs = this.#clock.monotonicMs() + afterMs;
    const place = this.#waiting.findLastIndex((other) => other.dueMs <= dueMs) + 1;
    this.#waiting.splice(place, 0, { item, dueMs });
    this.#plan(dueMs);
    return true;
  }

  /** What waits is forgotten. */
  stop(): void {
    this.#timer?.cancel();
    this.#timerMs = Number.POSITIVE_INFINITY;
    this.#waiting = [];
  }

  #plan(dueMs: number): void {
    const { intervalMs } = this.#pace;
    const intervals = Math.ceil((dueMs - this.#startedMs) / intervalMs);
    const atMs = this.#startedMs + intervals * intervalMs;
    if (atMs >= this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = atMs;
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => this.#tick());
  }

  #tick(): void {
    this.#timerMs = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonicMs();
    const isDue = this.#waiting.findIndex(({ dueMs }) => dueMs > now);
    const count = Math.min(isDue < 0 ? this.#waiting.length : isDue, this.#pace.maxAtOnce);
    const items = this.#waiting.splice(0, count).map(({ item }) => item);
    if (items.length > 0) this.#letGo(items);
    const [next] = this.#waiting;
    // What is overdue goes at the next time, not at this one again.
    if (next !== undefined) this.#plan(Math.max(next.dueMs, now + 1));
  }
}

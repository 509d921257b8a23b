/**
 * Cuts long work into slices, so that the event loop keeps turning: who calls by RPC and who sends to us waits for a
 * slice, not for a block or a flood of transactions. All work on one clock shares the time of a turn, and those that
 * used it up get a turn each, in the order in which they came.
 */
import type { Clock } from './clock.ts';

const SLICE_MS = 2;

class Turns {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #endMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#endMs = clock.monotonicMs() + SLICE_MS;
  }

  get isUsedUp(): boolean {
    return this.#clock.monotonicMs() >= this.#endMs;
  }

  next(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(() => this.#begin());
    });
  }

  #begin(): void {
    this.#endMs = this.#clock.monotonicMs() + SLICE_MS;
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(() => this.#begin());
  }
}

const turnsOf = new WeakMap<Clock, Turns>();

export class Slices {
  readonly #turns: Turns;

  constructor(clock: Clock) {
    this.#turns = turnsOf.get(clock) ?? new Turns(clock);
    turnsOf.set(clock, this.#turns);
  }

  /** To be awaited between two pieces of work: lets everything else run once the slice is used up. */
  async rest(): Promise<void> {
    if (this.#turns.isUsedUp) await this.#turns.next();
  }
}

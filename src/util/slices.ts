/**
 * Cuts long work into slices, so that the event loop keeps turning: who calls by RPC and who sends to us waits for a
 * slice, not for a block or a flood of transactions. All work on one clock shares the time of a turn, and those that
 * used it up get a turn each, in the order in which they came.
 */
import type { Clock } from './clock.ts';

const SLICE_MS = 5;
/** What is late when it waits is given so much in one go. */
const URGENT_MS = 50;

type Rest = () => Promise<void>;

class Turns {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #startedMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  /** Whether it lasts for as long, or longer. */
  isOlderThan(ms: number): boolean {
    return this.#clock.monotonicMs() >= this.#startedMs + ms;
  }

  next(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(() => this.#begin());
    });
  }

  #begin(): void {
    this.#startedMs = this.#clock.monotonicMs();
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
  readonly rest: Rest = async () => {
    if (this.#turns.isOlderThan(SLICE_MS)) await this.#turns.next();
  };

  /** For work that others wait for, if it is: put off only where it is so large that nothing else would run. */
  restIn(isUrgent: boolean): Rest {
    return isUrgent ? this.#restFromUrgent : this.rest;
  }

  readonly #restFromUrgent: Rest = async () => {
    if (this.#turns.isOlderThan(URGENT_MS)) await this.#turns.next();
  };
}

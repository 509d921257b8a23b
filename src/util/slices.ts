/** Cuts long work into slices: a flood of small transactions would else keep the event loop from turning. */
import { type Clock, nextTurn } from './clock.ts';

const SLICE_MS = 10;

export class Slices {
  readonly #clock: Clock;
  #endMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#endMs = clock.monotonicMs() + SLICE_MS;
  }

  /** To be awaited between two pieces of work: lets everything else run once the slice is used up. */
  async rest(): Promise<void> {
    if (this.#clock.monotonicMs() < this.#endMs) return;
    await nextTurn();
    this.#endMs = this.#clock.monotonicMs() + SLICE_MS;
  }
}

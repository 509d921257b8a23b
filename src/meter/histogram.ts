/**
 * Counts values by size, as Prometheus' histograms do. An addition and a short search a value; memory is the bounds.
 * Not for what comes hundreds of thousands of times a second.
 */
import { assert } from '#util';

/** Plain data: it may cross threads. */
export type HistogramFigures = {
  /** Ascending, inclusive upper ends. */
  readonly bounds: readonly number[];
  /** Of the values up to each bound and above the one before; one more for what is above all. */
  readonly counts: readonly number[];
  readonly sum: number;
};

/** From what a thread does between two turns to what makes a peer give up. */
export const LATENCY_SECONDS: readonly number[] = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
  ...[1, 2.5, 5, 10, 30],
];

export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[] = LATENCY_SECONDS) {
    assert(
      bounds.every((bound, at) => at === 0 || bound > (bounds[at - 1] ?? bound)),
      'bounds ascend',
    );
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  add(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] ?? 0)) at += 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  figures(): HistogramFigures {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}

/** Counts what a store is asked: an addition a read. */
import { Histogram, type HistogramFigures } from '#meter';
import type { Clock } from '#util';

/** Since it was opened. */
export type StoreFigures = {
  /** Values asked for. */
  readonly reads: number;
  readonly writtenOps: number;
  /** Keys and values, as they were given. */
  readonly writtenBytes: number;
  /** Of each batch, from its turn on. */
  readonly writeSeconds: HistogramFigures;
  /** What the database says that it holds in memory. */
  readonly memoryBytes: number;
};

export class StoreMeter {
  reads = 0;
  readonly #clock: Clock;
  readonly #writeSeconds = new Histogram();
  #ops = 0;
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async write(ops: number, bytes: number, work: () => Promise<void>): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    await work();
    this.#ops += ops;
    this.#bytes += bytes;
    this.#writeSeconds.add((this.#clock.monotonicMs() - startedMs) / 1000);
  }

  figures(): Omit<StoreFigures, 'memoryBytes'> {
    return {
      reads: this.reads,
      writtenOps: this.#ops,
      writtenBytes: this.#bytes,
      writeSeconds: this.#writeSeconds.figures(),
    };
  }
}

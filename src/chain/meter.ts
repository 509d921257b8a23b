/** What connecting blocks costs, since the start: a few additions a block. */
import { Histogram, type HistogramFigures, LATENCY_SECONDS } from '#meter';
import type { Clock } from '#util';

/**
 * Of a block, in this order: `load` reads it and the coins that it spends, `check` applies it with all rules but scripts,
 * `scripts` runs them (beside those of others), `undo` stores what takes it back, `follow` waits for mempool, indexes and
 * sync. The last is of a change, which may be several blocks.
 */
type ConnectPhase = 'load' | 'check' | 'scripts' | 'undo' | 'follow';

/** Plain numbers. */
export type ChainFigures = {
  readonly connectSeconds: Readonly<Record<ConnectPhase, HistogramFigures>>;
  readonly flushSeconds: HistogramFigures;
  /** Blocks that proved invalid when they came or were connected. */
  readonly invalidBlocks: number;
  /** Blocks whose scripts run. */
  readonly blocksInFlight: number;
  readonly headers: number;
  readonly coins: CoinsFigures;
};

/** `hits` and `misses` of what blocks spend and did not make themselves. */
export type CoinsFigures = {
  readonly bytes: number;
  readonly maxBytes: number;
  readonly entries: number;
  readonly dirtyEntries: number;
  readonly hits: number;
  readonly misses: number;
};

/** What knows figures of its own. */
type Measured = {
  readonly index: { readonly tree: { readonly size: number } };
  readonly coins: { readonly figures: () => CoinsFigures };
};

/** A flush of gigabytes takes a minute and more. */
const FLUSH_SECONDS = [...LATENCY_SECONDS, 60, 120, 300];

export class ChainMeter {
  readonly #clock: Clock;
  readonly #phases: Readonly<Record<ConnectPhase, Histogram>> = {
    load: new Histogram(),
    check: new Histogram(),
    scripts: new Histogram(),
    undo: new Histogram(),
    follow: new Histogram(),
  };
  readonly #flushSeconds = new Histogram(FLUSH_SECONDS);
  invalidBlocks = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.monotonicMs();
  }

  /** A phase that began then is over. Gives the time, at which the next may begin. */
  ended(phase: ConnectPhase, startedMs: number): number {
    const nowMs = this.now();
    this.#phases[phase].add((nowMs - startedMs) / 1000);
    return nowMs;
  }

  flushed(ms: number): void {
    this.#flushSeconds.add(ms / 1000);
  }

  figures({ index, coins }: Measured, blocksInFlight: number): ChainFigures {
    const { load, check, scripts, undo, follow } = this.#phases;
    return {
      connectSeconds: {
        load: load.figures(),
        check: check.figures(),
        scripts: scripts.figures(),
        undo: undo.figures(),
        follow: follow.figures(),
      },
      flushSeconds: this.#flushSeconds.figures(),
      invalidBlocks: this.invalidBlocks,
      blocksInFlight,
      headers: index.tree.size,
      coins: coins.figures(),
    };
  }
}

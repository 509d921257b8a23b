/** What becomes of exchanges, by the row of their stream. A few additions an exchange. */

import { Histogram, Tally } from '#meter';
import type { StreamName } from '#protocol';
import type { Clock } from '#util';
import type { ExchangeFigures } from './figures.ts';
import type { RequestErrorCode } from './port.ts';
import { streamNames } from './rows.ts';

/** Of ours: `answered`, or why not. Of others: `answered`, `busy` (over the quota), or cut. */
export type ExchangeResult = 'answered' | 'busy' | RequestErrorCode;

/** Shown from the start. */
const USUAL: readonly ExchangeResult[] = ['answered', 'ABORTED', 'DISCONNECTED', 'STREAM_RESET', 'TIMEOUT'];

type Counts = { running: number; readonly results: Tally; readonly seconds: Histogram };

export class ExchangeMeter {
  readonly #clock: Clock;
  readonly #counts: Readonly<Record<StreamName, Counts>>;

  /** `more`: results that are usual too. */
  constructor(clock: Clock, more: readonly ExchangeResult[] = []) {
    this.#clock = clock;
    this.#counts = byStream(() => ({
      running: 0,
      results: new Tally([...USUAL, ...more].map(labelOf)),
      seconds: new Histogram(),
    }));
  }

  /** One begins; to be called with what came of it. */
  begin(name: StreamName): (result: ExchangeResult) => void {
    const counts = this.#counts[name];
    const startedMs = this.#clock.monotonicMs();
    counts.running += 1;
    return (result) => {
      counts.running -= 1;
      counts.results.add(labelOf(result));
      counts.seconds.add((this.#clock.monotonicMs() - startedMs) / 1000);
    };
  }

  figures(): Record<StreamName, ExchangeFigures> {
    return byStream((name) => {
      const { running, results, seconds } = this.#counts[name];
      return { running, results: results.figures(), seconds: seconds.figures() };
    });
  }
}

function byStream<T>(make: (name: StreamName) => T): Record<StreamName, T> {
  return Object.fromEntries(streamNames.map((name) => [name, make(name)])) as Record<StreamName, T>;
}

/** As metrics spell them: `STREAM_RESET` is `stream-reset`. */
function labelOf(result: ExchangeResult): string {
  return result.toLowerCase().replaceAll('_', '-');
}

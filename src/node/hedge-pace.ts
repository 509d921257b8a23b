/**
 * How long a peer may take before another is asked as well. Where links are long, machines slow, or the answer itself is
 * still on its way to who was asked, everybody is late, and asking twice only doubles the bytes. So the time follows what
 * answers have taken, as TCP's retransmission timer does (RFC 6298, 2.2 and 2.3): their mean and four times their deviation.
 * What a peer took that was overtaken is not counted: who is late on purpose, to be waited for the next time, gets nothing
 * by it, unless everybody else is later.
 */
import { Histogram, type HistogramFigures } from '#meter';

/** Since the start: peers asked first, and beside or after another; what useful answers took. */
export type HedgeFigures = {
  readonly first: number;
  readonly more: number;
  readonly answerSeconds: HistogramFigures;
};

const MIN_UNIT_MS = 500;
const MAX_UNIT_MS = 4_000;
/** RFC 6298's K, alpha and beta. */
const DEVIATIONS = 4;
const MEAN_GAIN = 1 / 8;
const DEVIATION_GAIN = 1 / 4;

export class HedgePace {
  readonly #answerSeconds = new Histogram();
  #first = 0;
  #more = 0;
  #meanMs: number | undefined;
  #deviationMs = 0;

  /** When the second peer is asked, and the third. */
  get delaysMs(): readonly [number, number] {
    return [this.#unitMs, 2 * this.#unitMs];
  }

  /** When nobody is waited for any more: two seconds, sixteen at most. */
  get giveUpMs(): number {
    return 4 * this.#unitMs;
  }

  get #unitMs(): number {
    const expectedMs = (this.#meanMs ?? 0) + DEVIATIONS * this.#deviationMs;
    return Math.round(Math.min(MAX_UNIT_MS, Math.max(MIN_UNIT_MS, expectedMs)));
  }

  asked(isFirst: boolean): void {
    if (isFirst) this.#first += 1;
    else this.#more += 1;
  }

  figures(): HedgeFigures {
    return { first: this.#first, more: this.#more, answerSeconds: this.#answerSeconds.figures() };
  }

  /** A useful answer came so long after its peer was asked. */
  answered(tookMs: number): void {
    this.#answerSeconds.add(tookMs / 1000);
    if (this.#meanMs === undefined) {
      this.#meanMs = tookMs;
      this.#deviationMs = tookMs / 2;
      return;
    }
    this.#deviationMs += (Math.abs(tookMs - this.#meanMs) - this.#deviationMs) * DEVIATION_GAIN;
    this.#meanMs += (tookMs - this.#meanMs) * MEAN_GAIN;
  }
}

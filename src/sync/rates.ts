/**
 * How fast things go: totals that decay (for people) and what one peer has delivered (for sizing its requests).
 * Times are the clock's monotonic milliseconds. Invariant: no rate is negative, infinite or NaN.
 */
import type { Clock } from '#util';

/** The youngest age at which a rate is believed: one early event is no rate. */
const MIN_AGE_MS = 1000;

/** Amount per second over about the last `windowMs`, older amounts fading exponentially. */
export class DecayingRate {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #startedMs: number;
  #sum = 0;
  #atMs: number;

  constructor(clock: Clock, windowMs: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#startedMs = clock.monotonicMs();
    this.#atMs = this.#startedMs;
  }

  add(amount: number): void {
    this.#decay();
    this.#sum += amount;
  }

  /** The divisor is the window's weight up to now, so that the first seconds are not shown too low. */
  perSecond(): number {
    this.#decay();
    const ageMs = Math.max(this.#atMs - this.#startedMs, MIN_AGE_MS);
    const weightMs = this.#windowMs * (1 - Math.exp(-ageMs / this.#windowMs));
    return (this.#sum / weightMs) * 1000;
  }

  #decay(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#sum *= Math.exp(-(nowMs - this.#atMs) / this.#windowMs);
    this.#atMs = nowMs;
  }
}

/** An average that follows its samples; the first one counts in full. */
export class MovingAverage {
  readonly #weight: number;
  #value: number;
  #isFirst = true;

  /** `weight` 0 .. 1 is that of the newest sample; `initial` stands until there is one. */
  constructor(weight: number, initial: number) {
    this.#weight = weight;
    this.#value = initial;
  }

  get value(): number {
    return this.#value;
  }

  get isMeasured(): boolean {
    return !this.#isFirst;
  }

  add(sample: number): void {
    this.#value = this.#isFirst ? sample : this.#value + (sample - this.#value) * this.#weight;
    this.#isFirst = false;
  }
}

export type BatchSizing = {
  /** Blocks asked of a peer at a time, whatever its rate. */
  readonly maxBlocksPerPeer: number;
  /** What a peer of unknown rate is trusted with, bytes. */
  readonly firstBatchBytes: number;
  /** Blocks asked of a peer of unknown rate at most. */
  readonly maxFirstBlocks: number;
  /** A peer is asked for as much as it delivers in this time. */
  readonly inFlightMs: number;
};

/** Blocks that a peer may have in flight, from what it delivered (bytes per second) and what blocks weigh now. */
export function blocksInFlight(sizing: BatchSizing, rate: MovingAverage, blockBytes: number): number {
  const bytes = rate.isMeasured ? (rate.value * sizing.inFlightMs) / 1000 : sizing.firstBatchBytes;
  const most = rate.isMeasured ? sizing.maxBlocksPerPeer : sizing.maxFirstBlocks;
  return Math.max(1, Math.min(most, Math.floor(bytes / blockBytes)));
}

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

/** An average that follows its samples; the first one counts in full, `initial` stands until then. */
export class MovingAverage {
  readonly #weight: number;
  #value: number;
  #isFirst = true;

  /** `weight` 0 .. 1 is that of the newest sample. */
  constructor(weight: number, initial: number) {
    this.#weight = weight;
    this.#value = initial;
  }

  get value(): number {
    return this.#value;
  }

  add(sample: number): void {
    this.#value = this.#isFirst ? sample : this.#value + (sample - this.#value) * this.#weight;
    this.#isFirst = false;
  }
}

/** Older work of a source counts half after this much busy time. */
const THROUGHPUT_HALF_LIFE_MS = 4_000;
/** Busy this long without a byte, a source is known to be slow. */
const SILENCE_MEASURED_MS = 2_000;

/**
 * What a source delivers while it is busy, bytes per second over all its requests together. Time counts only while
 * `account` was last told that it counts: not while nothing is asked, nor while we do not read.
 */
export class Throughput {
  #bytes = 0;
  #busyMs = 0;
  #atMs = 0;
  #isCounting = false;

  /** Called at each change: time up to now is booked, `isCounting` says whether the time from now on counts. */
  account(nowMs: number, isCounting: boolean): void {
    if (this.#isCounting) {
      const elapsedMs = nowMs - this.#atMs;
      const fading = 0.5 ** (elapsedMs / THROUGHPUT_HALF_LIFE_MS);
      this.#bytes *= fading;
      this.#busyMs = this.#busyMs * fading + elapsedMs;
    }
    this.#atMs = nowMs;
    this.#isCounting = isCounting;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  get isMeasured(): boolean {
    return this.#bytes > 0 || this.#busyMs >= SILENCE_MEASURED_MS;
  }

  /** Bytes per second; 0 while not measured. */
  get value(): number {
    return this.isMeasured ? (this.#bytes * 1000) / Math.max(this.#busyMs, 1) : 0;
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

/**
 * Blocks that a peer may have in flight, from what it delivered (bytes per second) and what blocks weigh now. One that
 * comes within `inFlightMs` is followed by a second, or the link would be idle for a round trip after each.
 */
export function blocksInFlight(sizing: BatchSizing, rate: Throughput, blockBytes: number): number {
  if (!rate.isMeasured) {
    return Math.max(1, Math.min(sizing.maxFirstBlocks, Math.floor(sizing.firstBatchBytes / blockBytes)));
  }
  const blocks = (rate.value * sizing.inFlightMs) / 1000 / blockBytes;
  return blocks < 1 ? 1 : Math.max(2, Math.min(sizing.maxBlocksPerPeer, Math.floor(blocks)));
}

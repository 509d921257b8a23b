/** Waiting longer after each failure. Invariant: the wait is between `minMs` and `maxMs` and doubles in between. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  #failures = 0;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Monotonic milliseconds before which nothing should be tried. */
  get untilMs(): number {
    return this.#untilMs;
  }

  isReady(nowMs: number): boolean {
    return nowMs >= this.#untilMs;
  }

  /** Gives the wait that it set, milliseconds. */
  fail(nowMs: number): number {
    const waitMs = Math.min(this.#maxMs, this.#minMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    this.#untilMs = nowMs + waitMs;
    return waitMs;
  }

  succeed(): void {
    this.#failures = 0;
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }
}

/**
 * The time limits of one exchange. Only time that we wait for the peer counts: while our own consumer is slow the
 * deadline is stopped. Progress is cheap to report, since the timer looks at it when it fires.
 */
import type { Clock, TimerHandle } from '#util';

export class Deadline {
  readonly #clock: Clock;
  readonly #onExpire: (what: string) => void;
  #timer: TimerHandle | undefined;
  /** Monotonic milliseconds; the limits of the running wait. */
  #totalLeftMs: number;
  #stepMs: number;
  #stepName: string;
  #stepSince = 0;
  #runningSince: number | undefined;

  /** Not running yet. `onExpire` is called once with the name of the limit. */
  constructor(clock: Clock, firstStepMs: number, totalMs: number, onExpire: (what: string) => void) {
    this.#clock = clock;
    this.#stepMs = firstStepMs;
    this.#stepName = 'first byte';
    this.#totalLeftMs = totalMs;
    this.#onExpire = onExpire;
  }

  /** We begin to wait for the peer. */
  run(): void {
    if (this.#runningSince !== undefined) return;
    const now = this.#clock.monotonicMs();
    this.#runningSince = now;
    this.#stepSince = now;
    this.#arm();
  }

  /** The peer gave something; from now on the next thing is due within `stepMs`. */
  progress(stepMs: number): void {
    this.#stepSince = this.#clock.monotonicMs();
    if (stepMs === this.#stepMs && this.#stepName === 'progress') return;
    this.#stepMs = stepMs;
    this.#stepName = 'progress';
    if (this.#runningSince !== undefined) this.#arm();
  }

  /** We wait for ourselves, or are done. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#runningSince === undefined) return;
    this.#totalLeftMs -= this.#clock.monotonicMs() - this.#runningSince;
    this.#runningSince = undefined;
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(Math.max(1, this.#leftMs().ms), this.#onTimer);
  }

  #leftMs(): { readonly ms: number; readonly what: string } {
    const now = this.#clock.monotonicMs();
    const step = this.#stepSince + this.#stepMs - now;
    const total = (this.#runningSince ?? now) + this.#totalLeftMs - now;
    return step <= total ? { ms: step, what: this.#stepName } : { ms: total, what: 'whole exchange' };
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    if (this.#runningSince === undefined) return;
    const left = this.#leftMs();
    if (left.ms > 0.5) this.#arm();
    else this.#onExpire(left.what);
  };
}

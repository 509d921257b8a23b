/**
 * The rate that a transaction must pay because the pool was full: more than what was evicted last, or it would be
 * evicted itself after its relay was for nothing (CTxMemPool::GetMinFee and trackPackageRemoved). It falls by half in
 * half a day, faster while the pool has room, and only after a block: until then the evicted would just come back.
 */
import type { Sats } from '#primitives';
import type { Clock } from '#util';
import { satPerKvb } from './fee-rate.ts';
import type { Pool } from './pool.ts';

export type RollingFeeOptions = {
  readonly maxBytes: number;
  readonly incrementalFeeSatPerKvb: number;
};

/** ROLLING_FEE_HALFLIFE. */
const HALF_LIFE_MS = 12 * 3_600_000;
/** The rate is not computed anew more often. */
const UPDATE_INTERVAL_MS = 10_000;

export class RollingFee {
  readonly #pool: Pick<Pool, 'usage'>;
  readonly #clock: Clock;
  readonly #options: RollingFeeOptions;
  /** sat/kvB; a fraction while it falls. */
  #rate = 0;
  #updatedMs: number;
  #blockSinceRise = false;

  constructor(pool: Pick<Pool, 'usage'>, clock: Clock, options: RollingFeeOptions) {
    this.#pool = pool;
    this.#clock = clock;
    this.#options = options;
    this.#updatedMs = clock.now();
  }

  /** A package left because the pool was full. */
  evicted(totals: { readonly modifiedFee: Sats; readonly vsize: number }): void {
    const rate = Number(satPerKvb(totals.modifiedFee, totals.vsize)) + this.#options.incrementalFeeSatPerKvb;
    if (rate <= this.#rate) return;
    this.#rate = rate;
    this.#blockSinceRise = false;
  }

  blockConnected(): void {
    this.#updatedMs = this.#clock.now();
    this.#blockSinceRise = true;
  }

  /** As of now. 0: whatever the relay minimum allows. */
  satPerKvb(): number {
    if (!this.#blockSinceRise || this.#rate === 0) return Math.round(this.#rate);
    const { incrementalFeeSatPerKvb } = this.#options;
    const nowMs = this.#clock.now();
    if (nowMs > this.#updatedMs + UPDATE_INTERVAL_MS) {
      this.#rate /= 2 ** ((nowMs - this.#updatedMs) / this.#halfLifeMs());
      this.#updatedMs = nowMs;
      if (this.#rate < incrementalFeeSatPerKvb / 2) {
        this.#rate = 0;
        return 0;
      }
    }
    return Math.max(Math.round(this.#rate), incrementalFeeSatPerKvb);
  }

  #halfLifeMs(): number {
    const { maxBytes } = this.#options;
    if (this.#pool.usage < maxBytes / 4) return HALF_LIFE_MS / 4;
    return this.#pool.usage < maxBytes / 2 ? HALF_LIFE_MS / 2 : HALF_LIFE_MS;
  }
}

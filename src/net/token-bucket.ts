/** Token buckets, one a key: `burst` units at most, refilled by `perSecond`. Time is the clock's monotonic one. */
import type { Clock } from '#util';
import { BoundedMap } from './bounded-map.ts';
import type { Quota } from './rows.ts';

type Bucket = { tokens: number; at: number };

/** Keys kept. Forgetting one gives its owner a full bucket again, so this is far above the number of peers. */
const MAX_KEYS = 16_384;

/** Requests that a peer may make beyond its quotas and be refused: more of them are an offence. */
export const PATIENCE: Quota = { burst: 20, perSecond: 0.2 };

export class TokenBuckets {
  readonly #buckets = new BoundedMap<string, Bucket>(MAX_KEYS);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes `cost` units if they are there. More than a whole burst is never there. */
  take(key: string, quota: Quota, cost: number): boolean {
    const bucket = this.#refilled(key, quota);
    if (bucket.tokens < cost) return false;
    bucket.tokens -= cost;
    return true;
  }

  /** Takes `cost` units even if the bucket falls below zero: for work whose size is known only once it is done. */
  spend(key: string, quota: Quota, cost: number): void {
    this.#refilled(key, quota).tokens -= cost;
  }

  /** Milliseconds until `take` of `cost` would succeed; 0 when it would now. */
  waitMs(key: string, quota: Quota, cost: number): number {
    const missing = cost - this.#refilled(key, quota).tokens;
    return missing <= 0 ? 0 : (missing / quota.perSecond) * 1000;
  }

  #refilled(key: string, quota: Quota): Bucket {
    const now = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(key) ?? { tokens: quota.burst, at: now };
    bucket.tokens = Math.min(quota.burst, bucket.tokens + ((now - bucket.at) * quota.perSecond) / 1000);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

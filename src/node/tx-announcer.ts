/**
 * When transactions are announced: each after a random time, the own user's and relayed ones alike, so that who hears
 * of one from us first learns little about where it comes from. Times are exponential, as between the events of Core's
 * trickle (NextInvToInbounds and its like), but shorter: every node on the way adds its own, and all of its links share
 * one. Until then a transaction is not served: asking for it must not tell that we have it.
 */
import { MAX_GOSSIP_HOLD_MS } from '#net';
import type { Transaction, Txid, Wtxid } from '#primitives';
import type { Clock, Random } from '#util';

/** Beyond it transactions are announced at once: under a flood nobody can tell who was first. */
const MAX_WAITING = 4_096;
const RANDOM_STEPS = 2 ** 32;

export class TxAnnouncer {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #meanMs: number;
  /** By txid and by wtxid: when it will have been announced. Oldest first. */
  readonly #waiting = new Map<Txid | Wtxid, number>();

  /** `meanMs` of 0 announces all at once. */
  constructor(clock: Clock, random: Random, meanMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#meanMs = meanMs;
  }

  /** The mempool took these: how long to wait with announcing them together. To be called once a transaction. */
  hold(...txs: readonly Pick<Transaction, 'txid' | 'wtxid'>[]): number {
    this.#forget();
    if (this.#meanMs <= 0 || this.#waiting.size >= 2 * MAX_WAITING) return 0;
    // 1 .. 2^32, so that the logarithm is finite.
    const share = (this.#random.below(RANDOM_STEPS) + 1) / RANDOM_STEPS;
    const holdMs = Math.min(-this.#meanMs * Math.log(share), MAX_GOSSIP_HOLD_MS);
    const dueMs = this.#clock.monotonicMs() + holdMs;
    for (const { txid, wtxid } of txs) this.#waiting.set(txid, dueMs).set(wtxid, dueMs);
    return holdMs;
  }

  /** In the mempool, but not announced yet. */
  isWaiting(id: Txid | Wtxid): boolean {
    const dueMs = this.#waiting.get(id);
    return dueMs !== undefined && dueMs > this.#clock.monotonicMs();
  }

  /** The oldest that are due; a younger one that is due leaves when it is the oldest, after MAX_GOSSIP_HOLD_MS at most. */
  #forget(): void {
    const now = this.#clock.monotonicMs();
    for (const [id, dueMs] of this.#waiting) {
      if (dueMs > now) return;
      this.#waiting.delete(id);
    }
  }
}

/**
 * When transactions are announced: at random times, the own user's and relayed ones together, so that who hears of one
 * from us first learns little about where it comes from. The times are a Poisson process, as Core's trickle to inbound
 * peers is (NextInvToInbounds), but closer: every node on the way adds its own, and all of its links share one. What
 * waits for the same time travels in one gossip RPC. Until then a transaction is not served: asking for it must not tell
 * that we have it.
 */
import { MAX_GOSSIP_HOLD_MS } from '#net';
import type { Transaction, Txid, Wtxid } from '#primitives';
import { type Clock, exponential, type Random } from '#util';

/** Beyond it transactions are announced at once: under a flood nobody can tell who was first. */
const MAX_WAITING = 4_096;

export class TxAnnouncer {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #meanMs: number;
  /** By txid and by wtxid: when it will have been announced. Oldest first. */
  readonly #waiting = new Map<Txid | Wtxid, number>();
  #nextMs = 0;

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
    const now = this.#clock.monotonicMs();
    // The process has no memory: drawn from now on, the next time is as likely as if it had been drawn before.
    if (this.#nextMs <= now) this.#nextMs = now + this.#interval();
    for (const { txid, wtxid } of txs) this.#waiting.set(txid, this.#nextMs).set(wtxid, this.#nextMs);
    return this.#nextMs - now;
  }

  #interval(): number {
    return Math.min(exponential(this.#random, this.#meanMs), MAX_GOSSIP_HOLD_MS);
  }

  /** In the mempool, but not announced yet. */
  isWaiting(id: Txid | Wtxid): boolean {
    const dueMs = this.#waiting.get(id);
    return dueMs !== undefined && dueMs > this.#clock.monotonicMs();
  }

  #forget(): void {
    const now = this.#clock.monotonicMs();
    for (const [id, dueMs] of this.#waiting) {
      if (dueMs > now) return;
      this.#waiting.delete(id);
    }
  }
}

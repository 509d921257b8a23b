/**
 * Accepted messages of a topic that are passed on together, at times `intervalMs` apart: they share an RPC then
 * (`mergeSends`), and whoever sends one meanwhile is not sent it. At most MAX_AT_ONCE go at a time, well below what peers
 * take (`MESSAGE_RATE`); the others follow, in the order in which they were due.
 * Bounds: MAX_WAITING; beyond it the newest is dropped, and so is what has waited for longer than gossipsub remembers it.
 */
import type { Clock, TimerHandle } from '#util';
import { MAX_GOSSIP_HOLD_MS, type PeerIdText } from './port.ts';

const MAX_AT_ONCE = 100;
const MAX_WAITING = 4_096;

type Accepted = { readonly id: string; readonly from: PeerIdText; readonly dueMs: number; readonly latestMs: number };

export class GossipGather {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #report: (id: string, from: PeerIdText, verdict: 'accept' | 'ignore') => void;
  /** Of all times: nodes that start at different times tell each other at different times. */
  readonly #startedMs: number;
  /** Those that are due first come first. */
  #waiting: Accepted[] = [];
  #timer: TimerHandle | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(
    clock: Clock,
    intervalMs: number,
    report: (id: string, from: PeerIdText, verdict: 'accept' | 'ignore') => void,
  ) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#report = report;
    this.#startedMs = clock.monotonicMs();
  }

  /** To be passed on after so long, of a message that arrived at that time. */
  add(id: string, from: PeerIdText, afterMs: number, arrivedMs: number): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#report(id, from, 'ignore');
      return;
    }
    const dueMs = this.#clock.monotonicMs() + afterMs;
    const place = this.#waiting.findLastIndex((other) => other.dueMs <= dueMs) + 1;
    this.#waiting.splice(place, 0, { id, from, dueMs, latestMs: arrivedMs + MAX_GOSSIP_HOLD_MS });
    this.#plan(dueMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#waiting = [];
  }

  #plan(dueMs: number): void {
    const intervals = Math.ceil((dueMs - this.#startedMs) / this.#intervalMs);
    const atMs = this.#startedMs + intervals * this.#intervalMs;
    if (atMs >= this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = atMs;
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => this.#passOn());
  }

  #passOn(): void {
    this.#timerMs = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonicMs();
    const isDue = this.#waiting.findIndex(({ dueMs }) => dueMs > now);
    const count = Math.min(isDue < 0 ? this.#waiting.length : isDue, MAX_AT_ONCE);
    for (const { id, from, latestMs } of this.#waiting.splice(0, count)) {
      this.#report(id, from, latestMs < now ? 'ignore' : 'accept');
    }
    const [next] = this.#waiting;
    // What is overdue goes at the next time, not at this one again.
    if (next !== undefined) this.#plan(Math.max(next.dueMs, now + 1));
  }
}

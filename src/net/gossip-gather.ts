/**
 * Accepted messages of a topic that are passed on together, at times `intervalMs` apart: they share an RPC then
 * (`mergeSends`), and whoever sends one meanwhile is not sent it. At most MAX_AT_ONCE go at a time, well below what peers
 * take (`MESSAGE_RATE`); the others follow, in the order in which they were due.
 * Bounds: MAX_WAITING; beyond it the newest is dropped, and so is what has waited for longer than gossipsub remembers it.
 */
import { type Clock, PacedQueue } from '#util';
import { MAX_GOSSIP_HOLD_MS, type PeerIdText } from './port.ts';

const MAX_AT_ONCE = 100;
const MAX_WAITING = 4_096;

type Accepted = { readonly id: string; readonly from: PeerIdText; readonly latestMs: number };

export class GossipGather {
  readonly #report: (id: string, from: PeerIdText, verdict: 'accept' | 'ignore') => void;
  readonly #queue: PacedQueue<Accepted>;

  constructor(
    clock: Clock,
    intervalMs: number,
    report: (id: string, from: PeerIdText, verdict: 'accept' | 'ignore') => void,
  ) {
    this.#report = report;
    const pace = { intervalMs, maxAtOnce: MAX_AT_ONCE, maxWaiting: MAX_WAITING };
    this.#queue = new PacedQueue(clock, pace, (due) => {
      const now = clock.monotonicMs();
      for (const { id, from, latestMs } of due) report(id, from, latestMs < now ? 'ignore' : 'accept');
    });
  }

  /** To be passed on after so long, of a message that arrived at that time. */
  add(id: string, from: PeerIdText, afterMs: number, arrivedMs: number): void {
    const isKept = this.#queue.add({ id, from, latestMs: arrivedMs + MAX_GOSSIP_HOLD_MS }, afterMs);
    if (!isKept) this.#report(id, from, 'ignore');
  }

  stop(): void {
    this.#queue.stop();
  }
}

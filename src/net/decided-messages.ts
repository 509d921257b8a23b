/**
 * Who sent messages that were decided and whose copies are still heard: of ignored ones, since the first sender may have gone
 * before it gave what it announced, and gossipsub keeps quiet about what it has seen; of accepted ones where the topic wants
 * it. What gossipsub itself has forgotten comes as new, and is forgotten here; so is the oldest beyond the bound.
 */
import type { Clock } from '#util';
import { BoundedMap } from './bounded-map.ts';
import { SEEN_TTL_MS } from './gossip-settings.ts';
import type { PeerIdText } from './port.ts';

const MAX_DECIDED = 4_096;

type Decided = { readonly senders: Set<PeerIdText>; readonly atMs: number };

export class DecidedMessages {
  readonly #clock: Clock;
  /** In the order of time. */
  readonly #entries = new BoundedMap<string, Decided>(MAX_DECIDED);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** `senders` is kept, and may be added to. */
  set(id: string, senders: Set<PeerIdText>): void {
    const atMs = this.#clock.monotonicMs();
    this.#entries.set(id, { senders, atMs });
    for (const [old, entry] of this.#entries.entries()) {
      if (atMs - entry.atMs < SEEN_TTL_MS) return;
      this.#entries.delete(old);
    }
  }

  sendersOf(id: string): Set<PeerIdText> | undefined {
    return this.#entries.get(id)?.senders;
  }
}

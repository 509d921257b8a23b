/**
 * Who sent the messages that were ignored. Their copies are still heard: the first sender may have gone before it gave what
 * it announced, and gossipsub keeps quiet about what it has seen. What gossipsub itself has forgotten comes as new, and is
 * forgotten here; so is the oldest beyond the bound.
 */
import type { Clock } from '#util';
import { BoundedMap } from './bounded-map.ts';
import { SEEN_TTL_MS } from './gossip-settings.ts';
import type { PeerIdText } from './port.ts';

const MAX_IGNORED = 4_096;

type Ignored = { readonly senders: Set<PeerIdText>; readonly atMs: number };

export class IgnoredMessages {
  readonly #clock: Clock;
  /** In the order of time. */
  readonly #entries = new BoundedMap<string, Ignored>(MAX_IGNORED);

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

/** Who told of the newest blocks, and when. Bounds: MAX_BLOCKS, the oldest is forgotten; MAX_TELLERS of each. */
import type { BlockHash } from '#primitives';
import type { Clock } from '#util';

const MAX_BLOCKS = 100;
/** As many as may be connected, by the default. */
const MAX_TELLERS = 128;

/** `delayMs`: after the first. */
export type Announcement = { readonly peerId: string; readonly delayMs: number };

export type News = {
  /** Unix milliseconds. */
  readonly firstHeardAtMs: number;
  /** In the order in which they told; the first has no delay. */
  readonly announcements: readonly Announcement[];
};

type Heard = {
  readonly firstHeardAtMs: number;
  readonly sinceMs: number;
  /** Delay by peer id, milliseconds. */
  readonly delays: Map<string, number>;
};

export class BlockNews {
  readonly #clock: Clock;
  readonly #heard = new Map<BlockHash, Heard>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False if the peer told of it before, or too many did. */
  told(hash: BlockHash, peerId: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const { delays, sinceMs } = this.#heard.get(hash) ?? this.#begin(hash, nowMs);
    if (delays.has(peerId) || delays.size >= MAX_TELLERS) return false;
    delays.set(peerId, nowMs - sinceMs);
    return true;
  }

  of(hash: BlockHash): News | undefined {
    const heard = this.#heard.get(hash);
    return (
      heard && {
        firstHeardAtMs: heard.firstHeardAtMs,
        announcements: Array.from(heard.delays, ([peerId, delayMs]) => ({ peerId, delayMs })),
      }
    );
  }

  #begin(hash: BlockHash, nowMs: number): Heard {
    const [oldest] = this.#heard.keys();
    if (this.#heard.size >= MAX_BLOCKS && oldest !== undefined) this.#heard.delete(oldest);
    const heard: Heard = { firstHeardAtMs: this.#clock.now(), sinceMs: nowMs, delays: new Map() };
    this.#heard.set(hash, heard);
    return heard;
  }
}

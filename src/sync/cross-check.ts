/**
 * Whether the peers that gave us our headers kept something back: when no peer claims more than we have, a few others
 * are asked once what follows our best header, and again after a long silence.
 * Invariants: in a round at most `count` answers are waited for, and each peer is asked once; no timers.
 */
import type { BlockHash } from '#primitives';
import type { PeerId } from './port.ts';

export class CrossCheck {
  readonly #count: number;
  readonly #silenceMs: number;
  /** Who has told all it knows in this round, or was asked for it. */
  readonly #asked = new Set<PeerId>();
  #wanted: number;
  #bestHeader: BlockHash | undefined;
  /** When the best header changed or the last round ended. */
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor(count: number, silenceMs: number) {
    this.#count = count;
    this.#silenceMs = silenceMs;
    this.#wanted = count;
  }

  /** To be told now and then; a new round begins after a silence. */
  look(bestHeader: BlockHash, nowMs: number): void {
    if (bestHeader !== this.#bestHeader) {
      this.#bestHeader = bestHeader;
      this.#sinceMs = nowMs;
    }
    if (this.#wanted > 0 || nowMs - this.#sinceMs < this.#silenceMs) return;
    this.#wanted = this.#count;
    this.#asked.clear();
  }

  wants(peer: PeerId): boolean {
    return this.#wanted > 0 && !this.#asked.has(peer);
  }

  /** The peer is being asked, or gave its headers for another reason. */
  asked(peer: PeerId): void {
    this.#asked.add(peer);
  }

  /** A peer that was asked for this reason has told all it knows. */
  answered(nowMs: number): void {
    this.#wanted = Math.max(0, this.#wanted - 1);
    if (this.#wanted === 0) this.#sinceMs = nowMs;
  }

  peerGone(peer: PeerId): void {
    this.#asked.delete(peer);
  }
}

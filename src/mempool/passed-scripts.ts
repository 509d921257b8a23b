/**
 * Remembers which transactions passed their scripts before they left with a block, so that a reorganisation need not
 * run them again. Bounded: the oldest is forgotten first. About 150 bytes each.
 */
import type { Transaction, Wtxid } from '#primitives';

/** Some ten full blocks. */
const MAX_REMEMBERED = 40_000;

export class PassedScripts {
  readonly #wtxids = new Set<Wtxid>();
  readonly #max: number;

  constructor(max = MAX_REMEMBERED) {
    this.#max = max;
  }

  /** The witness counts: by wtxid, not by txid. */
  add(tx: Transaction): void {
    this.#wtxids.add(tx.wtxid);
    if (this.#wtxids.size <= this.#max) return;
    for (const oldest of this.#wtxids) {
      this.#wtxids.delete(oldest);
      break;
    }
  }

  has(tx: Transaction): boolean {
    return this.#wtxids.has(tx.wtxid);
  }
}

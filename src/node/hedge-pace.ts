/**
 * How long a peer may take before another is asked as well. Where links are long or machines slow, everybody is late, and
 * asking twice only doubles the bytes. So the time doubles when the peer that was asked first answers after all, as sync's
 * stall time does, and shrinks with each answer, by Core's factor. Who answers late on purpose, to be waited for the next
 * time, wins some seconds with a few blocks.
 */
const MIN_UNIT_MS = 500;
const MAX_UNIT_MS = 4_000;
/** Core's BLOCK_STALLING_TIMEOUT decay. */
const DECAY = 0.85;

export class HedgePace {
  #unitMs = MIN_UNIT_MS;

  /** When the second peer is asked, and the third. */
  get delaysMs(): readonly [number, number] {
    return [this.#unitMs, 2 * this.#unitMs];
  }

  /** When nobody is waited for any more: two seconds, sixteen at most. */
  get giveUpMs(): number {
    return 4 * this.#unitMs;
  }

  /** `inVain`: it came from the first, and others had been asked by then. */
  answered(inVain: boolean): void {
    this.#unitMs = Math.min(MAX_UNIT_MS, Math.max(MIN_UNIT_MS, this.#unitMs * (inVain ? 2 : DECAY)));
  }
}

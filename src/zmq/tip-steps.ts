/**
 * Which connected blocks are new tips to Core: it steps from one tip to the first with more work, however many blocks that
 * takes, and tells of where each step ends (ActivateBestChain, UpdatedBlockTip). Blocks in between are no tips, and neither is
 * where invalidateblock leaves the chain.
 */
import type { HeaderEntry } from '#chain';

export class TipSteps {
  /** Where the step began. */
  #from: HeaderEntry;

  constructor(tip: HeaderEntry) {
    this.#from = tip;
  }

  /** The chain went down from where it stood. Blocks that were found to be invalid are nothing that has to be beaten. */
  left(down: readonly HeaderEntry[], isInvalid: (entry: HeaderEntry) => boolean): void {
    if (isInvalid(this.#from)) this.#from = down.find((entry) => !isInvalid(entry)) ?? this.#from;
  }

  /** `isBest`: nothing better is known. Without more work it is there by preciousblock. */
  reaches(entry: HeaderEntry, isBest: boolean): boolean {
    const isTip = entry.chainWork > this.#from.chainWork || (isBest && entry.hash !== this.#from.hash);
    if (isTip) this.#from = entry;
    return isTip;
  }
}

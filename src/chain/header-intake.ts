/**
 * Takes headers in whatever order files hold them. One whose parent is unknown waits for it, up to a bound.
 */
import type { BlockHash, BlockHeader } from '#primitives';

/** `orphan`: its parent is unknown. */
export type HeaderOutcome = 'accepted' | 'orphan' | 'refused';

export class HeaderIntake {
  readonly #accept: (header: BlockHeader) => HeaderOutcome;
  readonly #maxWaiting: number;
  readonly #waiting = new Map<BlockHash, BlockHeader[]>();
  #waitingCount = 0;

  constructor(accept: (header: BlockHeader) => HeaderOutcome, maxWaiting: number) {
    this.#accept = accept;
    this.#maxWaiting = maxWaiting;
  }

  take(header: BlockHeader): void {
    const ready = [header];
    for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
      const outcome = this.#accept(next);
      if (outcome === 'accepted') ready.push(...this.#release(next.hash));
      else if (outcome === 'orphan') this.#wait(next);
    }
  }

  #wait(header: BlockHeader): void {
    if (this.#waitingCount >= this.#maxWaiting) return;
    this.#waitingCount++;
    this.#waiting.set(header.prevHash, [...(this.#waiting.get(header.prevHash) ?? []), header]);
  }

  #release(parent: BlockHash): readonly BlockHeader[] {
    const children = this.#waiting.get(parent) ?? [];
    this.#waiting.delete(parent);
    this.#waitingCount -= children.length;
    return children;
  }
}

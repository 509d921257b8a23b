/**
 * Hands headers to the chain in whatever order files hold them. One whose parent is unknown waits for it, up to a bound.
 */
import type { Chain } from '#chain';
import type { BlockHash, BlockHeader } from '#primitives';

export class HeaderIntake {
  readonly #chain: Pick<Chain, 'submitHeaders'>;
  readonly #maxWaiting: number;
  readonly #waiting = new Map<BlockHash, BlockHeader[]>();
  #waitingCount = 0;

  constructor(chain: Pick<Chain, 'submitHeaders'>, maxWaiting: number) {
    this.#chain = chain;
    this.#maxWaiting = maxWaiting;
  }

  take(header: BlockHeader): void {
    const ready = [header];
    for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
      const verdict = this.#chain.submitHeaders([next]);
      if (verdict.kind === 'accepted') ready.push(...this.#release(next.hash));
      else if (verdict.failure.kind === 'missing-prev') this.#wait(next);
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

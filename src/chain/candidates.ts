/**
 * Which block should be the tip: among the blocks whose bodies are stored back to genesis, the one with most work,
 * the first to be complete among equals (Core's setBlockIndexCandidates and m_blocks_unlinked).
 */
import type { BlockIndex } from './block-index.ts';
import { RecordColumn } from './columns.ts';
import type { HeaderId } from './header-tree.ts';

export class Candidates {
  readonly #index: BlockIndex;
  /** One byte a header: 1 if it and all its ancestors have bodies. */
  readonly #complete = new RecordColumn(1);
  /** Blocks with a body whose parent is not complete, by parent. */
  readonly #waiting = new Map<HeaderId, HeaderId[]>();
  /** In the order in which they became complete. */
  readonly #candidates = new Set<HeaderId>();

  constructor(index: BlockIndex) {
    this.#index = index;
  }

  /** True if the block and all its ancestors have bodies. */
  isComplete(id: HeaderId): boolean {
    this.#reserve();
    return this.#complete.get(id)[0] === 1;
  }

  /** The body of `id` was stored: it, and stored descendants that waited for it, may become candidates. */
  bodyStored(id: HeaderId): void {
    const parent = this.#index.tree.parentOf(id);
    if (parent !== undefined && !this.isComplete(parent)) {
      const siblings = this.#waiting.get(parent);
      if (siblings === undefined) this.#waiting.set(parent, [id]);
      else siblings.push(id);
      return;
    }
    const queue = [id];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      this.#reserve();
      this.#complete.get(next)[0] = 1;
      if (!this.#index.isFailed(next)) this.#candidates.add(next);
      queue.push(...(this.#waiting.get(next) ?? []));
      this.#waiting.delete(next);
    }
  }

  /** The best candidate; `tip` unless another has more work. */
  best(tip: HeaderId): HeaderId {
    const { tree } = this.#index;
    let best = tip;
    for (const id of this.#candidates) {
      if (this.#index.isFailed(id)) this.#candidates.delete(id);
      else if (this.#index.isFailed(best) || tree.workOf(id) > tree.workOf(best)) best = id;
    }
    return best;
  }

  /** Forgets candidates with less work than the tip. */
  prune(tip: HeaderId): void {
    const work = this.#index.tree.workOf(tip);
    for (const id of this.#candidates) if (this.#index.tree.workOf(id) < work) this.#candidates.delete(id);
  }

  #reserve(): void {
    while (this.#complete.size < this.#index.tree.size) this.#complete.push(NOT_COMPLETE);
  }
}

const NOT_COMPLETE = Uint8Array.of(0);

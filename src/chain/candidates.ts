/**
 * Which block should be the tip: among the blocks whose bodies are stored back to genesis, the one with most work,
 * the first to be complete among equals (Core's setBlockIndexCandidates and m_blocks_unlinked).
 */
import type { BlockIndex } from './block-index.ts';
import { type Column, growColumn } from './columns.ts';
import type { HeaderId } from './header-tree.ts';

const INITIAL_CAPACITY = 1024;

export class Candidates {
  readonly #index: BlockIndex;
  /** When the block became complete: 1, 2, ...; 0 if its body or an ancestor's is missing (Core's nSequenceId). */
  #sequence: Column = new Int32Array(INITIAL_CAPACITY);
  #lastSequence = 0;
  /** Blocks with a body whose parent is not complete, by parent. */
  readonly #waiting = new Map<HeaderId, HeaderId[]>();
  /** The best complete block that is not known to be invalid; undefined: to be searched for. */
  #best: HeaderId | undefined;

  constructor(index: BlockIndex) {
    this.#index = index;
  }

  /** True if the block and all its ancestors have bodies. */
  isComplete(id: HeaderId): boolean {
    return this.#sequenceOf(id) > 0;
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
      this.#complete(next);
      queue.push(...(this.#waiting.get(next) ?? []));
      this.#waiting.delete(next);
    }
  }

  /** Blocks were found to be invalid, or are to be tried again. */
  validityChanged(): void {
    this.#best = undefined;
  }

  /** The best block; genesis is always complete and valid. Searches through all only after `validityChanged`. */
  best(): HeaderId {
    if (this.#best === undefined) {
      let best = 0;
      for (let id = 1; id < this.#index.tree.size; id++)
        if (this.#isCandidate(id) && this.#isBetter(id, best)) best = id;
      this.#best = best;
    }
    return this.#best;
  }

  #complete(id: HeaderId): void {
    while (id >= this.#sequence.length) this.#sequence = growColumn(this.#sequence);
    this.#sequence[id] = ++this.#lastSequence;
    if (this.#best !== undefined && this.#isCandidate(id) && this.#isBetter(id, this.#best)) this.#best = id;
  }

  #isCandidate(id: HeaderId): boolean {
    return this.isComplete(id) && !this.#index.isFailed(id);
  }

  #isBetter(a: HeaderId, b: HeaderId): boolean {
    const { tree } = this.#index;
    return tree.hasMoreWork(a, b) || (!tree.hasMoreWork(b, a) && this.#sequenceOf(a) < this.#sequenceOf(b));
  }

  #sequenceOf(id: HeaderId): number {
    return this.#sequence[id] ?? 0;
  }
}

/**
 * Which block should be the tip: among the blocks whose bodies are stored back to genesis, the one with most work,
 * the first to be complete among equals (Core's setBlockIndexCandidates and m_blocks_unlinked). Blocks of the active
 * chain count as stored also when they were pruned: nobody has to connect them again. Branches that fork too deep to go
 * back there are no candidates.
 */
import type { ActiveChain } from './active-chain.ts';
import type { BlockIndex } from './block-index.ts';
import { IntColumn } from './columns.ts';
import type { HeaderId } from './header-tree.ts';

export class Candidates {
  readonly #index: BlockIndex;
  readonly #active: ActiveChain;
  /**
   * When the block became complete: 1, 2, ...; 0 if its body or an ancestor's is missing; below 0 if it was preferred
   * (Core's nSequenceId).
   */
  readonly #sequence = new IntColumn();
  #lastSequence = 0;
  #lastPreferred = 0;
  /** Work of the tip when a block was last preferred. */
  #preferredWork = 0n;
  /** Blocks with a body whose parent is not complete, by parent. */
  readonly #waiting = new Map<HeaderId, HeaderId[]>();
  /** The best complete block that is not known to be invalid; undefined: to be searched for. */
  #best: HeaderId | undefined;

  constructor(index: BlockIndex, active: ActiveChain) {
    this.#index = index;
    this.#active = active;
  }

  /** True if the block and all its ancestors have bodies. */
  isComplete(id: HeaderId): boolean {
    return this.#sequenceOf(id) !== 0;
  }

  /** The body of `id` was stored: it, and stored descendants that waited for it, may become candidates. */
  bodyStored(id: HeaderId): void {
    const parent = this.#index.tree.parentOf(id);
    if (parent !== undefined && !this.isComplete(parent)) {
      this.#wait(id, parent);
      return;
    }
    const queue = [id];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      this.#complete(next);
      queue.push(...(this.#waiting.get(next) ?? []));
      this.#waiting.delete(next);
    }
  }

  /** Bodies were removed: blocks that miss one of their ancestors' are complete again only when it comes again. */
  bodiesForgotten(): void {
    const { tree } = this.#index;
    this.#waiting.clear();
    this.#best = undefined;
    // Parents come before their children.
    for (let id = 0; id < tree.size; id++) {
      if (this.#active.contains(id)) continue;
      const parent = tree.parentOf(id);
      const isWaiting = parent !== undefined && !this.isComplete(parent);
      const hasData = this.#index.hasData(id);
      if (this.isComplete(id) && (isWaiting || !hasData)) this.#sequence.set(id, 0);
      if (isWaiting && hasData) this.#wait(id, parent);
    }
  }

  /** Treats the block as if it had come before all others of its work (Core's PreciousBlock). */
  prefer(id: HeaderId): void {
    const { tree } = this.#index;
    const tipWork = tree.workOf(this.#active.tip ?? 0);
    if (tree.workOf(id) < tipWork || !this.isComplete(id)) return;
    // The chain went on since: what was preferred before competes with nothing.
    if (tipWork > this.#preferredWork) this.#lastPreferred = 0;
    this.#preferredWork = tipWork;
    this.#sequence.set(id, --this.#lastPreferred);
    this.#best = undefined;
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

  #wait(id: HeaderId, parent: HeaderId): void {
    const siblings = this.#waiting.get(parent);
    if (siblings === undefined) this.#waiting.set(parent, [id]);
    else siblings.push(id);
  }

  #complete(id: HeaderId): void {
    while (id >= this.#sequence.size) this.#sequence.push(0);
    this.#sequence.set(id, ++this.#lastSequence);
    if (this.#best !== undefined && this.#isCandidate(id) && this.#isBetter(id, this.#best)) this.#best = id;
  }

  #isCandidate(id: HeaderId): boolean {
    return this.isComplete(id) && !this.#index.isFailed(id) && this.#active.canReach(id);
  }

  #isBetter(a: HeaderId, b: HeaderId): boolean {
    const { tree } = this.#index;
    return tree.hasMoreWork(a, b) || (!tree.hasMoreWork(b, a) && this.#sequenceOf(a) < this.#sequenceOf(b));
  }

  #sequenceOf(id: HeaderId): number {
    return id < this.#sequence.size ? this.#sequence.get(id) : 0;
  }
}

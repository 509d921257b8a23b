/** The connected blocks from genesis to the tip, by height; and what follows from that list alone. */
import { assert } from '#util';
import type { HeaderId, HeaderTree } from './header-tree.ts';

/** Core's locator: ten steps of one, then doubling; 101 entries reach far beyond any chain (net MAX_LOCATOR_SZ). */
const DENSE_LOCATOR_ENTRIES = 10;

export class ActiveChain {
  readonly #tree: HeaderTree;
  readonly #ids: HeaderId[] = [];
  /** The lowest block that can be disconnected: below it bodies or undo data were pruned. */
  lowestReversible = 0;

  constructor(tree: HeaderTree) {
    this.#tree = tree;
  }

  /** Undefined before genesis is connected. */
  get tip(): HeaderId | undefined {
    return this.#ids.at(-1);
  }

  at(height: number): HeaderId | undefined {
    return this.#ids[height];
  }

  contains(id: HeaderId): boolean {
    return this.#ids[this.#tree.heightOf(id)] === id;
  }

  /** Whether the chain can move to the block: the fork is not below what was pruned. */
  canReach(id: HeaderId): boolean {
    const height = Math.min(this.#tree.heightOf(id), this.lowestReversible - 1);
    return height < 0 || this.contains(this.#tree.ancestorOf(id, height));
  }

  push(id: HeaderId): void {
    assert(this.#tree.parentOf(id) === this.tip, 'a block is connected to its parent');
    this.#ids.push(id);
  }

  pop(): HeaderId {
    const tip = this.#ids.pop();
    assert(tip !== undefined, 'there is a tip to disconnect');
    return tip;
  }

  /** Fills an empty chain with all blocks from genesis to `tip`. */
  reset(tip: HeaderId): void {
    this.#ids.length = this.#tree.heightOf(tip) + 1;
    for (let id: HeaderId | undefined = tip; id !== undefined; id = this.#tree.parentOf(id)) {
      this.#ids[this.#tree.heightOf(id)] = id;
    }
  }

  /** The last block of the active chain that `id` has in its past (or is). */
  forkWith(id: HeaderId): HeaderId {
    const { tip } = this;
    assert(tip !== undefined, 'genesis is connected');
    return this.#tree.forkOf(tip, id);
  }
}

/** Ids for a block locator from `from` back to genesis (Core's LocatorEntries). */
export function locatorIds(tree: HeaderTree, from: HeaderId): HeaderId[] {
  const ids: HeaderId[] = [];
  let step = 1;
  for (let height = tree.heightOf(from); ; height = Math.max(height - step, 0)) {
    ids.push(tree.ancestorOf(from, height));
    if (height === 0) return ids;
    if (ids.length > DENSE_LOCATOR_ENTRIES) step *= 2;
  }
}

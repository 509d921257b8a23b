/** How long a chain of unconfirmed transactions may grow: it bounds the work that any change of the pool can cause. */
import {
  EXTRA_DESCENDANT_VSIZE,
  MAX_ANCESTOR_VSIZE,
  MAX_ANCESTORS,
  MAX_DESCENDANT_VSIZE,
  MAX_DESCENDANTS,
} from './policy.ts';
import { type PoolEntry, packageTotals, withAncestors, withDescendants } from './pool.ts';

/** Each counts the transaction itself. */
export type ChainLimits = {
  readonly ancestors: number;
  readonly ancestorVsize: number;
  readonly descendants: number;
  readonly descendantVsize: number;
};

export const DEFAULT_CHAIN_LIMITS: ChainLimits = {
  ancestors: MAX_ANCESTORS,
  ancestorVsize: MAX_ANCESTOR_VSIZE,
  descendants: MAX_DESCENDANTS,
  descendantVsize: MAX_DESCENDANT_VSIZE,
};

/**
 * Whether a new transaction of `vsize` below `parents` keeps the limits: undefined, or why not. One small child of a
 * single parent may exceed the descendant limits by itself, so that each of two parties can raise the fee of what
 * they share (Core's CPFP carve-out).
 */
export function checkChainLimits(
  parents: ReadonlySet<PoolEntry>,
  vsize: number,
  limits: ChainLimits,
): string | undefined {
  const reason = exceeded(parents, vsize, limits);
  if (reason === undefined || vsize > EXTRA_DESCENDANT_VSIZE) return reason;
  const carveOut: ChainLimits = {
    ancestors: 2,
    ancestorVsize: limits.ancestorVsize,
    descendants: limits.descendants + 1,
    descendantVsize: limits.descendantVsize + EXTRA_DESCENDANT_VSIZE,
  };
  return exceeded(parents, vsize, carveOut) === undefined ? undefined : reason;
}

/** Core's CalculateAncestorsAndCheckLimits. */
function exceeded(parents: ReadonlySet<PoolEntry>, vsize: number, limits: ChainLimits): string | undefined {
  // Asked first: it bounds the walk over the ancestors.
  if (parents.size + 1 > limits.ancestors) return `too many unconfirmed parents [limit: ${limits.ancestors}]`;
  const ancestors = withAncestors(parents);
  for (const ancestor of ancestors) {
    const below = packageTotals(withDescendants([ancestor]));
    const { txid } = ancestor.tx;
    if (below.vsize + vsize > limits.descendantVsize) {
      return `exceeds descendant size limit for tx ${txid} [limit: ${limits.descendantVsize}]`;
    }
    if (below.count + 1 > limits.descendants) {
      return `too many descendants for tx ${txid} [limit: ${limits.descendants}]`;
    }
  }
  if (packageTotals(ancestors).vsize + vsize > limits.ancestorVsize) {
    return `exceeds ancestor size limit [limit: ${limits.ancestorVsize}]`;
  }
  if (ancestors.size + 1 > limits.ancestors) return `too many unconfirmed ancestors [limit: ${limits.ancestors}]`;
  return undefined;
}

/** Whether an entry that is in the pool already has too much above it (after a reorganisation put it there). */
export function exceedsAncestorLimits(entry: PoolEntry, limits: ChainLimits): boolean {
  const { count, vsize } = packageTotals(withAncestors([entry]));
  return count > limits.ancestors || vsize > limits.ancestorVsize;
}

/** How long a chain of unconfirmed transactions may grow: it bounds the work that any change of the pool can cause. */
import {
  EXTRA_DESCENDANT_VSIZE,
  MAX_ANCESTOR_VSIZE,
  MAX_ANCESTORS,
  MAX_DESCENDANT_VSIZE,
  MAX_DESCENDANTS,
} from './policy.ts';
import { type PackageTotals, packageTotals, withAncestors, withDescendants } from './pool.ts';
import type { PoolEntry } from './pool-entry.ts';

/** Each counts the transaction itself. */
export type ChainLimits = {
  readonly ancestors: number;
  readonly ancestorVsize: number;
  readonly descendants: number;
  readonly descendantVsize: number;
};

/** What is new: one transaction or a package. */
type Added = Pick<PackageTotals, 'count' | 'vsize'>;

export const DEFAULT_CHAIN_LIMITS: ChainLimits = {
  ancestors: MAX_ANCESTORS,
  ancestorVsize: MAX_ANCESTOR_VSIZE,
  descendants: MAX_DESCENDANTS,
  descendantVsize: MAX_DESCENDANT_VSIZE,
};

/**
 * The limits for a replacement of `conflict` alone: the walk below counts the conflict, although it leaves. Only its
 * bytes and one place are given back, so that the carve-out's place is not won by replacing (as in PreChecks).
 */
export function limitsWithout(conflict: PoolEntry, limits: ChainLimits): ChainLimits {
  return {
    ...limits,
    descendants: limits.descendants + 1,
    descendantVsize: limits.descendantVsize + packageTotals(withDescendants([conflict])).vsize,
  };
}

/**
 * Whether a new transaction of `vsize` below `parents` keeps the limits: undefined, or why not. With `carveOut` one
 * small child of a single parent may exceed the descendant limits by itself, so that each of two parties can raise
 * the fee of what they share (Core's CPFP carve-out).
 */
export function checkChainLimits(
  parents: ReadonlySet<PoolEntry>,
  vsize: number,
  limits: ChainLimits,
  carveOut: boolean,
): string | undefined {
  const added = { count: 1, vsize };
  const reason = exceeded(parents, added, limits);
  if (reason === undefined || !carveOut || vsize > EXTRA_DESCENDANT_VSIZE) return reason;
  const extended: ChainLimits = {
    ancestors: 2,
    ancestorVsize: limits.ancestorVsize,
    descendants: limits.descendants + 1,
    descendantVsize: limits.descendantVsize + EXTRA_DESCENDANT_VSIZE,
  };
  return exceeded(parents, added, extended) === undefined ? undefined : reason;
}

/** Core's CheckPackageLimits: as if everything new stood on all parents. `parents`: of all that is new. */
export function checkPackageLimits(
  parents: ReadonlySet<PoolEntry>,
  added: Added,
  limits: ChainLimits,
): string | undefined {
  const { count, vsize } = added;
  if (count > limits.ancestors)
    return `package count ${count} exceeds ancestor count limit [limit: ${limits.ancestors}]`;
  if (count > limits.descendants) {
    return `package count ${count} exceeds descendant count limit [limit: ${limits.descendants}]`;
  }
  if (vsize > limits.ancestorVsize) {
    return `package size ${vsize} exceeds ancestor size limit [limit: ${limits.ancestorVsize}]`;
  }
  if (vsize > limits.descendantVsize) {
    return `package size ${vsize} exceeds descendant size limit [limit: ${limits.descendantVsize}]`;
  }
  const reason = exceeded(parents, added, limits);
  if (reason === undefined || reason.startsWith('too many unconfirmed parents')) return reason;
  return `possibly ${reason}`;
}

/** Core's CalculateAncestorsAndCheckLimits: from the nearest upwards, so it names the limit that Core names. */
function exceeded(parents: ReadonlySet<PoolEntry>, added: Added, limits: ChainLimits): string | undefined {
  const { count } = added;
  if (parents.size + count > limits.ancestors) return `too many unconfirmed parents [limit: ${limits.ancestors}]`;
  // Grows while it is walked; the limit bounds the walk.
  const ancestors = new Set(parents);
  let { vsize } = added;
  for (const ancestor of ancestors) {
    const below = packageTotals(withDescendants([ancestor]));
    const { txid } = ancestor;
    vsize += ancestor.vsize;
    if (below.vsize + added.vsize > limits.descendantVsize) {
      return `exceeds descendant size limit for tx ${txid} [limit: ${limits.descendantVsize}]`;
    }
    if (below.count + count > limits.descendants) {
      return `too many descendants for tx ${txid} [limit: ${limits.descendants}]`;
    }
    if (vsize > limits.ancestorVsize) return `exceeds ancestor size limit [limit: ${limits.ancestorVsize}]`;
    for (const parent of ancestor.parents) ancestors.add(parent);
    if (ancestors.size + count > limits.ancestors) {
      return `too many unconfirmed ancestors [limit: ${limits.ancestors}]`;
    }
  }
  return undefined;
}

/** Whether an entry that is in the pool already has too much above it (after a reorganisation put it there). */
export function exceedsAncestorLimits(entry: PoolEntry, limits: ChainLimits): boolean {
  const { count, vsize } = packageTotals(withAncestors([entry]));
  return count > limits.ancestors || vsize > limits.ancestorVsize;
}

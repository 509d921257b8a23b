/**
 * Topologically restricted until confirmation (BIP431): a transaction of version 3 is small and has at most one
 * unconfirmed parent or one unconfirmed child, of version 3 like itself. Nobody can then pin it with a large or a
 * second child. Core's policy/truc_policy.cpp, made for exactly these limits. Pure.
 */
import type { Transaction } from '#primitives';
import { spendsFrom } from './package-rules.ts';
import { TRUC_CHILD_MAX_VSIZE, TRUC_MAX_VSIZE, TRUC_VERSION } from './policy.ts';
import { withAncestors, withDescendants } from './pool.ts';
import type { PoolEntry } from './pool-entry.ts';

export type TrucViolation = {
  readonly reason: string;
  /** The one child that its parent has already: the rule holds if that leaves (sibling eviction). */
  readonly sibling?: PoolEntry | undefined;
};

type Named = Pick<Transaction, 'version' | 'txid' | 'wtxid'>;

export function isTruc(tx: Pick<Transaction, 'version'>): boolean {
  return tx.version === TRUC_VERSION;
}

/** SingleTRUCChecks. `conflicts`: what it replaces directly. */
export function checkTruc(
  tx: Transaction,
  vsize: number,
  ancestors: ReadonlySet<PoolEntry>,
  conflicts: ReadonlySet<PoolEntry>,
): TrucViolation | undefined {
  const foreign = [...ancestors].find((ancestor) => isTruc(ancestor) !== isTruc(tx));
  if (foreign !== undefined) return { reason: inheritance(tx, foreign) };
  if (!isTruc(tx)) return undefined;
  const reason = checkSizeAndAncestors(tx, vsize, ancestors.size);
  if (reason !== undefined) return { reason };
  const [parent] = ancestors;
  return parent === undefined ? undefined : checkSiblings(parent, conflicts);
}

/** Of a package. `ancestors`: in the pool. */
export type TrucMember = {
  readonly tx: Transaction;
  readonly vsize: number;
  readonly ancestors: ReadonlySet<PoolEntry>;
};

/** PackageTRUCChecks, for transactions that have passed alone, parents first. */
export function checkPackageTruc(members: readonly TrucMember[]): string | undefined {
  for (const member of members) {
    const reason = checkMember(member, members);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function checkMember({ tx, vsize, ancestors }: TrucMember, members: readonly TrucMember[]): string | undefined {
  const parents = members.filter((other) => spendsFrom(tx, other.tx)).map((other) => other.tx);
  if (!isTruc(tx)) {
    const foreign = parents.find(isTruc);
    return foreign === undefined ? undefined : inheritance(tx, foreign);
  }
  const reason = checkSizeAndAncestors(tx, vsize, ancestors.size + parents.length);
  if (reason !== undefined) return reason;
  const [pooled] = ancestors;
  const parent = pooled ?? parents[0];
  if (parent === undefined) return undefined;
  if (!isTruc(parent)) return inheritance(tx, parent);
  for (const { tx: other } of members) {
    if (other === tx) continue;
    if (spendsFrom(other, parent)) return tooManyDescendants(parent);
    if (spendsFrom(other, tx)) return tooManyAncestors(other);
  }
  return (pooled?.children.size ?? 0) > 0 ? tooManyDescendants(parent) : undefined;
}

/** The rules of one transaction with so many unconfirmed ancestors, in the pool or in its package. */
function checkSizeAndAncestors(tx: Transaction, vsize: number, ancestors: number): string | undefined {
  if (vsize > TRUC_MAX_VSIZE) return `version=3 ${name(tx)} is too big: ${vsize} > ${TRUC_MAX_VSIZE} virtual bytes`;
  if (ancestors > 1) return tooManyAncestors(tx);
  if (ancestors === 0 || vsize <= TRUC_CHILD_MAX_VSIZE) return undefined;
  return `version=3 child ${name(tx)} is too big: ${vsize} > ${TRUC_CHILD_MAX_VSIZE} virtual bytes`;
}

/** More than one child, and grandchildren, are here only after a reorganisation: then none of them gives way. */
function checkSiblings(parent: PoolEntry, conflicts: ReadonlySet<PoolEntry>): TrucViolation | undefined {
  const [child] = parent.children;
  if (child === undefined || [...parent.children].some((one) => conflicts.has(one))) return undefined;
  const mayLeave = withDescendants([parent]).size === 2 && withAncestors([child]).size === 2;
  return { reason: tooManyDescendants(parent), sibling: mayLeave ? child : undefined };
}

function inheritance(tx: Named, parent: Named): string {
  return isTruc(tx)
    ? `version=3 ${name(tx)} cannot spend from non-version=3 ${name(parent)}`
    : `non-version=3 ${name(tx)} cannot spend from version=3 ${name(parent)}`;
}

const tooManyAncestors = (tx: Named): string => `${name(tx)} would have too many ancestors`;
const tooManyDescendants = (parent: Named): string => `${name(parent)} would exceed descendant count limit`;
const name = (tx: Named): string => `tx ${tx.txid} (wtxid=${tx.wtxid})`;

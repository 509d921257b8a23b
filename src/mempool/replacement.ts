/**
 * Whether a transaction may take the place of entries that spend the same outputs: Core's policy/rbf.cpp and
 * MemPoolAccept::ReplacementChecks. Whether BIP125's signal is asked for is an
 * option; Core 28's default is not to. Pure.
 */
import { formatMoney, type Sats, type Transaction, txidFromBytes } from '#primitives';
import { formatFeeRate, satPerKvb } from './fee-rate.ts';
import { MAX_BIP125_RBF_SEQUENCE, MAX_REPLACEMENT_CANDIDATES, minFee } from './policy.ts';
import { type Pool, packageTotals, withDescendants } from './pool.ts';
import type { PoolEntry } from './pool-entry.ts';
import type { MempoolVerdict } from './port.ts';
import { isTruc } from './truc.ts';
import { policy, reconsiderable } from './verdicts.ts';

export type Candidate = {
  readonly tx: Transaction;
  readonly modifiedFee: Sats;
  readonly vsize: number;
};

export type Conflicts = {
  /** The entries that must leave, without their descendants. */
  readonly conflicts: ReadonlySet<PoolEntry>;
  /** One of them spends nothing that the new one spends: it is the only child that its parent may have (BIP431). */
  readonly evictsSibling: boolean;
};

export type Replacement = {
  readonly kind: 'passed';
  /** All that leaves: the conflicts and everything that stands on them. */
  readonly replaced: ReadonlySet<PoolEntry>;
};

const NOTHING: Replacement = { kind: 'passed', replaced: new Set() };

/** The entries that spend what the transaction spends. */
export function directConflicts(pool: Pool, tx: Transaction): Set<PoolEntry> {
  const conflicts = new Set<PoolEntry>();
  for (const input of tx.inputs) {
    const spender = pool.spender(input.prevTxid, input.prevIndex);
    if (spender !== undefined) conflicts.add(spender);
  }
  return conflicts;
}

/** BIP125's signal, without inheritance (Core's SignalsOptInRBF); version 3 is one too (BIP431). */
export function signalsReplacement(tx: Transaction): boolean {
  return isTruc(tx) || signalsBip125(tx);
}

export function signalsBip125(tx: Pick<Transaction, 'inputs'>): boolean {
  return tx.inputs.some(({ sequence }) => sequence <= MAX_BIP125_RBF_SEQUENCE);
}

/** `conflicts`: the direct ones, and a sibling. Without any there is nothing to ask. */
export function checkReplacement(
  pool: Pool,
  candidate: Candidate,
  { conflicts, evictsSibling }: Conflicts,
  incrementalFeeSatPerKvb: number,
): Replacement | MempoolVerdict {
  const suffix = evictsSibling ? ' (including sibling eviction)' : '';
  if (conflicts.size === 0) return NOTHING;
  const tooCheap = paysMoreThanConflicts(candidate, conflicts);
  if (tooCheap !== undefined) return reconsiderable(`insufficient fee${suffix}`, tooCheap);
  const replaced = entriesForConflicts(candidate.tx, conflicts);
  if (typeof replaced === 'string') return policy(`too many potential replacements${suffix}`, replaced);
  const added = hasNoNewUnconfirmed(pool, candidate.tx, replaced);
  if (added !== undefined) return policy(`replacement-adds-unconfirmed${suffix}`, added);
  const tooLittle = paysForReplacement(candidate, packageTotals(replaced).modifiedFee, incrementalFeeSatPerKvb);
  if (tooLittle !== undefined) return reconsiderable(`insufficient fee${suffix}`, tooLittle);
  return { kind: 'passed', replaced };
}

/**
 * Core's GetEntriesForConflicts: the conflicts with their descendants, or why they are too many. A descendant of two
 * conflicts counts twice: that is what bounds the work.
 */
export function entriesForConflicts(tx: Transaction, conflicts: ReadonlySet<PoolEntry>): Set<PoolEntry> | string {
  let count = 0;
  for (const conflict of conflicts) {
    count += withDescendants([conflict]).size;
    if (count > MAX_REPLACEMENT_CANDIDATES) {
      const why = `too many potential replacements (${count} > ${MAX_REPLACEMENT_CANDIDATES})`;
      return `rejecting replacement ${tx.txid}; ${why}`;
    }
  }
  return withDescendants(conflicts);
}

/** Core's EntriesAndTxidsDisjoint: whether a transaction stands on what it would push out. */
export function spendsConflicting(
  tx: Transaction,
  ancestors: ReadonlySet<PoolEntry>,
  conflicts: ReadonlySet<PoolEntry>,
): string | undefined {
  for (const ancestor of ancestors) {
    if (conflicts.has(ancestor)) return `${tx.txid} spends conflicting transaction ${ancestor.txid}`;
  }
  return undefined;
}

/** BIP125 rule 2: a replacement does not wait for unconfirmed transactions that what it replaces did not wait for. */
function hasNoNewUnconfirmed(pool: Pool, tx: Transaction, replaced: ReadonlySet<PoolEntry>): string | undefined {
  const known = new Set<PoolEntry>();
  for (const entry of replaced) {
    for (const parent of entry.parents) known.add(parent);
  }
  const added = tx.inputs.findIndex((input) => {
    const parent = pool.byTxid(txidFromBytes(input.prevTxid));
    return parent !== undefined && !known.has(parent);
  });
  return added === -1 ? undefined : `replacement ${tx.txid} adds unconfirmed input, idx ${added}`;
}

/** A block would rather take the new one than any that it pushes out directly. */
function paysMoreThanConflicts(candidate: Candidate, conflicts: ReadonlySet<PoolEntry>): string | undefined {
  const rate = satPerKvb(candidate.modifiedFee, candidate.vsize);
  for (const conflict of conflicts) {
    const old = satPerKvb(conflict.modifiedFee, conflict.vsize);
    if (rate > old) continue;
    const rates = `new feerate ${formatFeeRate(rate)} <= old feerate ${formatFeeRate(old)}`;
    return `rejecting replacement ${candidate.tx.txid}; ${rates}`;
  }
  return undefined;
}

/** Core's PaysForRBF, BIP125 rules 3 and 4: as much fee as all that leaves, and the new one's relay besides. */
export function paysForReplacement(
  candidate: Candidate,
  oldFees: Sats,
  incrementalFeeSatPerKvb: number,
): string | undefined {
  const { tx, modifiedFee, vsize } = candidate;
  const rejecting = `rejecting replacement ${tx.txid}`;
  if (modifiedFee < oldFees) {
    return `${rejecting}, less fees than conflicting txs; ${formatMoney(modifiedFee)} < ${formatMoney(oldFees)}`;
  }
  const additional = modifiedFee - oldFees;
  const needed = minFee(incrementalFeeSatPerKvb, vsize);
  if (additional >= needed) return undefined;
  const amounts = `${formatMoney(additional)} < ${formatMoney(needed)}`;
  return `${rejecting}, not enough additional fees to relay; ${amounts}`;
}

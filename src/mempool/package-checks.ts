/**
 * Whether parents and a child may enter together, the child paying for all: the part of Core's
 * AcceptMultipleTransactions between PreChecks and the scripts, with PackageMempoolChecks. Pure.
 */
import { checkPackageLimits } from './chain-limits.ts';
import { formatFeeRate, satPerKvb } from './fee-rate.ts';
import { type Chunk, checkConflictTopology, improvesDiagram } from './feerate-diagram.ts';
import { type Pool, packageTotals } from './pool.ts';
import { checkFeeRate, type PoolChecked, type PoolTerms } from './pool-checks.ts';
import type { PoolEntry } from './pool-entry.ts';
import type { MempoolVerdict, PackageFailure } from './port.ts';
import { type Candidate, entriesForConflicts, paysForReplacement, type Replacement } from './replacement.ts';
import { checkPackageTruc } from './truc.ts';

/** Of one that passed the checks of its own. */
export type Member = Candidate & PoolChecked;

export type PackageTerms = PoolTerms & { readonly incrementalFeeSatPerKvb: number };

export const TRANSACTION_FAILED: PackageFailure = { code: 'transaction failed' };

/** `poor`: they pay too little all together. */
export type Refusal = { readonly failure: PackageFailure; readonly poor?: MempoolVerdict };

/** Parents first. */
export function checkTogether(pool: Pool, members: readonly Member[], terms: PackageTerms): Replacement | Refusal {
  const violation = checkPackageTruc(members);
  if (violation !== undefined) return { failure: { code: 'TRUC-violation', debug: violation } };
  const { modifiedFee, vsize } = packageTotals(members);
  const poor = checkFeeRate(modifiedFee, vsize, terms);
  if (poor !== undefined) return { failure: TRANSACTION_FAILED, poor };
  const parents = new Set(members.flatMap(({ tx }) => [...pool.parentsOf(tx)]));
  const tooLong = checkPackageLimits(parents, { count: members.length, vsize }, terms.chainLimits);
  if (tooLong !== undefined) return { failure: { code: 'package-mempool-limits', debug: tooLong } };
  const replacement = checkReplacement(members, terms.incrementalFeeSatPerKvb);
  return 'code' in replacement ? { failure: replacement } : replacement;
}

/** Only one parent and its child may replace (Core's PackageMempoolChecks). */
function checkReplacement(members: readonly Member[], incrementalFeeSatPerKvb: number): Replacement | PackageFailure {
  const [parent, child, ...more] = members;
  if (members.every(({ conflicts }) => conflicts.size === 0)) return { kind: 'passed', replaced: new Set() };
  if (parent === undefined || child === undefined || more.length > 0) {
    return failed('package must be 1-parent-1-child');
  }
  return checkPackageReplacement(parent, child, incrementalFeeSatPerKvb);
}

/** Package RBF: both together replace what either conflicts with, for the two of them as one chunk. */
function checkPackageReplacement(
  parent: Member,
  child: Member,
  incrementalFeeSatPerKvb: number,
): Replacement | PackageFailure {
  const conflicts = new Set([...parent.conflicts, ...child.conflicts]);
  if (parent.ancestors.size + child.ancestors.size > 0) {
    return failed('new transaction cannot have mempool ancestors');
  }
  const replaced = entriesForConflicts(child.tx, conflicts);
  if (typeof replaced === 'string') return failed('too many potential replacements', replaced);
  const whole = packageTotals([parent, child]);
  const tooLittle = paysForReplacement(
    { tx: child.tx, ...whole },
    packageTotals(replaced).modifiedFee,
    incrementalFeeSatPerKvb,
  );
  if (tooLittle !== undefined) return failed('insufficient anti-DoS fees', tooLittle);
  const [rate, parentRate] = [satPerKvb(whole.modifiedFee, whole.vsize), satPerKvb(parent.modifiedFee, parent.vsize)];
  if (rate <= parentRate) {
    const rates = `package feerate ${formatFeeRate(rate)} <= parent feerate is ${formatFeeRate(parentRate)}`;
    return failed('package feerate is less than or equal to parent feerate', rates);
  }
  return checkDiagram(conflicts, replaced, whole) ?? { kind: 'passed', replaced };
}

/** Core's ImprovesFeerateDiagram. */
function checkDiagram(
  conflicts: ReadonlySet<PoolEntry>,
  replaced: ReadonlySet<PoolEntry>,
  whole: Chunk,
): PackageFailure | undefined {
  const unknown = checkConflictTopology(conflicts);
  if (unknown !== undefined) return failed(unknown);
  if (improvesDiagram(conflicts, replaced, whole)) return undefined;
  return failed('insufficient feerate: does not improve feerate diagram');
}

function failed(reason: string, debug?: string): PackageFailure {
  const code = `package RBF failed: ${reason}`;
  return debug === undefined ? { code } : { code, debug };
}

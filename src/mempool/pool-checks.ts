/**
 * The part of Core's PreChecks that depends on what is in the pool: fee floors, chain limits, and conflicts. Whether
 * the conflicts may be replaced is the next question (replacement.ts). Pure.
 */
import { failure } from '#consensus';
import type { Sats } from '#primitives';
import { type ChainLimits, checkChainLimits, limitsWithout } from './chain-limits.ts';
import { minFee } from './policy.ts';
import { type Pool, withAncestors } from './pool.ts';
import type { PoolEntry } from './pool-entry.ts';
import type { MempoolVerdict } from './port.ts';
import { type Candidate, type Conflicts, directConflicts, spendsConflicting } from './replacement.ts';
import { checkTruc, isTruc } from './truc.ts';
import { policy, reconsiderable } from './verdicts.ts';

/**
 * How a transaction comes (Core's ATMPArgs). `block`: it was in one that is disconnected, and need not pay for relay
 * (bypass_limits). `in-package`: alone, as one of a package. `package`: a child may pay for its parent. `package-test`: as one
 * of several that are only tried, each pays for itself and none replaces anything.
 */
export type AdmissionContext = 'single' | 'block' | 'in-package' | 'package' | 'package-test';

export type FeeFloors = {
  readonly minRelayFeeSatPerKvb: number;
  /** What a full pool asks for; 0 if it is not full. */
  readonly rollingFeeSatPerKvb: number;
};

export type PoolTerms = FeeFloors & {
  readonly chainLimits: ChainLimits;
  readonly context: AdmissionContext;
};

export type PoolChecked = Conflicts & {
  readonly kind: 'passed';
  /** In the pool. */
  readonly ancestors: ReadonlySet<PoolEntry>;
};

export function checkAgainstPool(pool: Pool, candidate: Candidate, terms: PoolTerms): PoolChecked | MempoolVerdict {
  const { tx, vsize } = candidate;
  const poor = checkFee(candidate, terms);
  if (poor !== undefined) return poor;
  const conflicts = directConflicts(pool, tx);
  const parents = pool.parentsOf(tx);
  const carveOuts = terms.context === 'single' || terms.context === 'block';
  const limits = carveOuts ? limitsFor(conflicts, terms.chainLimits) : terms.chainLimits;
  const tooLong = checkChainLimits(parents, vsize, limits, carveOuts && !isTruc(tx));
  if (tooLong !== undefined) return policy('too-long-mempool-chain', tooLong);
  const ancestors = withAncestors(parents);
  const violation = checkTruc(tx, vsize, ancestors, conflicts);
  const maySiblingLeave = terms.context !== 'package' && terms.context !== 'package-test';
  const sibling = maySiblingLeave ? violation?.sibling : undefined;
  if (violation !== undefined && sibling === undefined) return policy('TRUC-violation', violation.reason);
  if (sibling !== undefined) conflicts.add(sibling);
  const absurd = spendsConflicting(tx, ancestors, conflicts);
  // Core's TX_CONSENSUS: no chain can hold it, as one half of it excludes the other.
  if (absurd !== undefined) {
    return { kind: 'consensus', failure: failure('consensus', 'bad-txns-spends-conflicting-tx', absurd) };
  }
  return { kind: 'passed', ancestors, conflicts, evictsSibling: sibling !== undefined };
}

/**
 * No child can help below the relay minimum: it may be replaced later, and would leave its parent behind unpaid.
 * Under BIP431 the one child can be replaced only by another that pays.
 */
function checkFee({ tx, modifiedFee, vsize }: Candidate, terms: PoolTerms): MempoolVerdict | undefined {
  if (terms.context === 'block') return undefined;
  const relayFee = minFee(terms.minRelayFeeSatPerKvb, vsize);
  if (modifiedFee < relayFee && !isTruc(tx)) {
    return policy('min relay fee not met', `${modifiedFee} < ${relayFee}`);
  }
  return terms.context === 'package' ? undefined : checkFeeRate(modifiedFee, vsize, terms);
}

/** Core's CheckFeeRate: of a transaction, or of a package. */
export function checkFeeRate(modifiedFee: Sats, vsize: number, terms: FeeFloors): MempoolVerdict | undefined {
  const rollingFee = minFee(terms.rollingFeeSatPerKvb, vsize);
  if (modifiedFee < rollingFee) return reconsiderable('mempool min fee not met', `${modifiedFee} < ${rollingFee}`);
  const relayFee = minFee(terms.minRelayFeeSatPerKvb, vsize);
  return modifiedFee < relayFee ? reconsiderable('min relay fee not met', `${modifiedFee} < ${relayFee}`) : undefined;
}

function limitsFor(conflicts: ReadonlySet<PoolEntry>, limits: ChainLimits): ChainLimits {
  const [first] = conflicts;
  return first === undefined || conflicts.size > 1 ? limits : limitsWithout(first, limits);
}

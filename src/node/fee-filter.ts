/**
 * The fee filter of our hello (BIP133): what our mempool asks for, rounded to one of some steps, by chance, so that the exact
 * value cannot tell one node behind two addresses (Core's FeeFilterRounder).
 */
import { MAX_MONEY } from '#primitives';
import type { Random } from '#util';

/** MAX_FILTER_FEERATE and FEE_FILTER_SPACING. */
const MAX_STEP_SAT_PER_KVB = 1e7;
const SPACING = 1.1;
/** Half of the least step between replacements (Core's incremental relay fee). */
const FIRST_STEP_SAT_PER_KVB = 500;

const STEPS: readonly number[] = [0, ...stepsFrom(FIRST_STEP_SAT_PER_KVB)];

function* stepsFrom(first: number): Iterable<number> {
  for (let step = first; step <= MAX_STEP_SAT_PER_KVB; step *= SPACING) yield step;
}

export type FeeFilterDeps = {
  /** What a transaction must pay now, sat per 1000 vbytes. */
  readonly minFeeSatPerKvb: () => number;
  readonly minRelayFeeSatPerKvb: number;
  /** During initial sync transactions would only be dropped: nothing pays enough. */
  readonly isSynced: () => boolean;
  readonly random: Random;
};

/** sat per 1000 vbytes, never below the relay minimum. */
export function feeFilter({ minFeeSatPerKvb, minRelayFeeSatPerKvb, isSynced, random }: FeeFilterDeps): bigint {
  if (!isSynced()) return MAX_MONEY;
  const fee = minFeeSatPerKvb();
  const above = STEPS.findIndex((step) => step >= fee);
  // Behind the last step, or by chance: the one below.
  const at = above < 0 ? STEPS.length - 1 : above - Number(above > 0 && random.below(3) !== 0);
  return BigInt(Math.max(Math.floor(STEPS[at] ?? 0), minRelayFeeSatPerKvb));
}

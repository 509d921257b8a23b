/** When the difficulty changes next, and to what if blocks go on to come as they do (Core's CalculateNextWorkRequired). */
import type { ChainReader, HeaderEntry } from '#chain';
import { adjustmentInterval } from '#consensus';
import type { Retarget } from '../contract.ts';

const MAX_CHANGE = 4;

/** null where it never changes. */
export function nextRetarget(
  { params, ancestor }: Pick<ChainReader, 'params' | 'ancestor'>,
  tip: HeaderEntry,
): Retarget | null {
  const { noRetargeting, targetTimespanSeconds } = params.pow;
  if (noRetargeting) return null;
  const intervalBlocks = adjustmentInterval(params.pow);
  const firstHeight = tip.height - (tip.height % intervalBlocks);
  const nextHeight = firstHeight + intervalBlocks;
  const blocksDone = tip.height - firstHeight;
  const seconds = tip.header.time - ancestor(tip, firstHeight).header.time;
  const place = { nextHeight, blocksLeft: nextHeight - tip.height, intervalBlocks };
  if (blocksDone === 0 || seconds <= 0) return { ...place, estimatedRatio: null, estimatedAtMs: null };
  const secondsPerBlock = seconds / blocksDone;
  // The rule takes the time between the first and the last block, one step less than the blocks of an interval.
  const timespanSeconds = secondsPerBlock * (intervalBlocks - 1);
  const ratio = targetTimespanSeconds / timespanSeconds;
  return {
    ...place,
    estimatedRatio: Math.min(Math.max(ratio, 1 / MAX_CHANGE), MAX_CHANGE),
    estimatedAtMs: Math.round((tip.header.time + secondsPerBlock * (nextHeight - 1 - tip.height)) * 1_000),
  };
}

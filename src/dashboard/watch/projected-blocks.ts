/**
 * What the next blocks would take of the mempool. The first as the miner's template has it, by packages; but of a large mempool
 * only what pays enough to be among the best three blocks is looked at, which says the same as long as the block's lowest
 * package pays more than that. The others are read off the histogram.
 */
import { limits } from '#consensus';
import { type MempoolEntry, selectForTip } from '#mempool';
import type { StarlingNode } from '#node';
import type { ProjectedBlock } from '../contract.ts';
import type { FilledBucket } from './feerate-histogram.ts';

const MAX_BLOCKS = 8;
const BLOCKS_LOOKED_AT = 3;
/** What the template fills: a block less what is set aside for header, coinbase and margin. */
const BLOCK_VSIZE = (limits.MAX_BLOCK_WEIGHT - 8_000) / 4;

export function projectBlocks(
  chain: Pick<StarlingNode['chain'], 'params' | 'tip'>,
  entries: Iterable<MempoolEntry>,
  buckets: readonly FilledBucket[],
): readonly ProjectedBlock[] {
  const first = firstBlock(chain, entries, buckets);
  if (first === undefined) return [];
  return [first, ...estimateBlocks(buckets, first.vsizeBytes)].slice(0, MAX_BLOCKS);
}

function firstBlock(
  chain: Pick<StarlingNode['chain'], 'params' | 'tip'>,
  entries: Iterable<MempoolEntry>,
  buckets: readonly FilledBucket[],
): ProjectedBlock | undefined {
  const { fees, packages, entries: taken } = selectForTip(chain, payingAtLeast(entries, lowestLookedAt(buckets)));
  if (taken.length === 0) return undefined;
  const rates = packages.toSorted((a, b) => b.satPerVb - a.satPerVb);
  const vsizeBytes = packages.reduce((sum, { vsize }) => sum + vsize, 0);
  let above = 0;
  const middle = rates.find(({ vsize }) => {
    above += vsize;
    return above * 2 >= vsizeBytes;
  });
  return {
    txCount: taken.length,
    vsizeBytes,
    feesSats: Number(fees),
    minFeerateSatPerVb: rates.at(-1)?.satPerVb ?? 0,
    medianFeerateSatPerVb: middle?.satPerVb ?? 0,
    maxFeerateSatPerVb: rates[0]?.satPerVb ?? 0,
    isEstimate: false,
  };
}

function lowestLookedAt(buckets: readonly FilledBucket[]): number {
  let vsize = 0;
  return (
    buckets.findLast((bucket) => {
      vsize += bucket.vsizeBytes;
      return vsize >= BLOCKS_LOOKED_AT * BLOCK_VSIZE;
    })?.fromSatPerVb ?? 0
  );
}

function* payingAtLeast(entries: Iterable<MempoolEntry>, satPerVb: number): Iterable<MempoolEntry> {
  for (const entry of entries) if (Number(entry.fee) >= satPerVb * entry.vsize) yield entry;
}

type Slice = { readonly vsize: number; readonly share: number; readonly rate: number; readonly bucket: FilledBucket };

/** From the best rates down, block by block, behind the first so many vbytes. A bucket that two blocks share is divided evenly. */
export function estimateBlocks(buckets: readonly FilledBucket[], takenVsize: number): readonly ProjectedBlock[] {
  const blocks: ProjectedBlock[] = [];
  let toSkip = takenVsize;
  let slices: Slice[] = [];
  let room = BLOCK_VSIZE;
  for (const bucket of buckets.filter(({ vsizeBytes }) => vsizeBytes > 0).toReversed()) {
    let left = bucket.vsizeBytes - Math.min(toSkip, bucket.vsizeBytes);
    toSkip -= bucket.vsizeBytes - left;
    while (left > 0 && blocks.length < MAX_BLOCKS) {
      const vsize = Math.min(left, room);
      slices.push({ vsize, share: vsize / bucket.vsizeBytes, rate: bucket.feesSats / bucket.vsizeBytes, bucket });
      left -= vsize;
      room -= vsize;
      if (room > 0) continue;
      blocks.push(blockOf(slices));
      slices = [];
      room = BLOCK_VSIZE;
    }
  }
  if (slices.length > 0 && blocks.length < MAX_BLOCKS) blocks.push(blockOf(slices));
  return blocks;
}

/** Of slices with falling rates. */
function blockOf(slices: readonly Slice[]): ProjectedBlock {
  const vsizeBytes = slices.reduce((sum, { vsize }) => sum + vsize, 0);
  let above = 0;
  const middle = slices.find(({ vsize }) => {
    above += vsize;
    return above * 2 >= vsizeBytes;
  });
  return {
    txCount: Math.round(slices.reduce((sum, { share, bucket }) => sum + share * bucket.txCount, 0)),
    vsizeBytes: Math.round(vsizeBytes),
    feesSats: Math.round(slices.reduce((sum, { share, bucket }) => sum + share * bucket.feesSats, 0)),
    minFeerateSatPerVb: slices.at(-1)?.rate ?? 0,
    medianFeerateSatPerVb: middle?.rate ?? 0,
    maxFeerateSatPerVb: slices[0]?.rate ?? 0,
    isEstimate: true,
  };
}

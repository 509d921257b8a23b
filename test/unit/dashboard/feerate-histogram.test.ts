/** The histogram against a naive count, and what is projected from it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '#util';
import {
  BUCKET_BOUNDS,
  FeerateHistogram,
  type FilledBucket,
  type Priced,
} from '../../../src/dashboard/watch/feerate-histogram.ts';
import { estimateBlocks } from '../../../src/dashboard/watch/projected-blocks.ts';

/** What the template fills of a block. */
const BLOCK_VSIZE = 998_000;

function naive(entries: readonly Priced[]): readonly FilledBucket[] {
  return BUCKET_BOUNDS.map((fromSatPerVb, at) => {
    const end = BUCKET_BOUNDS[at + 1] ?? Number.POSITIVE_INFINITY;
    const inside = entries.filter(({ fee, vsize }) => {
      const rate = Number(fee) / vsize;
      return rate >= fromSatPerVb && rate < end;
    });
    return {
      fromSatPerVb,
      txCount: inside.length,
      vsizeBytes: inside.reduce((sum, { vsize }) => sum + vsize, 0),
      feesSats: inside.reduce((sum, { fee }) => sum + Number(fee), 0),
    };
  });
}

test('coming and going in any order, it counts what is there', () => {
  const random = seededRandom(7);
  const histogram = new FeerateHistogram();
  const there: Priced[] = [];
  for (let step = 0; step < 5_000; step++) {
    if (there.length > 0 && random.below(3) === 0) {
      const [gone] = there.splice(random.below(there.length), 1);
      if (gone !== undefined) histogram.remove(gone);
      continue;
    }
    const vsize = 60 + random.below(2_000);
    const entry = { vsize, fee: BigInt(Math.floor(vsize * 10 ** (random.below(6_000) / 1_000 - 1))) };
    there.push(entry);
    histogram.add(entry);
  }
  assert.deepEqual(histogram.buckets(), naive(there));
  for (const entry of there) histogram.remove(entry);
  assert.deepEqual(histogram.buckets(), naive([]));
});

test('a rate that is a bound belongs to the bucket that begins there', () => {
  const entries = BUCKET_BOUNDS.map((bound) => ({ vsize: 1_000, fee: BigInt(Math.round(bound * 1_000)) }));
  const histogram = new FeerateHistogram();
  for (const entry of entries) histogram.add(entry);
  assert.ok(histogram.buckets().every(({ txCount }) => txCount === 1));
  assert.deepEqual(histogram.buckets(), naive(entries));
});

test('blocks are taken from the best rates down; what two share is divided', () => {
  const bucket = (fromSatPerVb: number, vsizeBytes: number, rate: number): FilledBucket => ({
    fromSatPerVb,
    txCount: vsizeBytes / 500,
    vsizeBytes,
    feesSats: vsizeBytes * rate,
  });
  const buckets = [bucket(1, 1_497_000, 1.5), bucket(10, 0, 0), bucket(20, 499_000, 24)];
  const [first, second, ...more] = estimateBlocks(buckets, 0);
  assert.deepEqual(first, {
    txCount: 1_996,
    vsizeBytes: BLOCK_VSIZE,
    feesSats: 499_000 * 24 + 499_000 * 1.5,
    minFeerateSatPerVb: 1.5,
    medianFeerateSatPerVb: 24,
    maxFeerateSatPerVb: 24,
    isEstimate: true,
  });
  assert.deepEqual([second?.vsizeBytes, second?.maxFeerateSatPerVb], [BLOCK_VSIZE, 1.5]);
  assert.deepEqual(more, []);
  const behind = estimateBlocks(buckets, 700_000);
  assert.deepEqual(
    behind.map(({ vsizeBytes }) => vsizeBytes),
    [BLOCK_VSIZE, 1_996_000 - 700_000 - BLOCK_VSIZE],
  );
  assert.equal(estimateBlocks([bucket(1, 20 * BLOCK_VSIZE, 1)], 0).length, 8);
  assert.deepEqual(estimateBlocks(buckets, 1_996_000), []);
});

/** The mempool as the dashboard shows it, beside a real one as transactions enter, are replaced, confirmed and come back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBlockTemplate } from '#mempool';
import { mineBlock } from '#miner';
import type { Transaction } from '#primitives';
import { BUCKET_BOUNDS } from '../../../src/dashboard/watch/feerate-histogram.ts';
import { MempoolView } from '../../../src/dashboard/watch/mempool-view.ts';
import { buildTx, outputOf, pay } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from '../mempool/harness.ts';

const REWARD = 5_000_000_000n;
/** OP_TRUE. */
const ANYONE = Uint8Array.of(0x51);

const spend = (h: Harness, height: number, fee: bigint): Transaction =>
  buildTx([h.builder.coin(height)], [pay(REWARD - fee)], { sequence: 0xfffffffd });

const viewOf = (h: Harness): MempoolView => new MempoolView(h, h.clock);

function check(h: Harness, view: MempoolView): void {
  const { histogram, txCount, vsizeBytes, totalFeeSats } = view.state();
  const entries = [...h.mempool.entries()];
  const indexOf = (rate: number): number => BUCKET_BOUNDS.findLastIndex((bound) => bound <= rate);
  const counts = BUCKET_BOUNDS.map(() => 0);
  for (const { fee, vsize } of entries) {
    const at = indexOf(Number(fee) / vsize);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  assert.deepEqual(
    histogram.map((bucket) => bucket.txCount),
    counts,
  );
  const vsize = histogram.reduce((sum, bucket) => sum + bucket.vsizeBytes, 0);
  assert.deepEqual([txCount, vsizeBytes], [entries.length, vsize]);
  assert.equal(totalFeeSats, Number(entries.reduce((sum, { fee }) => sum + fee, 0n)));
}

test('it counts what is there, whatever becomes of it', async () => {
  await using h = await createHarness();
  await h.submit(spend(h, 1, 1_000n));
  using view = viewOf(h);
  check(h, view);
  const [first, replaced, better] = [spend(h, 2, 5_000n), spend(h, 3, 2_000n), spend(h, 3, 40_000n)];
  for (const tx of [first, replaced, better, spend(h, 4, 200_000n)]) assert.equal(await h.submit(tx), 'accepted');
  check(h, view);
  assert.deepEqual([view.state().enteredCount, view.state().leftCount], [4, 1]);
  assert.deepEqual(
    view.state().latest.map(({ feeSats }) => feeSats),
    [200_000, 40_000, 2_000, 5_000],
  );
  await h.chain.submitBlock(await mineBlock(createBlockTemplate(h, ANYONE, 0), h.chain.params));
  check(h, view);
  assert.equal(view.state().txCount, 0);
  await h.chain.invalidateBlock(h.chain.tip().hash);
  await h.chain.idle();
  check(h, view);
  assert.equal(view.state().txCount, 4, 'back from the block');
});

test('the next block is projected anew when the mempool changed, and not too often', async () => {
  await using h = await createHarness();
  using view = viewOf(h);
  view.project();
  assert.deepEqual(view.state().projectedBlocks, []);
  const parent = spend(h, 1, 1_000n);
  const child = buildTx([outputOf(parent)], [pay(REWARD - 101_000n)]);
  for (const tx of [parent, child]) await h.submit(tx);
  view.project();
  assert.deepEqual(view.state().projectedBlocks, [], 'a moment ago');
  await h.clock.advance(2_000);
  const before = view.version();
  view.project();
  assert.notEqual(view.version(), before);
  const [next, ...more] = view.state().projectedBlocks;
  assert.deepEqual(more, []);
  assert.deepEqual([next?.txCount, next?.feesSats, next?.isEstimate], [2, 101_000, false]);
  assert.equal(next?.minFeerateSatPerVb, next?.maxFeerateSatPerVb, 'one package, one rate');
  await h.clock.advance(60_000);
  const same = view.version();
  view.project();
  assert.equal(view.version(), same, 'nothing changed');
});

test('disposed, it counts no more', async () => {
  await using h = await createHarness();
  const view = viewOf(h);
  view[Symbol.dispose]();
  await h.submit(spend(h, 1, 1_000n));
  assert.equal(view.state().enteredCount, 0);
});

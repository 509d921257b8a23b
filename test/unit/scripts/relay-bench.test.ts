import assert from 'node:assert/strict';
import { test } from 'node:test';
import { regtestParams } from '../../../scripts/bench/block-maker.ts';
import { slopePerHour } from '../../../scripts/bench/growth.ts';
import { buildRelayChain, LARGE_PAYMENT, PAYMENT } from '../../../scripts/bench/relay-chain.ts';
import { quantile } from '../../../scripts/bench/relay-network.ts';
import type { Minute } from '../../../scripts/bench/soak.ts';
import { fillerBlocks } from '../../../scripts/bench/soak-filler.ts';
import { verdictOf, warmedUp } from '../../../scripts/bench/soak-verdict.ts';
import { mixedCoins, mixedShape } from '../../../scripts/bench/tx-mix.ts';
import { openTestChain } from '../../support/test-chain.ts';

test('a quantile is a value that was measured', () => {
  const sorted = Array.from({ length: 20 }, (_, at) => at + 1);
  assert.equal(quantile(sorted, 0.5), 10);
  assert.equal(quantile(sorted, 0.95), 19);
  assert.equal(quantile(sorted, 1), 20);
  assert.equal(quantile([7], 0.95), 7);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('the slope is that of the nearest line', () => {
  const quarters = [0, 900_000, 1_800_000, 2_700_000];
  const points = quarters.map((atMs) => ({ atMs, value: 5 + (2 * atMs) / 3_600_000 }));
  assert.ok(Math.abs(slopePerHour(points) - 2) < 1e-9);
  const scattered = points.map(({ atMs, value }, at) => ({ atMs, value: value + (at === 0 || at === 3 ? 1 : -1) }));
  assert.ok(Math.abs(slopePerHour(scattered) - 2) < 1e-9, 'what scatters evenly does not tilt it');
  assert.ok(Number.isNaN(slopePerHour(points.slice(0, 2))));
});

test('payments have the sizes that the figures are named by', () => {
  const chain = buildRelayChain(2 + 3 + mixedCoins(20));
  const small = chain.pay(PAYMENT);
  assert.ok(small.size >= 370 && small.size <= 372, `${small.size}`);
  const large = chain.pay(LARGE_PAYMENT);
  assert.ok(large.size >= 487 && large.size <= 491, `${large.size}`);
  assert.ok(4_000 * large.weight < 3_990_000, `a block holds 4,000: ${large.weight}`);
});

test('any run of mixed transactions is like Bitcoin’s: small ones in the middle, few large, these most of the bytes', () => {
  const shapes = Array.from({ length: 4_000 }, (_, n) => mixedShape(n));
  const bytes = shapes.map(({ inputs, outputs }) => 11 + 149 * inputs + 31 * outputs).sort((a, b) => a - b);
  const vbytes = shapes.map(({ inputs, outputs }) => 11 + 68 * inputs + 31 * outputs).sort((a, b) => a - b);
  const mean = bytes.reduce((sum, each) => sum + each, 0) / bytes.length;
  assert.ok(Math.abs(quantile(vbytes, 0.5) - 209) <= 1);
  assert.ok(mean > 380 && mean < 450, `${mean}`);
  const above = (limit: number): number => bytes.filter((each) => each > limit).length / bytes.length;
  assert.ok(above(1_000) > 0.02 && above(1_000) < 0.03);
  assert.ok(above(10_000) > 0.003 && above(10_000) < 0.005);
  assert.equal(
    mixedCoins(4_000),
    shapes.reduce((sum, { inputs }) => sum + inputs, 0),
  );
});

test('the chain of the relay benchmarks and the blocks of the soak are valid', async () => {
  const made = buildRelayChain(30);
  made.skip(2);
  const payments = [made.pay(PAYMENT), made.pay(PAYMENT)];
  const blocks = [...made.blocks, made.mine(payments), ...fillerBlocks(made, 2, 50)];
  await using chain = await openTestChain(regtestParams());
  for (const block of blocks) assert.equal((await chain.submitBlock(block)).kind, 'connected');
  assert.equal(blocks.at(-1)?.transactions.length, 51);
});

/** Of one process, a minute apart. */
function soakOf(samples: readonly { heapMb: number; streams?: number }[]): Minute[] {
  return samples.map(({ heapMb, streams = 100 }, minute) => ({
    atMs: minute * 60_000,
    processes: [{ heapBytes: heapMb * 1e6, externalBytes: 1e6, counts: { 'open streams': streams, height: minute } }],
  }));
}

test('the first third of a soak is no part of its slope', () => {
  assert.deepEqual(warmedUp([1, 2, 3, 4, 5, 6]), [3, 4, 5, 6]);
  const settled = soakOf([10, 15, 20, 20, 20, 20, 20, 20, 20].map((heapMb) => ({ heapMb })));
  assert.equal(verdictOf(settled).isFlat, true);
});

test('a soak fails on a heap that grows by a megabyte an hour', () => {
  const grownBy = (megabytesAnHour: number) =>
    soakOf(Array.from({ length: 30 }, (_, minute) => ({ heapMb: 20 + (minute * megabytesAnHour) / 60 })));
  assert.equal(verdictOf(grownBy(1.01)).isFlat, false);
  assert.equal(verdictOf(grownBy(0.99)).isFlat, true);
});

test('a soak fails on streams that are left, and says so', () => {
  const busy = Array.from({ length: 30 }, (_, minute) => ({ heapMb: 20, streams: 100 + (minute % 5) * 50 }));
  assert.equal(verdictOf(soakOf(busy)).isFlat, true, 'many are on their way at times');
  const leaked = Array.from({ length: 30 }, (_, minute) => ({ heapMb: 20, streams: 100 + 2 * minute }));
  const { lines, isFlat } = verdictOf(soakOf(leaked));
  assert.equal(isFlat, false);
  assert.match(lines.join('\n'), /open streams +120 +140 {2}GROWN/);
});

test('a soak too short for a slope fails on nothing', () => {
  const { lines, isFlat } = verdictOf(soakOf([{ heapMb: 20 }]));
  assert.equal(isFlat, true);
  assert.match(lines.join('\n'), /too short for a slope/);
});

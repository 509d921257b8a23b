import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK_HEADER_BYTES, BlockHeader } from '#primitives';
import { BENCHMARKS } from '../../../scripts/bench/all.ts';
import type { Sample } from '../../../scripts/bench/benchmark.ts';
import { buildHeaders, retargetingParams } from '../../../scripts/bench/header-chain.ts';
import { machineLine, number, textOf } from '../../../scripts/bench/report.ts';
import { median, runRounds, summarize } from '../../../scripts/bench/rounds.ts';
import { buildSpendChain } from '../../../scripts/bench/spend-chain.ts';
import { openTestChain } from '../../support/test-chain.ts';

const sample = (amount: number, wallMs: number, cpuMs?: number): Sample => ({ amount, wallMs, cpuMs });

test('the median of an even number of values lies between the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('rates are by second; ratios are taken within a round', () => {
  const cases = [
    { name: 'base', unit: 'MB' },
    { name: 'ours', unit: 'MB', against: 'base' },
  ];
  const samples = new Map([
    ['base', [sample(10, 1000, 500), sample(10, 5000, 500), sample(10, 2000, 500)]],
    ['ours', [sample(10, 2000, 1000), sample(10, 10_000, 1000), sample(10, 4000, 1000)]],
  ]);
  const [base, ours] = summarize(cases, samples);
  assert.deepEqual(base?.wall, { median: 5, low: 2, high: 10 });
  assert.equal(base?.ratio, undefined);
  assert.deepEqual(ours?.ratio, { against: 'base', wall: 0.5, cpu: 0.5 });
  assert.equal(ours?.cpu?.median, 10);
});

test('a case of unit ms is its duration; CPU time that is not known is left out', () => {
  const [start] = summarize([{ name: 'start', unit: 'ms' }], new Map([['start', [sample(1, 120), sample(1, 140)]]]));
  assert.equal(start?.wall.median, 130);
  assert.equal(start?.cpu, undefined);
});

test('a ratio to a case that was not run is left out', () => {
  const [ours] = summarize([{ name: 'ours', unit: 'MB', against: 'base' }], new Map([['ours', [sample(1, 1)]]]));
  assert.equal(ours?.ratio, undefined);
});

test('rounds go through the cases in turns, after one round to warm up', async () => {
  const calls: string[] = [];
  const counted = (name: string) => ({
    name,
    unit: 'MB',
    measure: async () => {
      calls.push(name);
      return { ...sample(calls.length, 1000), extra: { 'B each': calls.length } };
    },
  });
  const [a, b] = await runRounds([counted('a'), counted('b')], 2, () => {});
  assert.deepEqual(calls, ['a', 'b', 'a', 'b', 'a', 'b']);
  assert.deepEqual(a?.wall, { median: 4, low: 3, high: 5 });
  assert.deepEqual(b?.extra, { 'B each': 5 });
});

test('the table says everything that was measured', () => {
  const [base, ours] = summarize(
    [
      { name: 'base', unit: 'MB' },
      { name: 'ours', unit: 'MB', against: 'base' },
    ],
    new Map([
      ['base', [sample(10, 1000, 500)]],
      ['ours', [{ ...sample(8, 1000, 800), extra: { 'B each': 1234 } }]],
    ]),
  );
  assert.ok(base !== undefined && ours !== undefined);
  const text = textOf({ name: 'x', what: 'a test', report: { results: [base, ours], leftOut: ['the rest'] } });
  assert.match(text, /^x: a test\n/);
  assert.match(text, /base +10\.0 MB\/s +10\.0 … 10\.0 +20\.0 MB\/cpu-s\n/);
  assert.match(text, /ours +8\.00 MB\/s .* 10\.0 MB\/cpu-s +0\.80 +0\.50 +ratio to base; 1,234 B each\n/);
  assert.match(text, /left out: the rest$/);
  assert.equal(number(0.123), '0.12');
  const machine = { cpu: 'C', cores: 2, memoryGiB: 4, system: 's', node: 'v1' };
  assert.equal(machineLine({ ...machine, load: 0.1 }), 'C, 2 cores, 4 GiB, s, Node.js v1, load 0.10');
  assert.match(machineLine({ ...machine, load: 3 }), /load 3\.00\nThe machine is busy/);
});

test('benchmarks have names of their own and say what they measure', () => {
  assert.equal(new Set(BENCHMARKS.map(({ name }) => name)).size, BENCHMARKS.length);
  for (const { name, what } of BENCHMARKS) assert.ok(/^[a-z-]+$/.test(name) && what.length > 20, name);
});

test('the chains that benchmarks build are valid', async () => {
  const params = retargetingParams();
  const raw = buildHeaders(params, 2100);
  await using headerChain = await openTestChain(params);
  const all = Array.from({ length: 2100 }, (_, i) => {
    return new BlockHeader(raw.subarray(i * BLOCK_HEADER_BYTES, (i + 1) * BLOCK_HEADER_BYTES));
  });
  assert.equal(headerChain.submitHeaders(all).kind, 'accepted');
  assert.notEqual(all[2099]?.bits, all[0]?.bits, 'the target moved');

  const spend = buildSpendChain({ blocks: 2, paymentsPerBlock: 3 });
  await using chain = await openTestChain(spend.params);
  for (const block of spend.blocks) assert.equal((await chain.submitBlock(block)).kind, 'connected');
  assert.equal(chain.tip().height, spend.blocks.length);
  assert.equal(spend.blocks.at(-1)?.transactions.length, 4);
});

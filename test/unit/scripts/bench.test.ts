import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { loadSecp256k1 } from '#crypto';
import { BLOCK_HEADER_BYTES, type Block, BlockHeader } from '#primitives';
import { seededRandom } from '#util';
import { createInlineVerifier } from '#verify';
import { BENCHMARKS } from '../../../scripts/bench/all.ts';
import type { Sample } from '../../../scripts/bench/benchmark.ts';
import { regtestParams } from '../../../scripts/bench/block-maker.ts';
import { type ChainRecipe, cachedChain } from '../../../scripts/bench/chain-cache.ts';
import { CoinPool } from '../../../scripts/bench/coin-pool.ts';
import { buildHeaders, retargetingParams } from '../../../scripts/bench/header-chain.ts';
import { machineLine, number, textOf } from '../../../scripts/bench/report.ts';
import { median, runRounds, summarize } from '../../../scripts/bench/rounds.ts';
import { engineCalls, jobsOf, readSample } from '../../../scripts/bench/script-sample.ts';
import { buildSignedChain } from '../../../scripts/bench/signed-chain.ts';
import { buildSpendChain } from '../../../scripts/bench/spend-chain.ts';
import { buildUtxoChain } from '../../../scripts/bench/utxo-chain.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
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

test('a case that is always cold is not run to warm up', async () => {
  let calls = 0;
  const measure = async () => sample(++calls, 1000);
  const [cold] = await runRounds([{ name: 'cold', unit: 'MB', isAlwaysCold: true, measure }], 2, () => {});
  assert.deepEqual(cold?.wall, { median: 1.5, low: 1, high: 2 });
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

const SMALL_SIGNED_CHAIN = { fanOuts: 1, outputsPerFanOut: 150, blocks: 1, inputsPerBlock: 120 };

test('the chains of ibd and utxo are valid, and the same each time', async () => {
  const utxoSize = { fanOuts: 1, blocks: 1, transactionsPerBlock: 100, buryingBlocks: 2 };
  for (const build of [() => buildSignedChain(SMALL_SIGNED_CHAIN), () => buildUtxoChain(utxoSize)]) {
    const blocks = [...build()];
    await using chain = await openTestChain(regtestParams());
    for (const block of blocks) assert.equal((await chain.submitBlock(block)).kind, 'connected');
    assert.equal([...build()].at(-1)?.hash, blocks.at(-1)?.hash);
  }
});

test('a sample of a chain has its blocks of payments, what they spend, and the calls of the engine', async () => {
  await using folder = await makeTempDir();
  const blocks = [...buildSignedChain(SMALL_SIGNED_CHAIN)];
  const sample = await readSample(await cachedChain(recipeOf(blocks), folder.path), 1);
  assert.equal(sample.height, blocks.length);
  assert.equal(
    sample.bytes,
    blocks.reduce((sum, block) => sum + block.size, 0),
  );
  assert.equal(sample.blocks.length, 1);
  const [block] = sample.blocks;
  assert.ok(block !== undefined && block.inputs >= 120 && sample.inputs === block.inputs + 1);
  await using verifier = createInlineVerifier();
  assert.equal(await verifier.verify(jobsOf(block)), undefined);
  const secp = loadSecp256k1();
  const calls = await engineCalls(sample.blocks, secp);
  assert.ok(calls.filter(({ isSignature }) => isSignature).length > block.inputs, 'some inputs have two signatures');
  assert.ok(
    calls.some(({ isSignature }) => !isSignature),
    'some are taproot scripts',
  );
  assert.ok(calls.every(({ repeat }) => repeat(secp)));
  const denying = { ...secp, verifyEcdsa: () => false, verifySchnorr: () => false };
  assert.ok(
    calls.some(({ repeat }) => !repeat(denying)),
    'another answer is noticed',
  );
});

test('a chain is made once; one that ends otherwise than it should leaves no file', async () => {
  await using folder = await makeTempDir();
  const recipe = recipeOf([...buildSignedChain({ ...SMALL_SIGNED_CHAIN, fanOuts: 0, blocks: 0 })]);
  const file = await cachedChain(recipe, folder.path);
  const neverBuilt = { ...recipe, build: () => assert.fail('it is there') };
  assert.equal(await cachedChain(neverBuilt, folder.path), file);
  await assert.rejects(
    cachedChain({ ...recipe, tip: 'f'.repeat(64) }, folder.path),
    /ends with block 100 [0-9a-f]{64}, not/,
  );
  assert.equal((await readdir(folder.path)).length, 1);
});

function recipeOf(blocks: readonly Block[]): ChainRecipe {
  return { name: 'test', tip: blocks.at(-1)?.hash ?? '', height: blocks.length, build: () => blocks };
}

test('coins are spent once each, half of them while they are young', () => {
  const pool = new CoinPool<number>(seededRandom(1));
  for (let block = 0; block < 100; block++) {
    pool.add(Array.from({ length: 10 }, (_, index) => block * 10 + index));
    pool.nextBlock();
  }
  const taken = Array.from({ length: 100 }, () => pool.take());
  const young = taken.filter((coin) => coin >= 900).length;
  assert.ok(young > 35 && young < 65, `${young} of 100`);
  const rest = Array.from({ length: 900 }, () => pool.take());
  assert.equal(new Set([...taken, ...rest]).size, 1000);
  assert.throws(() => pool.take(), /the pool is not empty/);
});

/** A child with several unconfirmed parents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DryRun } from '#mempool';
import { submitFamily } from '../../../src/node/family.ts';
import { outputOf } from '../../support/tx-builder.ts';
import { fund, raiseMinimum, sizeOf, spend, verdictText } from '../mempool/fixed-size.ts';
import { createHarness } from '../mempool/harness.ts';

const RELAY_FEE = BigInt(sizeOf(1, 1));

const textsOf = ({ failure, verdicts }: DryRun): readonly (string | undefined)[] => [
  failure?.code,
  ...verdicts.map((verdict) => verdict && verdictText(verdict)),
];

test('one parent that pays too little gets in with the child, beside others that pay', async () => {
  await using h = await createHarness({ maxBytes: 50_000 });
  const coins = await raiseMinimum(h, 3);
  const [poor, ...rich] = coins.map((coin, at) => spend([coin], at === 0 ? RELAY_FEE : 100_000n));
  assert.ok(poor !== undefined);
  const child = spend(
    [poor, ...rich].map((tx) => outputOf(tx)),
    200_000n,
  );
  const run = await submitFamily(h.mempool, [...rich, poor, child]);
  assert.deepEqual(textsOf(run), [undefined, 'accepted', 'accepted', 'accepted', 'accepted']);
  assert.equal(h.mempool.stats().count, 4);
});

test('two that pay too little get in with the child that pays for both, and are told at which rate', async () => {
  await using h = await createHarness({ maxBytes: 50_000 });
  const coins = await raiseMinimum(h, 3);
  const parents = coins.map((coin, at) => spend([coin], at === 2 ? 100_000n : RELAY_FEE));
  const child = spend(
    parents.map((tx) => outputOf(tx)),
    200_000n,
  );
  const run = await submitFamily(h.mempool, [...parents, child]);
  assert.deepEqual(textsOf(run), [undefined, 'accepted', 'accepted', 'accepted', 'accepted']);
  const judged = [parents[0], parents[1], child].map((tx) => tx?.wtxid);
  for (const at of [0, 1, 3]) {
    const verdict = run.verdicts[at];
    assert.deepEqual(verdict?.kind === 'accepted' && verdict.effective?.wtxids, judged);
  }
  assert.equal(h.mempool.stats().count, 4);
  assert.equal(h.mempool.unbroadcast().length, 4);
});

test('of two that pay too little neither gets in when the child does not pay for both', async () => {
  await using h = await createHarness({ maxBytes: 50_000 });
  const coins = await raiseMinimum(h, 2);
  const parents = coins.map((coin) => spend([coin], RELAY_FEE));
  const child = spend(
    parents.map((tx) => outputOf(tx)),
    BigInt(sizeOf(2, 1)),
  );
  const [failure, first, second, last] = textsOf(await submitFamily(h.mempool, [...parents, child]));
  assert.equal(failure, 'transaction failed');
  for (const text of [first, second]) assert.match(text ?? '', /^mempool min fee not met/);
  assert.match(last ?? '', /^mempool min fee not met/);
  assert.equal(h.mempool.stats().count, 0);
});

test('more than two together replace nothing', async () => {
  await using h = await createHarness({ maxBytes: 50_000 });
  const coins = await raiseMinimum(h, 2);
  const [contested = assert.fail()] = coins;
  const there = spend([contested], 100_000n);
  assert.equal((await h.mempool.submit(there, 'local')).kind, 'accepted');
  const parents = coins.map((coin) => spend([coin], RELAY_FEE));
  const child = spend(
    parents.map((tx) => outputOf(tx)),
    900_000n,
  );
  const { failure } = await submitFamily(h.mempool, [...parents, child]);
  assert.equal(failure?.code, 'package RBF failed: package must be 1-parent-1-child');
  assert.equal(h.mempool.stats().count, 1);
});

test('a transaction alone is a family, too', async () => {
  await using h = await createHarness();
  const [coin = assert.fail()] = await fund(h, 1);
  assert.deepEqual(textsOf(await submitFamily(h.mempool, [spend([coin], 1_000n)])), [undefined, 'accepted']);
});

/** bad-txns-nonfinal: nLockTime with BIP113, and BIP68's relative locks, on both sides of the CSV height. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '#consensus';
import type { Transaction } from '#primitives';
import { type BlockOptions, withCoinbase, withCoinbaseInput } from '../../../support/chain-builder.ts';
import { ANYONE_CAN_SPEND } from '../../../support/keys.ts';
import { FIRST_HEIGHT, RuleChain, regtestWith } from '../../../support/rule-chain.ts';
import { outputOf, rawTx, type TestCoin } from '../../../support/tx-builder.ts';

const CODE = 'bad-txns-nonfinal';
const NOT_FINAL = 0xfffffffe;
const { LOCKTIME_THRESHOLD, SEQUENCE_LOCKTIME_DISABLE_FLAG, SEQUENCE_LOCKTIME_TYPE_FLAG } = limits;
const UNIT_SECONDS = 2 ** limits.SEQUENCE_LOCKTIME_GRANULARITY;

async function openWithCoins(count: number, csv = 1): Promise<{ rules: RuleChain; take: () => TestCoin }> {
  const rules = await RuleChain.open({ params: regtestWith({ activation: { csv } }) });
  const coins = await rules.fund(Array.from({ length: count }, () => ANYONE_CAN_SPEND));
  const take = (): TestCoin => {
    const coin = coins.shift();
    assert(coin !== undefined);
    return coin;
  };
  return { rules, take };
}

function locked(coin: TestCoin, lockTime: number, sequence = NOT_FINAL): BlockOptions {
  return { transactions: [rawTx([{ coin, sequence }], undefined, { lockTime })] };
}

test('a height: the transaction may stand in the block after it', async () => {
  const { rules, take } = await openWithCoins(3);
  const coin = take();
  await rules.reject(CODE, locked(coin, rules.nextHeight));
  await rules.accept(locked(coin, rules.nextHeight - 1));
  await rules.accept(locked(take(), rules.nextHeight, limits.SEQUENCE_FINAL));
  // One input that is not final is enough.
  const two = [
    { coin: take(), sequence: limits.SEQUENCE_FINAL },
    { coin: rules.takeCoinbase(), sequence: 0 },
  ];
  const mixed = rawTx(two, undefined, { lockTime: rules.nextHeight, version: 1 });
  await rules.reject(CODE, { transactions: [mixed] });
});

test('a time: it is compared with the block’s own before CSV, with the median of its parents from CSV on', async () => {
  const { rules, take } = await openWithCoins(3, FIRST_HEIGHT + 1);
  const time = rules.chain.tip().header.time + 600;
  const before = take();
  await rules.reject(CODE, { ...locked(before, time), time });
  await rules.accept({ ...locked(before, time - 1), time });
  const after = take();
  const median = rules.chain.tip().medianTimePast;
  assert.ok(median < time);
  await rules.reject(CODE, { ...locked(after, time - 1), time: time + 600 });
  await rules.reject(CODE, locked(after, median));
  await rules.accept(locked(after, median - 1));
});

test('below 500,000,000 it is a height, from there on a time', async () => {
  const { rules, take } = await openWithCoins(1);
  const coin = take();
  await rules.reject(CODE, locked(coin, LOCKTIME_THRESHOLD - 1));
  await rules.reject(CODE, locked(coin, 0xffffffff));
  await rules.accept(locked(coin, LOCKTIME_THRESHOLD));
});

test('a coinbase can be locked too', async () => {
  const rules = await RuleChain.open({ blocks: 1 });
  const coinbaseLocked = (lockTime: number): BlockOptions => ({
    mutateTransactions: (all) => withCoinbase(() => ({ lockTime }))(withCoinbaseInput({ sequence: 0 })(all)),
  });
  await rules.reject(CODE, coinbaseLocked(2));
  await rules.accept(coinbaseLocked(1));
});

function relative(coin: TestCoin, sequence: number, version = 2): Transaction {
  return rawTx([{ coin, sequence: sequence >>> 0 }], undefined, { version });
}

test('BIP68: blocks, counted from the coin’s own', async () => {
  const { rules, take } = await openWithCoins(1);
  const transactions = [relative(take(), 3)];
  await rules.reject(CODE, { transactions });
  await rules.accept();
  await rules.reject(CODE, { transactions });
  await rules.accept();
  await rules.accept({ transactions });
});

test('BIP68: nothing before CSV', async () => {
  const { rules, take } = await openWithCoins(3, FIRST_HEIGHT + 1);
  const [early, late] = [relative(take(), 0xffff), relative(take(), 0xffff)];
  await rules.accept({ transactions: [early] });
  await rules.reject(CODE, { transactions: [late] });
  await rules.accept({ transactions: [relative(take(), 2)] });
});

test('BIP68: seconds, by the median before the coin and the median before the block', async () => {
  const { rules, take } = await openWithCoins(1);
  const made = rules.builder.height;
  const start = rules.chain.ancestor(rules.chain.tip(), made - 1).medianTimePast;
  const units = 20;
  const transactions = [relative(take(), SEQUENCE_LOCKTIME_TYPE_FLAG | units)];
  // Six blocks of one time are the median of eleven.
  const time = start + units * UNIT_SECONDS;
  await rules.extend(6, { time: time - 1 });
  assert.equal(rules.chain.tip().medianTimePast, time - 1);
  await rules.reject(CODE, { transactions, time: time + 100_000 });
  await rules.extend(6, { time });
  assert.equal(rules.chain.tip().medianTimePast, time);
  await rules.accept({ transactions });
});

test('BIP68: versions from 2 on, read without a sign', async () => {
  const { rules, take } = await openWithCoins(3);
  for (const version of [0, 1]) await rules.accept({ transactions: [relative(take(), 1000, version)] });
  const coin = take();
  for (const version of [2, 3, 0x7fffffff, -1]) {
    await rules.reject(CODE, { transactions: [relative(coin, 1000, version)] });
  }
});

test('BIP68: the disable flag, and the bits that mean nothing', async () => {
  const { rules, take } = await openWithCoins(4);
  const coin = take();
  await rules.reject(CODE, { transactions: [relative(coin, 2)] });
  await rules.reject(CODE, { transactions: [relative(coin, 0x7fbf0000 | 2)] });
  await rules.accept({ transactions: [relative(coin, SEQUENCE_LOCKTIME_DISABLE_FLAG | 2)] });
  await rules.accept({ transactions: [relative(take(), 0x7fbf0000 | 2)] });
  await rules.accept({ transactions: [relative(take(), SEQUENCE_LOCKTIME_DISABLE_FLAG | 0xffff)] });
});

test('BIP68: a coin of the same block is no block old; every input counts', async () => {
  const { rules, take } = await openWithCoins(2);
  const parent = rawTx([{ coin: take() }]);
  await rules.reject(CODE, { transactions: [parent, relative(outputOf(parent), 1)] });
  await rules.accept({ transactions: [parent, relative(outputOf(parent), 0)] });
  const inputs = [
    { coin: take(), sequence: 0 },
    { coin: rules.takeCoinbase(), sequence: 200 },
  ];
  await rules.reject(CODE, { transactions: [rawTx(inputs)] });
});

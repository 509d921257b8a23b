/** Transactions by themselves: every code of Core's CheckTransaction (consensus/tx_check.cpp), in blocks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBlock, checkTransaction, limits } from '#consensus';
import { MAX_MONEY, type Sats, Transaction, type TxOutput } from '#primitives';
import { Op } from '#script';
import { regtest } from '../../../support/chain-builder.ts';
import { ANYONE_CAN_SPEND } from '../../../support/keys.ts';
import { RuleChain, storeCoins } from '../../../support/rule-chain.ts';
import { createTestDisk } from '../../../support/test-chain.ts';
import { rawTx, type TestCoin } from '../../../support/tx-builder.ts';

const NULL_COIN: TestCoin = {
  txid: new Uint8Array(32),
  index: 0xffffffff,
  output: { value: 0n, scriptPubKey: ANYONE_CAN_SPEND },
};

function values(...each: readonly Sats[]): TxOutput[] {
  return each.map((value) => ({ value, scriptPubKey: ANYONE_CAN_SPEND }));
}

test('bad-txns-vin-empty', async () => {
  const rules = await RuleChain.open({ blocks: 1 });
  const empty = Transaction.fromFields({ version: 2, inputs: [], outputs: [], lockTime: 0 });
  await rules.reject('bad-txns-vin-empty', { transactions: [empty] });
  await rules.reject('bad-txns-vin-empty', { mutateTransactions: ([coinbase]) => [coinbase ?? empty, empty] });
  await rules.accept();
});

test('bad-txns-vout-empty: no output, and one that holds nothing', async () => {
  const rules = await RuleChain.open();
  const coin = rules.takeCoinbase();
  await rules.reject('bad-txns-vout-empty', { transactions: [rawTx([{ coin }], [])] });
  await rules.accept({ transactions: [rawTx([{ coin }], values(0n))] });
});

test('bad-txns-vout-negative, bad-txns-vout-toolarge and bad-txns-txouttotal-toolarge, each at its limit', async () => {
  const disk = createTestDisk();
  const coins = await storeCoins(disk, [MAX_MONEY, MAX_MONEY, MAX_MONEY]);
  const rules = await RuleChain.open({ disk, blocks: 0 });
  const cases: readonly [code: string, bad: readonly Sats[], good: readonly Sats[]][] = [
    ['bad-txns-vout-negative', [-1n], [0n]],
    ['bad-txns-vout-toolarge', [MAX_MONEY + 1n], [MAX_MONEY]],
    ['bad-txns-txouttotal-toolarge', [MAX_MONEY, 1n], [MAX_MONEY - 1n, 1n]],
  ];
  for (const [at, [code, bad, good]] of cases.entries()) {
    const coin = coins[at];
    assert(coin !== undefined);
    await rules.reject(code, { transactions: [rawTx([{ coin }], values(...bad))] });
    await rules.accept({ transactions: [rawTx([{ coin }], values(...good))] });
  }
});

test('the smallest and the largest number that an output can hold', async () => {
  const rules = await RuleChain.open();
  const coin = rules.takeCoinbase();
  for (const [code, ...outputs] of [
    ['bad-txns-vout-negative', -(2n ** 63n)],
    ['bad-txns-vout-toolarge', 2n ** 63n - 1n],
    // The first fault counts: outputs are looked at one by one.
    ['bad-txns-vout-toolarge', MAX_MONEY + 1n, -1n],
    ['bad-txns-vout-negative', MAX_MONEY, -1n],
    ['bad-txns-txouttotal-toolarge', MAX_MONEY, MAX_MONEY],
  ] as const) {
    await rules.reject(code, { transactions: [rawTx([{ coin }], values(...outputs))] });
  }
});

test('a coinbase is held to the same amounts', async () => {
  const rules = await RuleChain.open({ blocks: 1 });
  await rules.reject('bad-txns-vout-negative', { coinbaseValue: -1n });
  await rules.reject('bad-txns-vout-toolarge', { coinbaseValue: MAX_MONEY + 1n });
  await rules.accept({ coinbaseValue: 0n });
});

test('bad-txns-inputs-duplicate: one coin twice in a transaction (CVE-2018-17144), and two coins', async () => {
  const rules = await RuleChain.open();
  const [first, second] = await rules.fund([ANYONE_CAN_SPEND, ANYONE_CAN_SPEND]);
  assert(first !== undefined && second !== undefined);
  const twice = rawTx([{ coin: first }, { coin: second }, { coin: first }], values(1n));
  await rules.reject('bad-txns-inputs-duplicate', { transactions: [twice] });
  await rules.accept({ transactions: [rawTx([{ coin: first }, { coin: second }])] });
});

test('bad-txns-prevout-null: besides another input; half of a null outpoint is a coin that is missing', async () => {
  const rules = await RuleChain.open();
  const coin = rules.takeCoinbase();
  const withInput = (other: TestCoin) => ({ transactions: [rawTx([{ coin }, { coin: other }], values(1n))] });
  await rules.reject('bad-txns-prevout-null', withInput(NULL_COIN));
  await rules.reject('bad-txns-inputs-missingorspent', withInput({ ...NULL_COIN, index: 0 }));
  await rules.reject('bad-txns-inputs-missingorspent', withInput({ ...NULL_COIN, txid: coin.txid }));
  await rules.accept({ transactions: [rawTx([{ coin }])] });
});

test('bad-txns-oversize cannot be reached in a block, which is too long then', async () => {
  const rules = await RuleChain.open();
  const coin = rules.takeCoinbase();
  const ofSize = (bytes: number): Transaction => {
    const script = new Uint8Array(bytes - 64).fill(Op.OP_RETURN);
    return rawTx([{ coin }], [{ value: 0n, scriptPubKey: script }]);
  };
  const limit = limits.MAX_BLOCK_WEIGHT / limits.WITNESS_SCALE_FACTOR;
  const [largest, tooLarge] = [ofSize(limit), ofSize(limit + 1)];
  assert.deepEqual([largest.strippedSize, tooLarge.strippedSize], [limit, limit + 1]);
  assert.equal(checkTransaction(largest), undefined);
  assert.deepEqual(checkTransaction(tooLarge), { kind: 'consensus', code: 'bad-txns-oversize' });
  assert.equal(checkBlock(rules.builder.build({ transactions: [tooLarge] }), regtest())?.code, 'bad-blk-length');
  await rules.reject('bad-blk-length', { transactions: [tooLarge] });
  await rules.accept({ transactions: [ofSize(limit - 1000)] });
});

/** Transactions and the coins that they spend: Core's CheckTxInputs, and the amounts of a block (ConnectBlock). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTxInputs } from '#consensus';
import { MAX_MONEY, type Sats, type Transaction } from '#primitives';
import { Op } from '#script';
import { ANYONE_CAN_SPEND } from '../../../support/keys.ts';
import { RuleChain, regtestWith, storeCoins } from '../../../support/rule-chain.ts';
import { createTestDisk } from '../../../support/test-chain.ts';
import { outputOf, rawTx, type TestCoin } from '../../../support/tx-builder.ts';

const MISSING = 'bad-txns-inputs-missingorspent';
const SUBSIDY = 50_0000_0000n;

/** Spends the coin for one satoshi more or less than it holds. */
function spendFor(coin: TestCoin, value: Sats): Transaction {
  return rawTx([{ coin }], [{ value, scriptPubKey: ANYONE_CAN_SPEND }]);
}

test('bad-txns-inputs-missingorspent: a coin that never was, was spent, or is spent twice', async () => {
  const rules = await RuleChain.open();
  const spent = await rules.fundOne(ANYONE_CAN_SPEND);
  await rules.accept({ transactions: [rawTx([{ coin: spent }])] });
  const coin = await rules.fundOne(ANYONE_CAN_SPEND);
  const unspendable = await rules.fundOne(Uint8Array.of(Op.OP_RETURN));
  const genesis = rules.builder.coin(0);
  const cases: readonly [why: string, readonly Transaction[]][] = [
    ['unknown transaction', [spendFor({ ...coin, txid: new Uint8Array(32).fill(9) }, 1n)]],
    ['unknown output', [spendFor({ ...coin, index: 1 }, 1n)]],
    ['spent in an earlier block', [spendFor(spent, 1n)]],
    ['spent twice in the block', [spendFor(coin, 1n), spendFor(coin, 2n)]],
    ['never entered the set', [spendFor(unspendable, 1n)]],
    ['genesis', [spendFor(genesis, 1n)]],
    ['one of two', [rawTx([{ coin }, { coin: { ...coin, index: 1 } }], [coin.output])]],
  ];
  for (const [, transactions] of cases) await rules.reject(MISSING, { transactions });
  await rules.accept({ transactions: [spendFor(coin, coin.output.value)] });
});

test('bad-txns-inputs-missingorspent: a transaction may spend an earlier one of its block, no later one', async () => {
  const rules = await RuleChain.open();
  const parent = rawTx([{ coin: rules.takeCoinbase() }]);
  const child = rawTx([{ coin: outputOf(parent) }]);
  await rules.reject(MISSING, { transactions: [child, parent] });
  await rules.reject(MISSING, { transactions: [parent, child, spendFor(outputOf(parent), 1n)] });
  await rules.accept({ transactions: [parent, child] });
});

test('bad-txns-premature-spend-of-coinbase: 99 blocks deep, and 100', async () => {
  const rules = await RuleChain.open({ blocks: 99 });
  const transactions = [spendFor(rules.builder.coin(1), SUBSIDY)];
  assert.equal(rules.nextHeight - 1, 99);
  await rules.reject('bad-txns-premature-spend-of-coinbase', { transactions });
  await rules.accept();
  assert.equal(rules.nextHeight - 1, 100);
  await rules.accept({ transactions });
});

test('bad-txns-premature-spend-of-coinbase: not even in its own block', async () => {
  const rules = await RuleChain.open({ blocks: 1 });
  const [coinbase] = rules.builder.build({ extraNonce: 1 }).transactions;
  assert(coinbase !== undefined);
  const transactions = [rawTx([{ coin: outputOf(coinbase) }])];
  await rules.reject('bad-txns-premature-spend-of-coinbase', { transactions, extraNonce: 1 });
});

test('bad-txns-inputvalues-outofrange: coins of all the money there can be, and one satoshi more', async () => {
  const disk = createTestDisk();
  const [all, one, most] = await storeCoins(disk, [MAX_MONEY, 1n, MAX_MONEY - 1n]);
  assert(all !== undefined && one !== undefined && most !== undefined);
  const rules = await RuleChain.open({ disk, blocks: 0 });
  const spend = (...coins: readonly TestCoin[]) => {
    return {
      transactions: [
        rawTx(
          coins.map((coin) => ({ coin })),
          [most.output],
        ),
      ],
    };
  };
  await rules.reject('bad-txns-inputvalues-outofrange', spend(all, one));
  await rules.accept(spend(most, one));
});

test('bad-txns-in-belowout: as much as the coins hold, and one satoshi more', async () => {
  const rules = await RuleChain.open();
  const coin = rules.takeCoinbase();
  await rules.reject('bad-txns-in-belowout', { transactions: [spendFor(coin, SUBSIDY + 1n)] });
  await rules.accept({ transactions: [spendFor(coin, SUBSIDY)] });
});

test('bad-txns-fee-outofrange cannot be reached: inputs have at most, outputs at least, what is in range', () => {
  const coin = { output: { value: MAX_MONEY, scriptPubKey: ANYONE_CAN_SPEND }, height: 1, isCoinbase: false };
  const outpoint = { txid: new Uint8Array(32).fill(1), index: 0, output: coin.output };
  const feeOf = (value: Sats) => checkTxInputs(spendFor(outpoint, value), [coin], 2);
  assert.deepEqual(feeOf(0n), { fee: MAX_MONEY });
  // A negative output, which checkTransaction refuses, is the only way.
  assert.deepEqual(feeOf(-1n), { failure: { kind: 'consensus', code: 'bad-txns-fee-outofrange' } });
});

test('bad-txns-accumulated-fee-outofrange: fees of all the money there can be, and one satoshi more', async () => {
  const disk = createTestDisk();
  const [all, two] = await storeCoins(disk, [MAX_MONEY, 2n]);
  assert(all !== undefined && two !== undefined);
  const rules = await RuleChain.open({ disk, blocks: 0 });
  const paying = (fee: Sats) => ({ transactions: [spendFor(all, 0n), spendFor(two, 2n - fee)] });
  await rules.reject('bad-txns-accumulated-fee-outofrange', paying(1n));
  await rules.accept(paying(0n));
});

test('bad-cb-amount: subsidy and fees, and one satoshi more', async () => {
  const rules = await RuleChain.open();
  await rules.reject('bad-cb-amount', { coinbaseValue: SUBSIDY + 1n });
  await rules.accept({ coinbaseValue: SUBSIDY });
  const withFees = {
    transactions: [spendFor(rules.takeCoinbase(), SUBSIDY - 7n), rawTx([{ coin: rules.takeCoinbase() }])],
  };
  await rules.reject('bad-cb-amount', { ...withFees, coinbaseValue: SUBSIDY + 8n });
  await rules.accept({ ...withFees, coinbaseValue: SUBSIDY + 7n });
  // What is not claimed is lost.
  await rules.accept({ coinbaseValue: 0n });
});

test('bad-cb-amount: the subsidy halves at its heights, down to nothing', async () => {
  const rules = await RuleChain.open({ params: regtestWith({ subsidyHalvingInterval: 3 }), blocks: 1 });
  const subsidies = [SUBSIDY, SUBSIDY / 2n, SUBSIDY / 2n, SUBSIDY / 2n, SUBSIDY / 4n];
  for (const subsidy of subsidies) {
    await rules.reject('bad-cb-amount', { coinbaseValue: subsidy + 1n });
    await rules.accept({ coinbaseValue: subsidy });
  }
  // 2^32 < 50 coins in satoshis < 2^33: the 33rd halving leaves nothing.
  await rules.extendTo(32 * 3);
  await rules.reject('bad-cb-amount', { coinbaseValue: 2n });
  await rules.accept({ coinbaseValue: 1n });
  await rules.extendTo(33 * 3);
  await rules.reject('bad-cb-amount', { coinbaseValue: 1n });
  await rules.accept({ coinbaseValue: 0n });
});

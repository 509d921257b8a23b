/** BIP30: a transaction may not replace unspent outputs of an equal one; and where the check is left out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Block } from '#primitives';
import { Op } from '#script';
import { type BlockOptions, createChainBuilder, withCoinbaseInput } from '../../../support/chain-builder.ts';
import { ANYONE_CAN_SPEND } from '../../../support/keys.ts';
import { RuleChain, regtestWith } from '../../../support/rule-chain.ts';
import { pay, rawTx } from '../../../support/tx-builder.ts';

const NEVER = 0x7fffffff;
const CODE = 'bad-txns-BIP30';
/** BIP34 off: coinbases may be equal. */
const WITHOUT_BIP34 = { activation: { bip34: NEVER }, subsidyHalvingInterval: 1000 };

/** A block with the coinbase of `other`. */
function withCoinbaseOf(other: Block): BlockOptions {
  return { mutateTransactions: ([, ...rest]) => [...other.transactions.slice(0, 1), ...rest] };
}

test('bad-txns-BIP30: while an output of the equal transaction is unspent', async () => {
  const rules = await RuleChain.open({ params: regtestWith(WITHOUT_BIP34) });
  const original = await rules.accept({ coinbaseScript: ANYONE_CAN_SPEND });
  const coin = rules.builder.coin(rules.builder.height);
  await rules.reject(CODE, withCoinbaseOf(original));
  await rules.extendTo(rules.nextHeight + 99);
  const spending = { transactions: [rawTx([{ coin }])] };
  // Looked at before the block's own transactions spend anything.
  await rules.reject(CODE, { ...withCoinbaseOf(original), ...spending });
  await rules.accept(spending);
  await rules.accept(withCoinbaseOf(original));
  assert.equal(rules.chain.getCoin(coin)?.height, rules.builder.height);
});

test('bad-txns-BIP30: outputs that never entered the set do not count', async () => {
  const rules = await RuleChain.open({ params: regtestWith(WITHOUT_BIP34), blocks: 1 });
  const original = await rules.accept({ coinbaseScript: Uint8Array.of(Op.OP_RETURN) });
  await rules.accept(withCoinbaseOf(original));
});

test('bip30Exceptions: the block named may replace an output, at its height and with its hash', async () => {
  const plain = createChainBuilder(regtestWith(WITHOUT_BIP34));
  const original = plain.mine();
  plain.mine();
  const repeating = plain.build(withCoinbaseOf(original));
  for (const [height, hash, allowed] of [
    [3, repeating.hash, true],
    [2, repeating.hash, false],
    [3, plain.tip.hash, false],
  ] as const) {
    const params = regtestWith({ ...WITHOUT_BIP34, bip30Exceptions: { [height]: hash } });
    const rules = await RuleChain.open({ params, blocks: 0 });
    await rules.follow(plain);
    if (!allowed) {
      await rules.refuses(repeating, CODE);
      continue;
    }
    assert.equal((await rules.chain.submitBlock(repeating)).kind, 'connected');
    assert.equal(rules.chain.getCoin(plain.coin(1))?.height, 3, 'the coin is now of the later block');
  }
});

test('bip34Hash: behind the known block at the BIP34 height nothing is checked, beside it everything', async () => {
  const activation = { bip34: 3 };
  const plain = createChainBuilder(regtestWith({ activation }));
  // This coinbase names a height that is still to come, as some did before BIP34.
  const original = plain.mine({ mutateTransactions: withCoinbaseInput({ scriptSig: Uint8Array.of(Op.OP_4, 0) }) });
  plain.mineMany(2);
  const fields: readonly [fields: object, checked: boolean][] = [
    [{ bip34Hash: plain.at(3).hash }, false],
    [{ bip34Hash: plain.at(2).hash }, true],
    [{}, true],
  ];
  for (const [other, checked] of fields) {
    const rules = await RuleChain.open({ params: regtestWith({ activation, ...other }), blocks: 0 });
    await rules.follow(plain);
    if (checked) await rules.reject(CODE, withCoinbaseOf(original));
    else await rules.accept(withCoinbaseOf(original));
  }
});

test('bip34Hash: the block at the BIP34 height is itself still checked', async () => {
  const activation = { bip34: 3 };
  const plain = createChainBuilder(regtestWith({ activation }));
  const original = plain.mine({ mutateTransactions: withCoinbaseInput({ scriptSig: Uint8Array.of(Op.OP_3, 0) }) });
  plain.mine();
  const atHeight = plain.build(withCoinbaseOf(original));
  const params = regtestWith({ activation, bip34Hash: atHeight.hash });
  const rules = await RuleChain.open({ params, blocks: 0 });
  await rules.follow(plain);
  await rules.refuses(atHeight, CODE);
  await rules.accept();
});

test('bad-txns-BIP30: said of a block on a network with BIP34 from the start before whatever else is wrong with it', async () => {
  const rules = await RuleChain.open();
  const [coin, other] = [rules.takeCoinbase(), rules.takeCoinbase()];
  const payment = rawTx([{ coin }]);
  await rules.accept({ transactions: [payment] });
  // Its input is spent; and before it one coin is spent twice. Core looks at the outputs of all before any input.
  await rules.reject(CODE, { transactions: [payment] });
  await rules.reject(CODE, {
    transactions: [rawTx([{ coin: other }]), rawTx([{ coin: other }], [pay(1n, { kind: 'anyone' })]), payment],
  });
  const spent = { txid: payment.txidBytes, index: 0, output: coin.output };
  await rules.accept({ transactions: [rawTx([{ coin: spent }], [pay(5n, { kind: 'anyone' })])] });
  await rules.reject('bad-txns-inputs-missingorspent', { transactions: [payment] });
});

test('bip30Unspendable: the chain may leave a block whose coinbase was replaced', async () => {
  const plain = createChainBuilder(regtestWith(WITHOUT_BIP34));
  const original = plain.mine();
  plain.mine();
  const rival = plain.fork(0);
  const repeating = plain.mine(withCoinbaseOf(original));
  rival.mineMany(5);
  const exceptions = { bip30Exceptions: { 3: repeating.hash }, bip30Unspendable: { 1: original.hash } };
  const params = regtestWith({ ...WITHOUT_BIP34, ...exceptions });
  const rules = await RuleChain.open({ params, blocks: 0 });
  await rules.follow(plain);
  for (const block of rival.blocks) await rules.chain.submitBlock(block);
  assert.equal(rules.chain.tip().hash, rival.tip.hash);
  const straight = await RuleChain.open({ params, blocks: 0 });
  await straight.follow(rival);
  assert.deepEqual(await rules.chain.utxoStats(), await straight.chain.utxoStats());
});

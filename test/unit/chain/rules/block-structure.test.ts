/** A block as a whole: CheckBlock without its transactions, and ContextualCheckBlock without lock times and witness. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '#consensus';
import { Block, type Transaction } from '#primitives';
import { Op, pushData } from '#script';
import { type BlockOptions, withCoinbaseInput } from '../../../support/chain-builder.ts';
import { ANYONE_CAN_SPEND } from '../../../support/keys.ts';
import { RuleChain, regtestWith } from '../../../support/rule-chain.ts';
import { rawTx, type TestCoin } from '../../../support/tx-builder.ts';

const MAX_STRIPPED = limits.MAX_BLOCK_WEIGHT / limits.WITNESS_SCALE_FACTOR;

async function spendsOf(rules: RuleChain, count: number): Promise<Transaction[]> {
  const coins = await rules.fund(Array.from({ length: count }, () => ANYONE_CAN_SPEND));
  return coins.map((coin) => rawTx([{ coin }]));
}

/** The good header with another list of transactions. */
function withTransactions({ header }: Block, transactions: readonly Transaction[]): Block {
  return Block.fromParts(header, transactions);
}

test('bad-txnmrklroot: one transaction too few, and another order', async () => {
  const rules = await RuleChain.open();
  const good = rules.builder.build({ transactions: await spendsOf(rules, 3) });
  const [coinbase, a, b, c] = good.transactions;
  assert(coinbase !== undefined && a !== undefined && b !== undefined && c !== undefined);
  await rules.refuses(withTransactions(good, [coinbase, a, b]), 'bad-txnmrklroot', 'mutated');
  await rules.refuses(withTransactions(good, [coinbase, b, a, c]), 'bad-txnmrklroot', 'mutated');
  await rules.refuses(withTransactions(good, []), 'bad-txnmrklroot', 'mutated');
  assert.equal((await rules.chain.submitBlock(good)).kind, 'connected');
});

test('bad-txns-duplicate: the same root with the last transactions twice (CVE-2012-2459); the good block connects', async () => {
  for (const [count, repeated] of [
    [2, 1],
    [5, 2],
    [4, 1],
  ] as const) {
    const rules = await RuleChain.open();
    const good = rules.builder.build({ transactions: await spendsOf(rules, count) });
    const twice = [...good.transactions, ...good.transactions.slice(-repeated)];
    // Five leaves: the last one is doubled on three levels.
    if (count === 4) twice.push(...twice.slice(-2));
    await rules.refuses(withTransactions(good, twice), 'bad-txns-duplicate', 'mutated');
    assert.equal((await rules.chain.submitBlock(good)).kind, 'connected');
  }
});

/** Options of a block for which `measure` gives exactly `wanted`; `fill` makes a block with so many bytes of filling. */
function filled(
  rules: RuleChain,
  wanted: number,
  measure: (block: Block) => number,
  fill: (bytes: number) => BlockOptions,
): BlockOptions {
  const guess = wanted - 100_000;
  const missing = wanted - measure(rules.builder.build({ ...fill(guess), work: 'none', extraNonce: 1 }));
  return { ...fill(guess + missing), extraNonce: 1 };
}

test('bad-blk-length: exactly a million bytes without witness, and one more', async () => {
  const rules = await RuleChain.open({ blocks: 1 });
  const ofSize = (bytes: number): BlockOptions =>
    filled(
      rules,
      bytes,
      (block) => block.strippedSize,
      (length) => ({ coinbaseScript: new Uint8Array(length).fill(Op.OP_RETURN) }),
    );
  await rules.reject('bad-blk-length', ofSize(MAX_STRIPPED + 1));
  const block = await rules.accept(ofSize(MAX_STRIPPED));
  assert.equal(block.strippedSize, MAX_STRIPPED);
  assert.equal(block.weight, limits.MAX_BLOCK_WEIGHT);
});

test('bad-blk-length: a block without transactions', async () => {
  const rules = await RuleChain.open({ blocks: 1 });
  await rules.reject('bad-blk-length', { mutateTransactions: () => [] });
  await rules.accept();
});

test('bad-blk-weight: exactly four million, and one more', async () => {
  const rules = await RuleChain.open();
  // A witness program without a meaning yet: its witness is not looked at.
  const [coin] = await rules.fund([Uint8Array.of(Op.OP_2, 2, 1, 1)]);
  assert(coin !== undefined);
  const ofWeight = (weight: number): BlockOptions =>
    filled(
      rules,
      weight,
      (block) => block.weight,
      (length) => ({ transactions: [rawTx([{ coin, witness: [new Uint8Array(length)] }])] }),
    );
  await rules.reject('bad-blk-weight', ofWeight(limits.MAX_BLOCK_WEIGHT + 1));
  const block = await rules.accept(ofWeight(limits.MAX_BLOCK_WEIGHT));
  assert.equal(block.weight, limits.MAX_BLOCK_WEIGHT);
});

/** Without a witness exactly 64 bytes: as many as an inner node of the merkle tree. */
function sizedSpend(coin: TestCoin, scriptBytes: number): Transaction {
  const script = new Uint8Array(scriptBytes).fill(Op.OP_1);
  return rawTx([{ coin }], [{ value: 1n, scriptPubKey: script }]);
}

test('bad-cb-missing: an ordinary transaction in front', async () => {
  const rules = await RuleChain.open();
  const [coin] = await rules.fund([ANYONE_CAN_SPEND]);
  assert(coin !== undefined);
  const only = (tx: Transaction): BlockOptions => ({ transactions: [tx], mutateTransactions: ([, ...rest]) => rest });
  assert.equal(sizedSpend(coin, 4).size, 64);
  // Its "transactions" may be nodes of the true tree, so nothing is said about the header (Core's IsBlockMutated).
  await rules.reject('bad-cb-missing', only(sizedSpend(coin, 4)), 'mutated');
  await rules.reject('bad-cb-missing', only(sizedSpend(coin, 3)));
  await rules.reject('bad-cb-missing', only(sizedSpend(coin, 5)));
  await rules.reject('bad-cb-missing', { ...only(rawTx([{ coin }])), mutateTransactions: (all) => all.toReversed() });
  await rules.accept({ transactions: [sizedSpend(coin, 4)] });
});

test('bad-cb-multiple: a second coinbase, different from the first', async () => {
  const rules = await RuleChain.open({ blocks: 1 });
  const [other] = rules.builder.build().transactions;
  assert(other !== undefined);
  await rules.reject('bad-cb-multiple', { transactions: [other] });
  await rules.accept();
});

test('bad-cb-length: one byte and two, a hundred and one more', async () => {
  const rules = await RuleChain.open({ params: regtestWith({ activation: { bip34: 100 } }), blocks: 1 });
  const ofLength = (length: number): BlockOptions => ({
    mutateTransactions: withCoinbaseInput({ scriptSig: new Uint8Array(length).fill(length) }),
  });
  for (const length of [0, 1, 101]) await rules.reject('bad-cb-length', ofLength(length));
  for (const length of [2, 100]) await rules.accept(ofLength(length));
});

const scripted = (...bytes: readonly number[]): BlockOptions => ({
  mutateTransactions: withCoinbaseInput({ scriptSig: Uint8Array.of(...bytes) }),
});

test('bad-cb-height: from the BIP34 height on, and not before', async () => {
  const rules = await RuleChain.open({ params: regtestWith({ activation: { bip34: 3 } }), blocks: 1 });
  await rules.accept(scripted(Op.OP_3, 0));
  await rules.reject('bad-cb-height', scripted(Op.OP_2, 0));
  await rules.reject('bad-cb-height', scripted(Op.OP_4, 0));
  await rules.accept(scripted(Op.OP_3, 1));
});

test('bad-cb-height: the height in its shortest form, at the front', async () => {
  const rules = await RuleChain.open({ blocks: 0 });
  const steps: readonly [height: number, good: readonly number[], ...bad: readonly (readonly number[])[]][] = [
    [1, [Op.OP_1, 0], [1, 1], [2, 1, 0], [Op.OP_0, Op.OP_1], [Op.OP_PUSHDATA1, 1, 1]],
    [16, [Op.OP_16, 0], [1, 16], [Op.OP_15, 0]],
    [17, [1, 17], [Op.OP_16, 1], [2, 17, 0], [Op.OP_16, 17]],
    [127, [1, 127], [2, 127, 0]],
    [128, [2, 128, 0], [1, 128], [2, 128, 128], [3, 128, 0, 0]],
    [256, [2, 0, 1], [2, 1, 0], [2, 0]],
  ];
  for (const [height, good, ...bad] of steps) {
    await rules.extendTo(height);
    for (const bytes of bad) await rules.reject('bad-cb-height', scripted(...bytes));
    await rules.accept(scripted(...good));
  }
  // What follows the height is free, also bytes that are no script.
  await rules.accept({
    mutateTransactions: withCoinbaseInput({
      scriptSig: Buffer.concat([pushData(Uint8Array.of(1, 1)), Uint8Array.of(Op.OP_PUSHDATA4)]),
    }),
  });
});

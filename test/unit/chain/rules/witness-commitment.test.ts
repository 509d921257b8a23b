/** BIP141's commitment: Core's CheckWitnessMalleation, on both sides of the height at which segwit starts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Block, Transaction } from '#primitives';
import { Op } from '#script';
import { type BlockOptions, withCoinbase, withCoinbaseInput } from '../../../support/chain-builder.ts';
import { FIRST_HEIGHT, RuleChain, regtestWith } from '../../../support/rule-chain.ts';
import { rawTx } from '../../../support/tx-builder.ts';

/** Witness version 2: whatever is in its witness, it may be spent. */
const FREE_WITNESS_PROGRAM = Uint8Array.of(Op.OP_2, 2, 1, 1);

async function openWithCoin(segwit = 0) {
  const rules = await RuleChain.open({ params: regtestWith({ activation: { segwit } }) });
  const coin = await rules.fundOne(FREE_WITNESS_PROGRAM);
  const withWitness = (...witness: readonly Uint8Array[]): BlockOptions => {
    return { transactions: [rawTx([{ coin, witness }])], extraNonce: 1 };
  };
  return { rules, withWitness };
}

const ITEM = Uint8Array.of(1, 2, 3);

test('unexpected-witness: from the start of segwit on only with a commitment, before not even with one', async () => {
  const { rules, withWitness } = await openWithCoin(FIRST_HEIGHT + 1);
  assert.equal(rules.nextHeight, FIRST_HEIGHT);
  await rules.reject('unexpected-witness', withWitness(ITEM), 'mutated');
  await rules.reject('unexpected-witness', { ...withWitness(ITEM), commitWitness: false }, 'mutated');
  await rules.accept();
  await rules.reject('unexpected-witness', { ...withWitness(ITEM), commitWitness: false }, 'mutated');
  await rules.accept(withWitness(ITEM));
});

test('unexpected-witness: also in the coinbase; none of it is held against the header', async () => {
  const rules = await RuleChain.open({ blocks: 1 });
  const good = rules.builder.build();
  const [coinbase] = good.transactions;
  assert(coinbase !== undefined);
  const [swollen] = withCoinbaseInput({ witness: [new Uint8Array(32)] })([coinbase]);
  assert(swollen !== undefined);
  await rules.refuses(Block.fromParts(good.header, [swollen]), 'unexpected-witness', 'mutated');
  assert.equal((await rules.chain.submitBlock(good)).kind, 'connected');
});

test('before segwit a commitment is an output like any other', async () => {
  const { rules } = await openWithCoin(FIRST_HEIGHT + 2);
  const wrong = { commitWitness: true, mutateTransactions: withCoinbaseInput({ witness: [] }) };
  await rules.accept(wrong);
  await rules.accept(wrong);
  await rules.reject('bad-witness-nonce-size', wrong, 'mutated');
  await rules.accept({ commitWitness: true });
});

test('bad-witness-nonce-size: one item of 32 bytes, nothing else', async () => {
  const { rules, withWitness } = await openWithCoin();
  const item = (length: number) => new Uint8Array(length);
  for (const witness of [[], [item(31)], [item(33)], [item(0)], [item(32), item(32)], [item(32), item(0)]]) {
    const options = { ...withWitness(ITEM), mutateTransactions: withCoinbaseInput({ witness }) };
    await rules.reject('bad-witness-nonce-size', options, 'mutated');
  }
  await rules.accept(withWitness(ITEM));
});

test('bad-witness-merkle-match: another witness, and the good block behind it', async () => {
  const { rules, withWitness } = await openWithCoin();
  const good = rules.builder.build(withWitness(ITEM));
  const [coinbase, tx] = good.transactions;
  const [, other] = rules.builder.build(withWitness(Uint8Array.of(1, 2, 4))).transactions;
  assert(coinbase !== undefined && tx !== undefined && other !== undefined);
  assert.deepEqual(other.txidBytes, tx.txidBytes);
  await rules.refuses(Block.fromParts(good.header, [coinbase, other]), 'bad-witness-merkle-match', 'mutated');
  const shorn = Transaction.fromBytes(tx.stripped());
  await rules.refuses(Block.fromParts(good.header, [coinbase, shorn]), 'bad-witness-merkle-match', 'mutated');
  const reserved = withCoinbaseInput({ witness: [new Uint8Array(32).fill(1)] })(good.transactions);
  await rules.refuses(Block.fromParts(good.header, reserved), 'bad-witness-merkle-match', 'mutated');
  assert.equal((await rules.chain.submitBlock(good)).kind, 'connected');
});

test('the last output that looks like a commitment is the commitment; bytes behind its hash are free', async () => {
  const { rules, withWitness } = await openWithCoin();
  const changed = (change: (commitment: Uint8Array) => readonly Uint8Array[]): BlockOptions => ({
    ...withWitness(ITEM),
    mutateTransactions: withCoinbase(({ outputs: [reward, commitment] }) => {
      assert(reward !== undefined && commitment !== undefined);
      return {
        outputs: [reward, ...change(commitment.scriptPubKey).map((scriptPubKey) => ({ value: 0n, scriptPubKey }))],
      };
    }),
  });
  const wrong = (script: Uint8Array) => Buffer.concat([script.subarray(0, 37), Uint8Array.of((script[37] ?? 0) ^ 1)]);
  await rules.reject(
    'bad-witness-merkle-match',
    changed((right) => [wrong(right)]),
    'mutated',
  );
  await rules.reject(
    'bad-witness-merkle-match',
    changed((right) => [right, wrong(right)]),
    'mutated',
  );
  // A byte too short to be one.
  await rules.reject(
    'unexpected-witness',
    changed((right) => [right.subarray(0, 37)]),
    'mutated',
  );
  await rules.accept(changed((right) => [wrong(right), Buffer.concat([right, ITEM]), right.subarray(0, 37)]));
});

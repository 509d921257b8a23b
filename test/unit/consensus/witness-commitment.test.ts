/** BIP141's commitment, with and without segwit active. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextualCheckBlock, type NetworkParams } from '#consensus';
import type { Block, Transaction, TxOutput } from '#primitives';
import { concatBytes } from '#util';
import { checkWitnessMalleation, witnessCommitmentIndex } from '../../../src/consensus/witness-commitment.ts';
import {
  coinbase,
  commitmentOutput,
  input,
  mineBlock,
  output,
  paramsOf,
  tipOf,
  transaction,
  viewChain,
} from './fixtures.ts';

const START = 1_600_000_000;
const parent = tipOf(viewChain(Array.from({ length: 11 }, (_, i) => ({ time: START + i }))));
const HEIGHT_SCRIPT = Uint8Array.of(0x5b, 0);
const RESERVED = new Uint8Array(32).fill(5);
const withWitness = transaction({ inputs: [input(0, { witness: [Uint8Array.of(1)] })] });
const good = commitmentOutput([withWitness], RESERVED);
const noise = output(0n, Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed));

function check(block: Block, segwit = 11) {
  const params: NetworkParams = { ...paramsOf('regtest'), activation: { ...paramsOf('regtest').activation, segwit } };
  return contextualCheckBlock(block, parent, params);
}

function build(
  outputs: readonly TxOutput[],
  witness: readonly Uint8Array[] = [RESERVED],
  txs: Transaction[] = [withWitness],
) {
  return mineBlock([coinbase(HEIGHT_SCRIPT, [output(50n), ...outputs], witness), ...txs]);
}

test('a right commitment', () => {
  assert.equal(check(build([good])), undefined);
});

test('the last of several commitments counts', () => {
  const wrong = output(
    0n,
    good.scriptPubKey.map((byte, i) => (i === 10 ? byte ^ 1 : byte)),
  );
  assert.equal(check(build([wrong, good])), undefined);
  assert.equal(check(build([good, wrong]))?.code, 'bad-witness-merkle-match');
  assert.equal(check(build([good, noise])), undefined);
});

test('what follows the 38 bytes does not matter; one byte less is no commitment', () => {
  const longer = output(0n, concatBytes(good.scriptPubKey, Uint8Array.of(1, 2, 3)));
  assert.equal(check(build([longer])), undefined);
  const shorter = output(0n, good.scriptPubKey.subarray(0, 37));
  assert.equal(check(build([shorter]))?.code, 'unexpected-witness');
});

test('a wrong commitment blames these bytes only', () => {
  const other = commitmentOutput([transaction()], RESERVED);
  assert.deepEqual(check(build([other])), {
    kind: 'mutated',
    code: 'bad-witness-merkle-match',
    debug: 'CheckWitnessMalleation : witness merkle commitment mismatch',
  });
});

test('the reserved value is one item of 32 bytes', () => {
  for (const witness of [[], [RESERVED, RESERVED], [RESERVED.subarray(1)], [new Uint8Array(33)]]) {
    const found = check(build([good], witness));
    assert.equal(found?.code, 'bad-witness-nonce-size');
    assert.equal(found?.kind, 'mutated');
  }
});

test('a commitment without any witness still must be right', () => {
  const txs = [transaction()];
  assert.equal(check(build([commitmentOutput(txs, RESERVED)], [RESERVED], txs)), undefined);
  assert.equal(check(build([good], [RESERVED], txs))?.code, 'bad-witness-merkle-match');
});

test('no commitment, no witness', () => {
  assert.equal(check(build([], [], [transaction()])), undefined);
  assert.deepEqual(check(build([], [])), {
    kind: 'mutated',
    code: 'unexpected-witness',
    debug: 'CheckWitnessMalleation : unexpected witness data found',
  });
  assert.equal(check(build([], [RESERVED], [transaction()]))?.code, 'unexpected-witness');
});

test('before segwit a commitment means nothing and a witness is refused', () => {
  assert.equal(check(build([good], [], [transaction()]), 12), undefined);
  assert.equal(check(build([good]), 12)?.code, 'unexpected-witness');
});

test('index of the commitment', () => {
  assert.equal(witnessCommitmentIndex(coinbase(HEIGHT_SCRIPT, [output(1n), good, noise])), 1);
  assert.equal(witnessCommitmentIndex(coinbase(HEIGHT_SCRIPT, [output(1n), noise])), undefined);
});

test('an output of 38 bytes that begins otherwise is no commitment', () => {
  for (let at = 0; at < 6; at++) {
    const other = output(
      0n,
      good.scriptPubKey.map((byte, i) => (i === at ? byte ^ 1 : byte)),
    );
    assert.equal(witnessCommitmentIndex(coinbase(HEIGHT_SCRIPT, [good, other])), 0);
    assert.equal(check(build([other]))?.code, 'unexpected-witness', `byte ${at}`);
  }
});

test('without transactions there is nothing to commit to', () => {
  assert.equal(checkWitnessMalleation(mineBlock([]), true), undefined);
});

/** The signature hash before segwit against its definition: change a copy of the transaction, serialise, hash. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash256 } from '#crypto';
import { Transaction } from '#primitives';
import { signatureHash } from '#script';
import { concatBytes, fromHex, toHex } from '#util';
import { LegacySighash } from '../../../src/script/legacy-sighash.ts';
import { randomTx } from './random-tx.ts';

const EMPTY = new Uint8Array(0);

function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return bytes;
}

/** As Satoshi's SignatureHash did it; `code` is without OP_CODESEPARATOR already. */
function byDefinition(code: Uint8Array, tx: Transaction, index: number, hashType: number): string {
  const base = hashType & 0x1f;
  if (base === 3 && index >= tx.outputs.length) return `01${'00'.repeat(31)}`;
  let inputs = tx.inputs.map((input, i) => ({
    ...input,
    scriptSig: i === index ? code : EMPTY,
    sequence: i !== index && (base === 2 || base === 3) ? 0 : input.sequence,
  }));
  let { outputs } = tx;
  if (base === 2) outputs = [];
  if (base === 3) {
    outputs = outputs
      .slice(0, index + 1)
      .map((output, i) => (i === index ? output : { value: -1n, scriptPubKey: EMPTY }));
  }
  if ((hashType & 0x80) !== 0) inputs = inputs.slice(index, index + 1);
  const changed = Transaction.fromFields({ version: tx.version, inputs, outputs, lockTime: tx.lockTime }).raw;
  return toHex(hash256(concatBytes(changed, int32(hashType))));
}

const TYPES = [
  0,
  1,
  2,
  3,
  4,
  0x1f,
  0x20,
  0x22,
  0x23,
  0x41,
  0x80,
  0x81,
  0x82,
  0x83,
  0xa1,
  0xc3,
  0xff,
  -1,
  0x12345602,
  2 ** 31 - 1,
];

test('all hash types, for every input of transactions of all sizes', () => {
  const code = fromHex('76a9140102030405060708090a0b0c0d0e0f101112131488ac');
  for (const [inputs, outputs] of [
    [1, 1],
    [1, 3],
    [3, 1],
    [3, 5],
    [2, 0],
  ] as const) {
    const { tx } = randomTx(inputs, outputs);
    const hasher = new LegacySighash(tx);
    for (let index = 0; index < inputs; index++) {
      for (const hashType of TYPES) {
        const expected = byDefinition(code, tx, index, hashType);
        const name = `${inputs} inputs, ${outputs} outputs, input ${index}, type ${hashType}`;
        assert.equal(toHex(hasher.hash(code, index, hashType)), expected, name);
        assert.equal(toHex(signatureHash(code, tx, index, hashType)), expected, name);
      }
    }
  }
});

test('counts and script lengths around the borders of their encodings', () => {
  for (const [inputs, outputs] of [
    [252, 1],
    [253, 1],
    [1, 253],
  ] as const) {
    const { tx } = randomTx(inputs, outputs);
    for (const hashType of [1, 2, 0x81, 3]) {
      const expected = byDefinition(Uint8Array.of(0x51), tx, inputs - 1, hashType);
      assert.equal(toHex(signatureHash(Uint8Array.of(0x51), tx, inputs - 1, hashType)), expected);
    }
  }
  const { tx } = randomTx(2, 2);
  for (const length of [0, 1, 252, 253, 254, 3000, 5000, 65_535, 65_536, 70_000]) {
    const code = new Uint8Array(length).fill(0x51);
    for (const hashType of [1, 2, 0x83]) {
      const expected = byDefinition(code, tx, 1, hashType);
      assert.equal(toHex(signatureHash(code, tx, 1, hashType)), expected, `${length} bytes, type ${hashType}`);
    }
  }
});

test('OP_CODESEPARATORs are left out, but not bytes of pushes that look like one', () => {
  const { tx } = randomTx(2, 2);
  for (const [code, without] of [
    ['ab', ''],
    ['abab', ''],
    ['51ab52', '5152'],
    ['ab51abab52ab', '5152'],
    ['02ababab51', '02abab51'],
    ['4c01abab', '4c01ab'],
    ['51abac', '51ac'],
  ] as const) {
    for (const hashType of [1, 2, 3, 0x81]) {
      const expected = byDefinition(fromHex(without), tx, 1, hashType);
      assert.equal(toHex(signatureHash(fromHex(code), tx, 1, hashType)), expected, `${code}, type ${hashType}`);
    }
  }
});

test('a push cut short: Core announces the whole length and writes up to where it noticed', () => {
  const { tx } = randomTx(1, 1);
  const marker = `15${'fe'.repeat(21)}`;
  const inputs = tx.inputs.map((input) => ({ ...input, scriptSig: fromHex(marker.slice(2)) }));
  const { version, outputs, lockTime } = tx;
  const template = toHex(Transaction.fromFields({ version, inputs, outputs, lockTime }).raw);
  for (const [code, written] of [
    ['5102aa', '03 5102'],
    ['ab5105aabb', '04 5105'],
    ['51ab4c05aa', '04 51 4c05'],
  ] as const) {
    const raw = fromHex(template.replace(marker, written.replaceAll(' ', '')));
    assert.equal(toHex(signatureHash(fromHex(code), tx, 0, 1)), toHex(hash256(concatBytes(raw, int32(1)))), code);
  }
});

test('an input that does not exist is a bug of the caller', () => {
  const { tx } = randomTx(2, 2);
  assert.throws(() => signatureHash(Uint8Array.of(0x51), tx, 2, 1), /the signed input exists/);
  assert.throws(() => signatureHash(Uint8Array.of(0x51), tx, 2, 3), /the signed input exists/);
});

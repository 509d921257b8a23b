import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError, MAX_MONEY } from '#primitives';
import { concatBytes, toHex } from '#util';
import { encodeCoin } from '../../../src/chain/coin-codec.ts';
import type { Coin } from '../../../src/chain/port.ts';
import { decodeUndo, encodeUndo } from '../../../src/chain/undo-codec.ts';

const plain = { noNullPrototype: true } as const;
const output = fc.record(
  { value: fc.bigInt({ min: 0n, max: MAX_MONEY }), scriptPubKey: fc.uint8Array({ maxLength: 80 }) },
  plain,
);
const coin = fc
  .record({ output, height: fc.integer({ min: 0, max: 2 ** 31 - 1 }), isCoinbase: fc.boolean() }, plain)
  .map(encodeCoin);
const undo = fc.array(fc.array(coin, { maxLength: 4 }), { maxLength: 6 });

test('the bytes are those of Core: counts, code, dummy version, compressed output', () => {
  const hash = new Uint8Array(20).fill(0xab);
  const script = concatBytes(Uint8Array.of(0x76, 0xa9, 20), hash, Uint8Array.of(0x88, 0xac));
  const spent: Coin = { output: { value: 5_000_000_000n, scriptPubKey: script }, height: 9, isCoinbase: true };
  assert.equal(toHex(encodeUndo([[encodeCoin(spent)]])), `0101${'13'}${'00'}${'32'}${'00'}${'ab'.repeat(20)}`);
  assert.equal(toHex(encodeUndo([])), '00');
});

test('a coin of height 0 has no dummy version', () => {
  const spent: Coin = { output: { value: 1n, scriptPubKey: Uint8Array.of(0x51) }, height: 0, isCoinbase: false };
  assert.equal(toHex(encodeUndo([[encodeCoin(spent)]])), '01010001' + '0751');
});

test('any undo data survives', () => {
  fc.assert(fc.property(undo, (data) => assert.deepEqual(decodeUndo(encodeUndo(data)), data)));
});

test('cut short at any byte, or with bytes behind, it is refused', () => {
  fc.assert(
    fc.property(undo, fc.nat(), (data, at) => {
      const bytes = encodeUndo(data);
      assert.throws(() => decodeUndo(bytes.subarray(0, at % bytes.length)), DecodeError);
      assert.throws(() => decodeUndo(concatBytes(bytes, Uint8Array.of(0))), DecodeError);
    }),
  );
});

test('a count that the bytes cannot hold is refused before anything is allocated', () => {
  assert.throws(() => decodeUndo(Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x01)), DecodeError);
  assert.throws(() => decodeUndo(Uint8Array.of(1, 0xfe, 0xff, 0xff, 0xff, 0x01, 0, 0, 0)), DecodeError);
});

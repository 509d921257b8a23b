/** Numbers on the script stack, and what counts as true. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pushNumber } from '#script';
import { fromHex, toHex } from '#util';
import { castToBool, decodeScriptNum, encodeScriptNum } from '../../../src/script/script-num.ts';

const KNOWN: readonly (readonly [number, string])[] = [
  [0, ''],
  [1, '01'],
  [-1, '81'],
  [127, '7f'],
  [-127, 'ff'],
  [128, '8000'],
  [-128, '8080'],
  [255, 'ff00'],
  [256, '0001'],
  [-255, 'ff80'],
  [32767, 'ff7f'],
  [32768, '008000'],
  [2 ** 31 - 1, 'ffffff7f'],
  [-(2 ** 31 - 1), 'ffffffff'],
  [2 ** 31, '0000008000'],
  [2 ** 32 - 2, 'feffffff00'],
  [2 ** 39 - 1, 'ffffffff7f'],
  [-(2 ** 39 - 1), 'ffffffffff'],
];

test('numbers have one shortest form, which reads back', () => {
  for (const [value, hex] of KNOWN) {
    assert.equal(toHex(encodeScriptNum(value)), hex);
    assert.equal(decodeScriptNum(fromHex(hex), true, 5), value);
  }
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 39) + 1, max: 2 ** 39 - 1 }), (value) => {
      const bytes = encodeScriptNum(value);
      assert.equal(decodeScriptNum(bytes, true, 5), value);
      assert.equal(castToBool(bytes), value !== 0);
      const padded = Uint8Array.from([...bytes.subarray(0, -1), (bytes.at(-1) ?? 0) & 0x7f, value < 0 ? 0x80 : 0]);
      if (bytes.length < 5 && value !== 0) {
        assert.equal(decodeScriptNum(padded, false, 6), value, 'a longer form is the same number');
        assert.equal(decodeScriptNum(padded, true, 6), undefined, 'unless the shortest is asked for');
      }
    }),
    { seed: 5 },
  );
});

test('negative zero reads as zero, and is longer than zero', () => {
  for (const hex of ['80', '0080']) {
    assert.ok(Object.is(decodeScriptNum(fromHex(hex), false), 0), hex);
    assert.equal(decodeScriptNum(fromHex(hex), true), undefined, hex);
  }
});

test('any bytes either are a number, whose shortest form is no longer, or are none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), (bytes) => {
      const value = decodeScriptNum(bytes, false);
      assert.equal(value === undefined, bytes.length > 4);
      if (value === undefined) return;
      assert.ok(!Object.is(value, -0));
      const shortest = encodeScriptNum(value);
      assert.ok(shortest.length <= bytes.length);
      assert.equal(decodeScriptNum(bytes, true) === undefined, toHex(shortest) !== toHex(bytes));
    }),
    { seed: 6 },
  );
});

test('all forms of zero are false, all else is true', () => {
  for (const hex of ['', '00', '80', '0000', '0080', '000000000080'])
    assert.equal(castToBool(fromHex(hex)), false, hex);
  for (const hex of ['01', '81', '8000', '8080', '0001', '0081']) assert.equal(castToBool(fromHex(hex)), true, hex);
});

test('pushed numbers use the small opcodes where they can (BIP34 heights)', () => {
  const pushed: readonly (readonly [number, string])[] = [
    [0, '00'],
    [-1, '4f'],
    [1, '51'],
    [16, '60'],
    [17, '0111'],
    [128, '028000'],
    [227_931, '035b7a03'],
    [-2, '0182'],
  ];
  for (const [value, hex] of pushed) assert.equal(toHex(pushNumber(value)), hex, String(value));
});

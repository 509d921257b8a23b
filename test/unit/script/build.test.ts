/** Pushes of all lengths, and of numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushData, pushNumber } from '#script';
import { toHex } from '#util';

test('the push of each length has the shortest header for it', () => {
  for (const [length, header] of [
    [0, '00'],
    [1, '01'],
    [75, '4b'],
    [76, '4c4c'],
    [255, '4cff'],
    [256, '4d0001'],
    [65_535, '4dffff'],
    [65_536, '4e00000100'],
  ] as const) {
    assert.equal(toHex(pushData(new Uint8Array(length).fill(7))), header + '07'.repeat(length), `${length} bytes`);
  }
  assert.equal(toHex(pushData(Uint8Array.of(1))), '0101', 'never a small opcode');
});

test('numbers from -1 to 16 have opcodes', () => {
  for (let value = 1; value <= 16; value++) assert.equal(toHex(pushNumber(value)), (0x50 + value).toString(16));
  assert.deepEqual(
    [0, -1, -2, 17].map((value) => toHex(pushNumber(value))),
    ['00', '4f', '0182', '0111'],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '#primitives';
import { BitReader } from '../../../src/indexes/bit-reader.ts';
import { BitWriter } from '../../../src/indexes/bit-writer.ts';

const bitsOf = (value: number, count: number): string => value.toString(2).padStart(count, '0').slice(-count);

test('bits are written one behind another, the highest first, and read back', () => {
  const write = fc.record({ value: fc.nat(2 ** 31 - 1), count: fc.integer({ min: 1, max: 32 }) });
  const unary = fc.record({ ones: fc.nat(200) });
  const check = fc.property(fc.array(fc.oneof(write, unary), { maxLength: 100 }), (steps) => {
    const writer = new BitWriter();
    let expected = '';
    for (const step of steps) {
      if ('ones' in step) {
        writer.unary(step.ones);
        expected += `${'1'.repeat(step.ones)}0`;
      } else {
        writer.write(step.value, step.count);
        expected += bitsOf(step.value, step.count);
      }
    }
    const written = writer.finish();
    const bytes = [...written].map((byte) => bitsOf(byte, 8)).join('');
    assert.equal(bytes, expected.padEnd(Math.ceil(expected.length / 8) * 8, '0'));
    const reader = new BitReader(written);
    for (const step of steps) {
      if ('ones' in step) assert.equal(reader.unary(), step.ones);
      else assert.equal(reader.read(step.count), step.value % 2 ** step.count);
    }
  });
  fc.assert(check, { seed: 1 });
});

test('what is not there is not read', () => {
  assert.throws(() => new BitReader(Uint8Array.of(0xff)).read(9), DecodeError);
  assert.throws(() => new BitReader(Uint8Array.of(0xff)).unary(), DecodeError);
});

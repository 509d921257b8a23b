import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DecodeError, Reader, Writer } from '#primitives';
import { fromHex, toHex } from '#util';

const read = (hex: string) => new Reader(fromHex(hex));

describe('compact size', () => {
  it('reads every canonical form up to Core’s MAX_SIZE', () => {
    assert.equal(read('00').compactSize(), 0);
    assert.equal(read('fc').compactSize(), 252);
    assert.equal(read('fdfd00').compactSize(), 253);
    assert.equal(read('fdffff').compactSize(), 65535);
    assert.equal(read('fe00000100').compactSize(), 65536);
    assert.equal(read('fe00000002').compactSize(), 0x02000000);
  });

  it('refuses longer forms than needed, larger values and cut ones', () => {
    for (const hex of [
      'fdfc00',
      'feffff0000',
      'ffffffffff00000000',
      'fe01000002',
      'ff0000000001000000',
      'fd',
      'fe0000',
      '',
    ]) {
      assert.throws(() => read(hex).compactSize(), DecodeError, hex);
    }
  });

  it('writes what it reads', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x02000000 }), (value) => {
        const bytes = new Writer(1).compactSize(value).finish();
        const reader = new Reader(bytes);
        assert.equal(reader.compactSize(), value);
        reader.end();
      }),
    );
  });
});

describe('Reader', () => {
  it('refuses a count that the bytes cannot hold before anything is made of it', () => {
    assert.throws(() => read('fe00000002').count(41), /cannot fit/);
    assert.throws(() => read('020102').count(2), /cannot fit/);
    assert.equal(read('0201020304').count(2), 2);
  });

  it('never reads past the end, and says where', () => {
    const reader = read('0102');
    reader.u8();
    assert.throws(
      () => reader.u16(),
      (error) => error instanceof DecodeError && error.offset === 1,
    );
    assert.throws(() => reader.take(2), DecodeError);
    assert.throws(() => reader.end(), /1 bytes too many/);
  });

  it('reads views of its input, also when that is a part of something larger', () => {
    const whole = fromHex('ffff0a000000ffffffffffffffff02abcd');
    const reader = new Reader(whole.subarray(2));
    assert.equal(reader.u32(), 10);
    assert.equal(reader.i64(), -1n);
    const bytes = reader.varBytes();
    assert.equal(toHex(bytes), 'abcd');
    assert.equal(bytes.buffer, whole.buffer);
  });
});

describe('Writer', () => {
  it('grows and gives exactly what was written, once', () => {
    const writer = new Writer(1).u8(1).u16(2).u32(3).i32(-1).u64(4n).i64(-2n).varBytes(fromHex('aabb'));
    assert.equal(writer.length, 30);
    const bytes = writer.finish();
    assert.equal(toHex(bytes), '01020003000000ffffffff0400000000000000feffffffffffffff02aabb');
    assert.equal(writer.length, 0);
    assert.equal(toHex(writer.u8(7).finish()), '07');
    assert.equal(bytes[0], 1, 'what was given away stays as it is');
  });

  it('gives the memory away when it is full, and begins with new', () => {
    const writer = new Writer(2).u16(0x0201);
    const bytes = writer.finish();
    assert.equal(bytes.buffer.byteLength, 2);
    writer.u16(0x0403);
    assert.equal(toHex(bytes), '0102');
    assert.equal(toHex(writer.view()), '0304');
    assert.equal(toHex(writer.reset().u8(9).view()), '09');
  });
});

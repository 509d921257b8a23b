import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { DecodeError, MAX_MONEY, Reader, Writer } from '#primitives';
import { compareBytes, concatBytes, fromHex, toHex } from '#util';
import { COIN_KEYS, decodeCoin, decodeCoinKey, encodeCoin, encodeCoinKey } from '../../../src/chain/coin-codec.ts';
import { compressAmount, decompressAmount, readVarint, writeVarint } from '../../../src/chain/compressor.ts';
import type { Coin } from '../../../src/chain/port.ts';

const varintHex = (value: number): string => {
  const writer = new Writer();
  writeVarint(writer, value);
  return toHex(writer.finish());
};

const coinOf = (script: Uint8Array, value = 1n, height = 1, isCoinbase = false): Coin => ({
  output: { value, scriptPubKey: script },
  height,
  isCoinbase,
});

const roundTrip = (coin: Coin): void => assert.deepEqual(decodeCoin(encodeCoin(coin)), coin);

test('VARINT gives the bytes listed in Core serialize.h', () => {
  const vectors: readonly (readonly [number, string])[] = [
    [0, '00'],
    [0x7f, '7f'],
    [0x80, '8000'],
    [0x1234, 'a334'],
    [0xffff, '82fe7f'],
    [0x123456, 'c7e756'],
    [0x80123456, '86ffc7e756'],
    [0xffffffff, '8efefefe7f'],
  ];
  for (const [value, hex] of vectors) {
    assert.equal(varintHex(value), hex);
    assert.equal(readVarint(new Reader(fromHex(hex))), value);
  }
});

test('a VARINT above its bound or cut short is refused', () => {
  assert.throws(() => readVarint(new Reader(fromHex('8efefeff00'))), DecodeError); // 2^32
  assert.throws(() => readVarint(new Reader(fromHex('80'))), DecodeError);
  assert.throws(() => readVarint(new Reader(fromHex('ffffffffffffffffffffff7f'))), DecodeError);
});

test('amounts compress as in Core compress_tests', () => {
  const vectors: readonly (readonly [bigint, bigint])[] = [
    [0n, 0x0n],
    [1n, 0x1n],
    [1_000_000n, 0x7n],
    [100_000_000n, 0x9n],
    [50n * 100_000_000n, 0x32n],
    [21_000_000n * 100_000_000n, 0x1406f40n],
  ];
  for (const [amount, code] of vectors) {
    assert.equal(compressAmount(amount), code);
    assert.equal(decompressAmount(code), amount);
  }
});

test('every amount in the money range survives, and the fast path writes what the exact one does', () => {
  const amounts = fc.oneof(
    fc.bigInt({ min: 0n, max: MAX_MONEY }),
    fc.bigInt({ min: 899_999_999_999_990n, max: 900_000_000_000_010n }),
    fc
      .tuple(fc.bigInt({ min: 0n, max: 2_100_000n }), fc.integer({ min: 0, max: 9 }))
      .map(([n, e]) => n * 10n ** BigInt(e)),
  );
  fc.assert(
    fc.property(amounts, (value) => {
      const code = compressAmount(value);
      assert.equal(decompressAmount(code), value);
      const bytes = encodeCoin(coinOf(Uint8Array.of(0x51), value));
      // Code of height 1, amount, plain script of one byte.
      const amountBytes = bytes.subarray(1, -2);
      assert.deepEqual(amountBytes, bigVarint(code));
      assert.equal(decodeCoin(bytes).output.value, value);
    }),
    { numRuns: 500 },
  );
});

/** VARINT by its definition, one digit at a time from the last. */
function bigVarint(value: bigint): Uint8Array {
  const digits: number[] = [];
  for (let rest = value, last = true; last || rest >= 0n; rest = rest / 128n - 1n, last = false) {
    digits.unshift(Number(rest % 128n) | (last ? 0 : 0x80));
  }
  return Uint8Array.from(digits);
}

test('an amount above MAX_MONEY in the store is refused', () => {
  const bytes = concatBytes(Uint8Array.of(2), bigVarint(compressAmount(MAX_MONEY + 1n)), Uint8Array.of(7, 0x51));
  assert.throws(() => decodeCoin(bytes), DecodeError);
  const huge = concatBytes(Uint8Array.of(2), bigVarint(0xffffffffffffffffn), Uint8Array.of(7, 0x51));
  assert.throws(() => decodeCoin(huge), DecodeError);
});

test('standard scripts take their short form', () => {
  const hash = fromHex('00112233445566778899aabbccddeeff00112233');
  const x = secp256k1.getPublicKey(
    Uint8Array.from({ length: 32 }, () => 7),
    true,
  );
  const p2pkh = concatBytes(fromHex('76a914'), hash, fromHex('88ac'));
  const p2sh = concatBytes(fromHex('a914'), hash, fromHex('87'));
  const p2pk = concatBytes(Uint8Array.of(33), x, Uint8Array.of(0xac));
  assert.equal(toHex(encodeCoin(coinOf(p2pkh))), `020100${toHex(hash)}`);
  assert.equal(toHex(encodeCoin(coinOf(p2sh))), `020101${toHex(hash)}`);
  assert.equal(toHex(encodeCoin(coinOf(p2pk))), `0201${toHex(x)}`);
  for (const script of [p2pkh, p2sh, p2pk]) roundTrip(coinOf(script, 5n, 840_000, true));
});

test('an uncompressed key of the curve shrinks to its x, of either parity', () => {
  for (let i = 1; i <= 8; i++) {
    const secret = new Uint8Array(32).fill(i);
    const key = secp256k1.getPublicKey(secret, false);
    const script = concatBytes(Uint8Array.of(65), key, Uint8Array.of(0xac));
    const bytes = encodeCoin(coinOf(script));
    assert.equal(bytes.length, 35);
    assert.equal(bytes[2], 4 | ((key[64] ?? 0) & 1));
    roundTrip(coinOf(script));
  }
});

test('keys that are no point, and hybrid keys, are kept as they are', () => {
  const key = secp256k1.getPublicKey(new Uint8Array(32).fill(9), false);
  const off = Uint8Array.from(key);
  off[64] = (off[64] ?? 0) ^ 2;
  const hybrid = Uint8Array.from(key);
  hybrid[0] = 6 | ((key[64] ?? 0) & 1);
  for (const bad of [off, hybrid, new Uint8Array(65).fill(0xff)]) {
    const script = concatBytes(Uint8Array.of(65), bad, Uint8Array.of(0xac));
    assert.equal(encodeCoin(coinOf(script)).length, 2 + 1 + 67);
    roundTrip(coinOf(script));
  }
});

test('an x without a point in the store is refused', () => {
  assert.throws(() => decodeCoin(concatBytes(fromHex('020104'), new Uint8Array(32).fill(0xff))), DecodeError);
});

test('scripts near the standard forms, and any other, survive', () => {
  const shapes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ minLength: 20, maxLength: 20 }).map((h) => concatBytes(fromHex('76a914'), h, fromHex('88ad'))),
    fc.uint8Array({ minLength: 32, maxLength: 32 }).map((x) => concatBytes(fromHex('2104'), x, fromHex('ac'))),
    fc.uint8Array({ minLength: 64, maxLength: 64 }).map((xy) => concatBytes(fromHex('4104'), xy, fromHex('ac'))),
  );
  fc.assert(
    fc.property(shapes, fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.boolean(), (script, height, isCoinbase) =>
      roundTrip(coinOf(script, 12_345n, height, isCoinbase)),
    ),
  );
});

test('a script over 10,000 bytes reads as OP_RETURN, as in Core', () => {
  roundTrip(coinOf(new Uint8Array(10_000).fill(0x51)));
  const decoded = decodeCoin(encodeCoin(coinOf(new Uint8Array(10_001).fill(0x51))));
  assert.deepEqual(decoded.output.scriptPubKey, Uint8Array.of(0x6a));
});

test('a coin cut short or with bytes behind it is refused', () => {
  const bytes = encodeCoin(coinOf(new Uint8Array(40).fill(0x51), 77n, 500_000));
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeCoin(bytes.subarray(0, length)), DecodeError);
  }
  assert.throws(() => decodeCoin(concatBytes(bytes, Uint8Array.of(0))), DecodeError);
});

test('coin keys survive, lie in the range of coins, and sort by txid first', () => {
  const txid = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const index = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 0xffffffff }));
  fc.assert(
    fc.property(txid, index, txid, index, (txidA, indexA, txidB, indexB) => {
      const a = encodeCoinKey({ txid: txidA, index: indexA });
      const b = encodeCoinKey({ txid: txidB, index: indexB });
      assert.deepEqual(decodeCoinKey(a), { txid: txidA, index: indexA });
      assert.ok(compareBytes(a, COIN_KEYS.gte) > 0 && compareBytes(a, COIN_KEYS.lt) < 0);
      const byTxid = compareBytes(txidA, txidB);
      if (byTxid !== 0) assert.equal(Math.sign(compareBytes(a, b)), Math.sign(byTxid));
    }),
  );
  assert.throws(() => decodeCoinKey(concatBytes(Uint8Array.of(0x44), new Uint8Array(33))), DecodeError);
  assert.throws(() => decodeCoinKey(concatBytes(Uint8Array.of(0x43), new Uint8Array(34))), DecodeError);
});

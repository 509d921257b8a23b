/** What every secp256k1 engine must answer: Bitcoin Core's verdict on well-formed, odd and hostile input. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { SECP256K1_ORDER as N, type Secp256k1, sha256 } from '#crypto';
import { concatBytes, fromHex } from '#util';

const { Point } = secp256k1;
const HASH = sha256(Buffer.from('starling'));
const SECRET = sha256(Buffer.from('secp256k1 compliance'));
const KEY = secp256k1.getPublicKey(SECRET, true);
const UNCOMPRESSED = secp256k1.getPublicKey(SECRET, false);
const COMPACT = secp256k1.sign(HASH, SECRET, { prehash: false, lowS: true, format: 'compact' });
const R = numberOf(COMPACT.subarray(0, 32));
const S = numberOf(COMPACT.subarray(32));

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function bytesOf(value: bigint, length = 32): Uint8Array {
  return fromHex(value.toString(16).padStart(length * 2, '0'));
}

/** The bytes of a DER integer's value: shortest, with a zero in front of a set top bit. */
function derValue(value: bigint): Uint8Array {
  const hex = value.toString(16);
  const even = fromHex(hex.length % 2 === 0 ? hex : `0${hex}`);
  return (even[0] ?? 0) >= 0x80 ? concatBytes(Uint8Array.of(0), even) : even;
}

const integer = (value: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(0x02, value.length), value);

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts);
  return concatBytes(Uint8Array.of(0x30, body.length), body);
}

const der = (r: bigint, s: bigint): Uint8Array => sequence(integer(derValue(r)), integer(derValue(s)));

const GOOD = der(R, S);

function hybrid(form: 6 | 7): Uint8Array {
  const key = Uint8Array.from(UNCOMPRESSED);
  key[0] = form;
  return key;
}

const ODD_Y = ((UNCOMPRESSED[64] ?? 0) & 1) === 1;
const withoutTop = (value: Uint8Array): Uint8Array => (value[0] === 0 ? value.subarray(1) : value);

/** x = 5 lies on no point of the curve. */
const OFF_CURVE = concatBytes(Uint8Array.of(2), bytesOf(5n));

type EcdsaCase = readonly [name: string, valid: boolean, signature: Uint8Array, key?: Uint8Array];

const LAX_CASES: readonly EcdsaCase[] = [
  ['s above half the order', true, der(R, N - S)],
  ['r padded with zeros', true, sequence(integer(concatBytes(new Uint8Array(3), derValue(R))), integer(derValue(S)))],
  ['s padded with zeros', true, sequence(integer(derValue(R)), integer(concatBytes(new Uint8Array(9), derValue(S))))],
  [
    'an integer length in long form',
    true,
    sequence(concatBytes(Uint8Array.of(0x02, 0x81, derValue(R).length), derValue(R)), integer(derValue(S))),
  ],
  [
    'an integer length in long form with zeros in front',
    true,
    sequence(
      concatBytes(Uint8Array.of(0x02, 0x86, 0, 0, 0, 0, 0, derValue(R).length), derValue(R)),
      integer(derValue(S)),
    ),
  ],
  ['an integer length of four bytes', false, concatBytes(Uint8Array.of(0x30, 0x44, 0x02, 0x84, 1, 0, 0, 0), GOOD)],
  ['a sequence length in long form', true, concatBytes(Uint8Array.of(0x30, 0x81, GOOD.length - 2), GOOD.subarray(2))],
  [
    'a sequence length of 127 bytes that are not there',
    false,
    concatBytes(Uint8Array.of(0x30, 0xff), GOOD.subarray(2)),
  ],
  ['a wrong sequence length', true, concatBytes(Uint8Array.of(0x30, 0x01), GOOD.subarray(2))],
  ['bytes behind the signature', true, concatBytes(GOOD, Uint8Array.of(1, 2, 3))],
  [
    'r and s as negative numbers, read as positive',
    true,
    sequence(integer(withoutTop(derValue(R))), integer(withoutTop(derValue(N - S)))),
  ],
  ['r one byte short', false, sequence(integer(derValue(R).subarray(0, -1)), integer(derValue(S)))],
  ['a wrong tag of the sequence', false, concatBytes(Uint8Array.of(0x31), GOOD.subarray(1))],
  ['a wrong tag of an integer', false, concatBytes(GOOD.subarray(0, 2), Uint8Array.of(0x03), GOOD.subarray(3))],
  ['s missing', false, sequence(integer(derValue(R)))],
  ['s cut short', false, GOOD.subarray(0, -1)],
  ['an empty signature', false, new Uint8Array(0)],
  ['one byte', false, Uint8Array.of(0x30)],
  ['integers of no bytes', false, sequence(integer(new Uint8Array(0)), integer(new Uint8Array(0)))],
];

const RANGE_CASES: readonly EcdsaCase[] = [
  ['r = 0', false, der(0n, S)],
  ['s = 0', false, der(R, 0n)],
  ['r = order', false, der(N, S)],
  ['s = order', false, der(R, N)],
  ['r + order, which is r again modulo the order', false, der(R + N, S)],
  ['s + order', false, der(R, S + N)],
  ['r of 40 bytes', false, der((1n << 319n) - 1n, S)],
  ['another r', false, der(R + 1n, S)],
  ['another s', false, der(R, S - 1n)],
];

const KEY_CASES: readonly EcdsaCase[] = [
  ['the uncompressed key', true, GOOD, UNCOMPRESSED],
  ['the hybrid key with the right parity', true, GOOD, hybrid(ODD_Y ? 7 : 6)],
  ['the hybrid key with the wrong parity', false, GOOD, hybrid(ODD_Y ? 6 : 7)],
  ['the other root of y', false, GOOD, concatBytes(Uint8Array.of(ODD_Y ? 2 : 3), KEY.subarray(1))],
  ['a point off the curve', false, GOOD, OFF_CURVE],
  ['an uncompressed point off the curve', false, GOOD, concatBytes(UNCOMPRESSED.subarray(0, 64), Uint8Array.of(0))],
  ['x above the field', false, GOOD, concatBytes(Uint8Array.of(2), new Uint8Array(32).fill(0xff))],
  ['a key of 34 bytes', false, GOOD, concatBytes(KEY, Uint8Array.of(0))],
  ['a key of 32 bytes', false, GOOD, KEY.subarray(0, 32)],
  ['a key of 64 bytes', false, GOOD, UNCOMPRESSED.subarray(0, 64)],
  ['a compressed key announced as uncompressed', false, GOOD, concatBytes(Uint8Array.of(4), KEY.subarray(1))],
  ['an uncompressed key announced as compressed', false, GOOD, concatBytes(Uint8Array.of(2), UNCOMPRESSED.subarray(1))],
  ['the point at infinity', false, GOOD, new Uint8Array(33)],
  ['no key', false, GOOD, new Uint8Array(0)],
];

export function secp256k1Compliance(engine: Secp256k1): void {
  describe(`secp256k1: ${engine.name}`, () => {
    for (const [name, valid, signature, key] of [...LAX_CASES, ...RANGE_CASES, ...KEY_CASES]) {
      test(`ECDSA, ${name}: ${valid}`, () => {
        assert.equal(engine.verifyEcdsa(HASH, key ?? KEY, signature), valid);
      });
    }
    test('ECDSA: the plain signature, and not for another hash', () => {
      assert.equal(engine.verifyEcdsa(HASH, KEY, GOOD), true);
      assert.equal(engine.verifyEcdsa(sha256(HASH), KEY, GOOD), false);
      assert.equal(engine.verifyEcdsa(Buffer.from(HASH), Buffer.from(KEY), Buffer.from(GOOD)), true, 'Buffers too');
    });
    test('the arguments are left as they were, also when they are views', () => {
      const memory = concatBytes(Uint8Array.of(9), GOOD, KEY, HASH, Uint8Array.of(9));
      const copy = Uint8Array.from(memory);
      const signature = memory.subarray(1, 1 + GOOD.length);
      const key = memory.subarray(1 + GOOD.length, 34 + GOOD.length);
      assert.equal(engine.verifyEcdsa(memory.subarray(34 + GOOD.length, 66 + GOOD.length), key, signature), true);
      assert.deepEqual(memory, copy);
    });
    test('thousands of bad keys and signatures do no harm to the next good one', () => manyBad(engine));
    test('BIP340 signatures', () => schnorrCases(engine));
    test('BIP341 tweaks', () => tweakCases(engine));
  });
}

/** tiny-secp256k1 alone, without its guard, is dead after some 3,400 keys off the curve. */
function manyBad(engine: Secp256k1): void {
  const rounds = engine.name === 'noble' ? 50 : 5000;
  for (let i = 0; i < rounds; i++) {
    assert.equal(engine.verifyEcdsa(HASH, OFF_CURVE, GOOD), false);
    assert.equal(engine.verifySchnorr(HASH, bytesOf(5n), COMPACT), false);
    assert.equal(engine.checkTapTweak(bytesOf(5n), HASH, HASH, 0), false);
  }
  assert.equal(engine.verifyEcdsa(HASH, KEY, GOOD), true);
}

function schnorrCases(engine: Secp256k1): void {
  const key = schnorr.getPublicKey(SECRET);
  const signature = schnorr.sign(HASH, SECRET, new Uint8Array(32));
  const r = signature.subarray(0, 32);
  const s = signature.subarray(32);
  const check = (sig: Uint8Array, hash = HASH, publicKey: Uint8Array = key): boolean =>
    engine.verifySchnorr(hash, publicKey, sig);
  assert.equal(check(signature), true);
  assert.equal(check(signature, sha256(HASH)), false);
  assert.equal(check(concatBytes(r, bytesOf(N - numberOf(s)))), false, 'BIP340 signatures have no second form');
  assert.equal(check(concatBytes(r, bytesOf(N))), false, 's = order');
  assert.equal(check(concatBytes(r, new Uint8Array(32).fill(0xff))), false, 's above the order');
  assert.equal(check(concatBytes(new Uint8Array(32).fill(0xff), s)), false, 'r above the field');
  assert.equal(check(concatBytes(bytesOf(5n), s)), false, 'r off the curve');
  assert.equal(check(new Uint8Array(64)), false);
  assert.equal(check(signature.subarray(0, 63)), false);
  assert.equal(check(concatBytes(signature, Uint8Array.of(1))), false);
  assert.equal(check(new Uint8Array(0)), false);
  assert.equal(check(signature, HASH, bytesOf(5n)), false, 'key off the curve');
  assert.equal(check(signature, HASH, new Uint8Array(32).fill(0xff)), false, 'key above the field');
  assert.equal(check(signature, HASH, KEY), false, 'a key of 33 bytes');
  assert.equal(check(signature, HASH, new Uint8Array(0)), false);
}

function tweakCases(engine: Secp256k1): void {
  const internal = schnorr.getPublicKey(SECRET);
  const point = schnorr.utils.lift_x(numberOf(internal));
  for (const scalar of [0n, 1n, 2n, numberOf(HASH) % N, N - 1n]) {
    const tweaked = scalar === 0n ? point : point.add(Point.BASE.multiply(scalar));
    const encoded = tweaked.toBytes(true);
    const output = encoded.subarray(1);
    const parity = encoded[0] === 3 ? 1 : 0;
    const other = parity === 1 ? 0 : 1;
    assert.equal(engine.checkTapTweak(internal, bytesOf(scalar), output, parity), true, `tweak ${scalar}`);
    assert.equal(engine.checkTapTweak(internal, bytesOf(scalar), output, other), false, 'the other parity');
    assert.equal(engine.checkTapTweak(internal, bytesOf(scalar), sha256(output), parity), false, 'another output');
  }
  assert.equal(engine.checkTapTweak(internal, bytesOf(N), internal, 0), false, 'tweak = order');
  assert.equal(engine.checkTapTweak(internal, new Uint8Array(32).fill(0xff), internal, 0), false, 'above the order');
  assert.equal(engine.checkTapTweak(bytesOf(5n), HASH, internal, 0), false, 'internal key off the curve');
  const short = fromHex(`${'00'.repeat(30)}0c`);
  const itsTweak = fromHex('35ce03542c33ef141f36db4ec28f2d900ff586e928bf62c780d2d46505aacdcf');
  const itsOutput = fromHex('9f80cb825f76a2020e0a66a1f3a25eb44ecdc1a13d8c6c434e0ad4706caa1d9c');
  assert.equal(engine.checkTapTweak(concatBytes(Uint8Array.of(0), short), itsTweak, itsOutput, 1), true);
  assert.equal(engine.checkTapTweak(short, itsTweak, itsOutput, 1), false, 'an internal key of 31 bytes');
  assert.equal(engine.checkTapTweak(new Uint8Array(32).fill(0xff), HASH, internal, 0), false, 'above the field');
  // The scalar that takes the internal key to infinity: minus its secret, with the sign of its even form.
  const even = (KEY[0] ?? 0) === 2 ? numberOf(SECRET) : N - numberOf(SECRET);
  assert.equal(engine.checkTapTweak(internal, bytesOf(N - even), internal, 0), false, 'the point at infinity');
}

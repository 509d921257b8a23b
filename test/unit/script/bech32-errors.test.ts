/** Where a bech32 address went wrong: Core's examples (rpc_invalid_address_message.py), and every one and two errors made here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bech32, bech32m } from '@scure/base';
import fc from 'fast-check';
import { decodeAddress } from '#script';
import { locateBech32Errors } from '../../../src/script/bech32-errors.ts';

const REGTEST = { pubKeyHash: 111, scriptHash: 196, secretKey: 239, bech32Hrp: 'bcrt' };
const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

test('Core’s examples', () => {
  const cases: readonly (readonly [address: string, error: string, locations: readonly number[]])[] = [
    ['bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv', 'Invalid Bech32 checksum', [9]],
    ['bcrt1qax9suht3qv95sw33xavx8crpxduefdrsvgsklu', 'Invalid Bech32 checksum', [22, 43]],
    ['BCRT1QPLMTZKC2XHARPPZDLNPAQL78RSHJ68U32RAH7R', 'Invalid Bech32 checksum', [38]],
    ['bcrt1q04oldschfnwystcqnsvyfpj23mpsg3jcedq9xv', 'Invalid Base 32 character', [8]],
    ['bcrtq049ldschfnwystcqnsvyfpj23mpsg3jcedq9xv', 'Missing separator', []],
    ['bcrt1q049ldschFnwystcqnsvyfpj23mpsg3jcedq9xv', 'Invalid character or mixed case', [14]],
    ['bcrt1q04', 'Invalid separator position', [4]],
    [`bcrt1${'q'.repeat(87)}`, 'Bech32 string too long', [90, 91]],
  ];
  for (const [address, error, locations] of cases) {
    assert.deepEqual(decodeAddress(address, REGTEST), { kind: 'invalid', error, locations }, address);
  }
});

test('one and two wrong characters are found wherever they are', () => {
  const words = fc.array(fc.nat(31), { minLength: 1, maxLength: 60 });
  const change = fc.record({ at: fc.nat(65), by: fc.integer({ min: 1, max: 31 }) });
  fc.assert(
    fc.property(fc.constantFrom(bech32, bech32m), words, change, change, (codec, data, first, second) => {
      const text = codec.encode('bcrt', data);
      const chars = [...text.slice(5)];
      const places = new Set<number>();
      for (const { at, by } of [first, second]) {
        const place = at % chars.length;
        if (places.has(place)) continue;
        places.add(place);
        chars[place] = CHARSET[CHARSET.indexOf(chars[place] ?? 'q') ^ by] ?? 'q';
      }
      const { locations } = locateBech32Errors(`bcrt1${chars.join('')}`, 4);
      assert.deepEqual(
        locations,
        [...places].map((place) => place + 5).sort((a, b) => a - b),
      );
    }),
    { seed: 1, numRuns: 500 },
  );
});

const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** What a wrong character adds to the remainder: the code is linear. */
function remainderOf(value: number, fromEnd: number): number {
  let sum = value;
  for (let i = 0; i < fromEnd; i++) {
    const top = sum >>> 25;
    sum = (sum & 0x1ffffff) << 5;
    for (const [bit, generator] of GENERATORS.entries()) if ((top >> bit) & 1) sum ^= generator;
  }
  return sum;
}

/** Tries every one and every two characters: places from the end. */
function search(remainder: number, length: number): readonly number[] {
  const places = new Map<number, number>();
  for (let place = 0; place < length; place++) {
    for (let value = 1; value < 32; value++) places.set(remainderOf(value, place), place);
  }
  const single = places.get(remainder);
  if (single !== undefined) return [single];
  for (const [part, place] of places) {
    const other = places.get(remainder ^ part);
    if (other !== undefined && other !== place) return [place, other].sort((a, b) => a - b);
  }
  return [];
}

test('whatever is wrong, what is found is what a search of all single and double errors finds', () => {
  const change = fc.record({ at: fc.nat(30), by: fc.integer({ min: 1, max: 31 }) });
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(fc.nat(31), { minLength: 1, maxLength: 24 }),
      fc.array(change, { minLength: 1, maxLength: 5 }),
      (data, changes) => {
        const chars = [...bech32.encode('bcrt', data).slice(5)];
        const wrong = chars.map((char) => CHARSET.indexOf(char));
        for (const { at, by } of changes) wrong[at % wrong.length] = (wrong[at % wrong.length] ?? 0) ^ by;
        const text = `bcrt1${wrong.map((value) => CHARSET[value]).join('')}`;
        const distance = (of: number): number => text.length - 1 - of;
        const remainder = wrong.reduce(
          (sum, value, at) => sum ^ remainderOf(value ^ CHARSET.indexOf(chars[at] ?? ''), wrong.length - 1 - at),
          0,
        );
        const asBech32 = search(remainder, wrong.length);
        const asBech32m = search(remainder ^ 1 ^ 0x2bc830a3, wrong.length);
        const { encoding, locations } = locateBech32Errors(text, 4);
        const useOther = asBech32m.length > 0 && (asBech32.length === 0 || asBech32m.length < asBech32.length);
        if (remainder === 0) return;
        const best = useOther ? asBech32m : asBech32;
        assert.deepEqual(locations.map(distance).toReversed(), best);
        assert.equal(encoding, best.length === 0 ? undefined : useOther ? 'bech32m' : 'bech32');
        if (best.length > 0) found++;
      },
    ),
    { seed: 2, numRuns: 1_500 },
  );
  assert.ok(found > 500);
});

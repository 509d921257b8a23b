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

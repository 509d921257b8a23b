/** Signatures by a key: Core's own (key_tests), and messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash256 } from '#crypto';
import { decodeWif } from '#script';
import { messageHash, publicKeyOf, recoverCompact, signCompact } from '#signing';
import { toHex } from '#util';
import { signEcdsa } from '../../../src/signing/keys.ts';
import { testKey } from '../../support/keys.ts';

const MAINNET = { pubKeyHash: 0, scriptHash: 5, secretKey: 128, bech32Hrp: 'bc' };

test('Core’s deterministic signatures', () => {
  const hash = hash256(Buffer.from('Very deterministic message'));
  const cases: readonly (readonly [wif: string, der: string, compact: string])[] = [
    [
      '5HxWvvfubhXpYYpS3tJkw6fq9jE9j18THftkZjHHfmFiWtmAbrj',
      '304402205dbbddda71772d95ce91cd2d14b592cfbc1dd0aabd6a394b6c2d377bbe59d31d022014ddda21494a4e221f0824f0b8b924c43fa43c0ad57dccdaa11f81a6bd4582f6',
      '1c5dbbddda71772d95ce91cd2d14b592cfbc1dd0aabd6a394b6c2d377bbe59d31d14ddda21494a4e221f0824f0b8b924c43fa43c0ad57dccdaa11f81a6bd4582f6',
    ],
    [
      '5KC4ejrDjv152FGwP386VD1i2NYc5KkfSMyv1nGy1VGDxGHqVY3',
      '3044022052d8a32079c11e79db95af63bb9600c5b04f21a9ca33dc129c2bfa8ac9dc1cd5022061d8ae5e0f6c1a16bde3719c64c2fd70e404b6428ab9a69566962e8771b5944d',
      '1c52d8a32079c11e79db95af63bb9600c5b04f21a9ca33dc129c2bfa8ac9dc1cd561d8ae5e0f6c1a16bde3719c64c2fd70e404b6428ab9a69566962e8771b5944d',
    ],
  ];
  for (const [wif, der, compact] of cases) {
    const key = decodeWif(wif, MAINNET);
    assert.ok(key !== undefined);
    assert.equal(toHex(signEcdsa(hash, key.secret)), der);
    assert.equal(toHex(signCompact(hash, key)), compact);
    assert.deepEqual(recoverCompact(hash, signCompact(hash, key)), publicKeyOf(key));
  }
});

test('R is low, whatever is signed', () => {
  for (let at = 0; at < 32; at++) {
    const [, , , lengthOfR, firstOfR = 0] = signEcdsa(hash256(Uint8Array.of(at)), testKey(1).secret);
    assert.ok((lengthOfR ?? 33) <= 32 && firstOfR < 0x80);
  }
});

test('what is no signature has no key', () => {
  const hash = messageHash('');
  assert.equal(recoverCompact(hash, new Uint8Array(64)), undefined);
  assert.equal(recoverCompact(hash, new Uint8Array(65)), undefined);
  assert.equal(recoverCompact(hash, new Uint8Array(65).fill(0xff)), undefined);
});

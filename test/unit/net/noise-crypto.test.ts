import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultCrypto, pureJsCrypto } from '@chainsafe/libp2p-noise/crypto';
import fc from 'fast-check';
import { Uint8ArrayList } from 'uint8arraylist';
import { noiseCrypto } from '../../../src/net/noise-crypto.ts';

const key = new Uint8Array(32).fill(7);
const noAd = new Uint8Array(0);

function nonce(n: number): Uint8Array {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(4, n, true);
  return bytes;
}

/** A list as Noise's types have it: those are of an older version than the lists that libp2p gives it. */
type NoiseList = Exclude<Parameters<typeof noiseCrypto.chaCha20Poly1305Encrypt>[0], Uint8Array>;

/** The bytes as a list of pieces, as streams deliver them. */
function cut(bytes: Uint8Array, at: number): NoiseList {
  return new Uint8ArrayList(bytes.subarray(0, at), bytes.subarray(at)) as unknown as NoiseList;
}

test('every record is what another implementation makes of it, in one piece or several', () => {
  const sizes = fc.oneof(fc.nat({ max: 2000 }), fc.constantFrom(384, 399, 400, 1199, 1200, 65_519));
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat({ max: 0xffffffff }), (size, seed, n) => {
      const plain = Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed) & 0xff);
      const at = seed % (size + 1);
      const expected = Buffer.from(pureJsCrypto.chaCha20Poly1305Encrypt(plain, nonce(n), noAd, key).subarray());
      for (const form of [plain, cut(plain, at)]) {
        assert.ok(expected.equals(noiseCrypto.chaCha20Poly1305Encrypt(form, nonce(n), noAd, key).subarray()));
      }
      // Copies: short records are decrypted in place.
      for (const form of [Uint8Array.from(expected), cut(Uint8Array.from(expected), at)]) {
        const opened = noiseCrypto.chaCha20Poly1305Decrypt(form, nonce(n), noAd, key).subarray();
        assert.ok(Buffer.from(plain).equals(opened));
      }
    }),
    { numRuns: 60 },
  );
});

test('a changed bit, another key, another nonce and a lost tag are refused', () => {
  const plain = new Uint8Array(5000).fill(1);
  const sealed = Uint8Array.from(noiseCrypto.chaCha20Poly1305Encrypt(cut(plain, 12), nonce(1), noAd, key).subarray());
  const open = (bytes: Uint8Array, n = 1, k = key) =>
    noiseCrypto.chaCha20Poly1305Decrypt(cut(bytes, 700), nonce(n), noAd, k);
  assert.equal(open(sealed).byteLength, plain.length);
  for (const at of [0, 700, sealed.length - 17, sealed.length - 1]) {
    const changed = Uint8Array.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => open(changed));
  }
  assert.throws(() => open(sealed, 2));
  assert.throws(() => open(sealed, 1, new Uint8Array(32).fill(8)));
  assert.throws(() => open(sealed.subarray(0, -16)));
});

test('records of the handshake bind their associated data', () => {
  const ad = new Uint8Array(32).fill(3);
  const plain = new Uint8Array(1000);
  const sealed = noiseCrypto.chaCha20Poly1305Encrypt(cut(plain, 10), nonce(0), ad, key);
  assert.equal(defaultCrypto.chaCha20Poly1305Decrypt(sealed, nonce(0), ad, key).byteLength, plain.length);
  assert.throws(() => noiseCrypto.chaCha20Poly1305Decrypt(sealed, nonce(0), noAd, key));
});

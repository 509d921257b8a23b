import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { MuHash3072 } from '#crypto';
import { toHex, toReversedHex } from '#util';
import { chacha20Keystream } from '../../../src/crypto/chacha20.ts';

/** Core's FromInt in crypto_tests.cpp: the element of 32 bytes i, 0, 0, … */
function element(i: number): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes[0] = i;
  return bytes;
}

test('the hash of Core crypto_tests: in 0, in 1, out 2', () => {
  const hash = new MuHash3072().insert(element(0)).insert(element(1)).remove(element(2));
  const expected = '10d312b100cbd32ada024a6646e40d3482fcff103668d2625f10002a607d5863';
  assert.equal(toReversedHex(hash.digest()), expected);
  assert.equal(toReversedHex(MuHash3072.fromBytes(hash.toBytes()).digest()), expected);
});

test('the serialised state of Core crypto_tests: in 1, in 2', () => {
  const state = new MuHash3072().insert(element(1)).insert(element(2)).toBytes();
  const numerator = [
    '1fa093295ea30a6a3acdc7b3f770fa538eff537528e990e2910e40bbcfd7f6696b1256901929094694b56316de342f593303',
    'dd12ac43e06dce1be1ff8301c845beb15468fff0ef002dbf80c29f26e6452bccc91b5cb9437ad410d2a67ea847887fa3c6',
    'a6553309946880fe20db2c73fe0641adbd4e86edfee0d9f8cd0ee1230898873dc13ed8ddcaf045c80faa082774279007a2',
    '253f8922ee3ef361d378a6af3ddaf180b190ac97e556888c36b3d1fb1c85aab9ccd46e3deaeb7b7cf5db067a7e9ff86b65',
    '8cf3acd6662bbcce37232daa753c48b794356c020090c831a8304416e2aa7ad633c0ddb2f11be1be316a81be7f7e472071',
    'c042cb68faef549c221ebff209273638b741aba5a81675c45a5fa92fea4ca821d7a324cb1e1a2ccd3b76c4228ec8066dad',
    '2a5df6e1bd0de45c7dd5de8070bdb46db6c554cf9aefc9b7b2bbf9f75b1864d9f95005314593905c0109b71f703d49944a',
    'e94477b51dac10a816bb6d1c700bafabc8bd86fac8df24be519a2f2836b16392e18036cb13e48c5c',
  ];
  assert.equal(toHex(state), `${numerator.join('')}01${'00'.repeat(383)}`);
});

test('the overflow of Core crypto_tests: a numerator of 3072 ones is reduced', () => {
  const state = new Uint8Array(MuHash3072.STATE_BYTES).fill(0xff, 0, 384);
  state[384] = 1;
  const expected = '3a31e6903aff0de9f62f9a9f7f8b861de76ce2cda09822b90014319ae5dc2271';
  assert.equal(toHex(MuHash3072.fromBytes(state).digest()), expected);
});

test('the order does not matter, and what is taken out again was never there', () => {
  const elements = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 });
  fc.assert(
    fc.property(elements, elements, (kept, passing) => {
      const plain = new MuHash3072();
      for (const item of kept) plain.insert(item);
      const mixed = new MuHash3072();
      for (const item of passing) mixed.remove(item);
      for (const item of kept.toReversed()) mixed.insert(item);
      for (const item of passing) mixed.insert(item);
      assert.equal(toHex(mixed.digest()), toHex(plain.digest()));
    }),
    { numRuns: 25 },
  );
});

test('two halves combine to the whole', () => {
  const whole = new MuHash3072().insert(element(1)).insert(element(2)).remove(element(3));
  const half = new MuHash3072().insert(element(2)).remove(element(3));
  assert.deepEqual(new MuHash3072().insert(element(1)).combine(half).toBytes(), whole.toBytes());
});

test('values stay small over many steps, and the digest may be taken in between', () => {
  const direct = new MuHash3072();
  const resumed = new MuHash3072();
  let state = resumed.toBytes();
  for (let i = 0; i < 200; i++) {
    direct.insert(element(i));
    state = MuHash3072.fromBytes(state).insert(element(i)).toBytes();
    if (i % 50 === 0) direct.digest();
  }
  assert.deepEqual(state, direct.toBytes());
});

test('the keystream is OpenSSL ChaCha20 with a zero nonce', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
      const words = new Int32Array(96);
      chacha20Keystream(key, words);
      const bytes = Buffer.alloc(384);
      words.forEach((word, i) => bytes.writeInt32LE(word, i * 4));
      const cipher = createCipheriv('chacha20', key, Buffer.alloc(16));
      assert.ok(bytes.equals(cipher.update(Buffer.alloc(384))));
    }),
    { numRuns: 50 },
  );
});

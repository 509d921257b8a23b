/**
 * The cipher of Noise's records (ChaCha20-Poly1305). As the library chooses, wasm for short records and OpenSSL for
 * long ones, but OpenSSL gets its key as a KeyObject: raw bytes cost Node.js 25 microseconds each time to find out
 * what they are (a record of 64 KiB takes 42 instead of 69 to 92). That moves the border between the two, too.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import type { ICryptoInterface } from '@chainsafe/libp2p-noise';
import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto';

const ALGORITHM = 'chacha20-poly1305';
const TAG_BYTES = 16;
const OPTIONS = { authTagLength: TAG_BYTES } as const;
/** Measured: 400 bytes take either 5 microseconds. */
const OPENSSL_FROM_BYTES = 400;

/** By the array in which the library keeps the key of one direction, for as long as it does. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

function keyObject(key: Uint8Array): KeyObject {
  const known = keyObjects.get(key);
  if (known !== undefined) return known;
  const made = createSecretKey(key);
  keyObjects.set(key, made);
  return made;
}

/** Records that the library delivers in one piece, and those of the handshake (associated data), go its own way. */
export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,

  chaCha20Poly1305Encrypt(plaintext, nonce, ad, key) {
    if (plaintext instanceof Uint8Array || plaintext.byteLength < OPENSSL_FROM_BYTES || ad.length > 0) {
      return defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key);
    }
    const cipher = createCipheriv(ALGORITHM, keyObject(key), nonce, OPTIONS);
    const output = plaintext.sublist(0, 0);
    for (const piece of plaintext) output.append(cipher.update(piece));
    cipher.final();
    output.append(cipher.getAuthTag());
    return output;
  },

  /** Throws when a bit was changed: nothing of the record is given out then. */
  chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, destination) {
    if (ciphertext instanceof Uint8Array || ciphertext.byteLength < OPENSSL_FROM_BYTES || ad.length > 0) {
      return defaultCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, destination);
    }
    const end = ciphertext.byteLength - TAG_BYTES;
    const decipher = createDecipheriv(ALGORITHM, keyObject(key), nonce, OPTIONS);
    decipher.setAuthTag(ciphertext.subarray(end));
    const output = ciphertext.sublist(0, 0);
    for (const piece of ciphertext.sublist(0, end)) output.append(decipher.update(piece));
    decipher.final();
    return output;
  },
};

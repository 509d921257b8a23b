/**
 * The ChaCha20 keystream (RFC 8439) for a zero nonce, which is how MuHash stretches a hash. Not for encryption.
 * In JavaScript because setting up OpenSSL's cipher costs 26 us a key; 384 bytes take 3.5 us here.
 */
import { assert } from '#util';

const STATE_WORDS = 16;
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

const initial = new Int32Array(STATE_WORDS);
const working = new Int32Array(STATE_WORDS);

/** Fills `words` (a multiple of 16) with the keystream from block 0 on, as 32-bit words. The key has 32 bytes. */
export function chacha20Keystream(key: Uint8Array, words: Int32Array): void {
  assert(key.length === 32 && words.length % STATE_WORDS === 0, 'a ChaCha20 key has 32 bytes, a block 16 words');
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  initial.set(CONSTANTS);
  for (let i = 0; i < 8; i++) initial[4 + i] = view.getInt32(i * 4, true);
  for (let offset = 0; offset < words.length; offset += STATE_WORDS) {
    initial[12] = offset / STATE_WORDS;
    working.set(initial);
    for (let round = 0; round < 20; round += 2) doubleRound(working);
    for (let i = 0; i < STATE_WORDS; i++) words[offset + i] = word(working, i) + word(initial, i);
  }
}

function doubleRound(state: Int32Array): void {
  quarterRound(state, 0, 4, 8, 12);
  quarterRound(state, 1, 5, 9, 13);
  quarterRound(state, 2, 6, 10, 14);
  quarterRound(state, 3, 7, 11, 15);
  quarterRound(state, 0, 5, 10, 15);
  quarterRound(state, 1, 6, 11, 12);
  quarterRound(state, 2, 7, 8, 13);
  quarterRound(state, 3, 4, 9, 14);
}

function quarterRound(state: Int32Array, ai: number, bi: number, ci: number, di: number): void {
  let a = word(state, ai);
  let b = word(state, bi);
  let c = word(state, ci);
  let d = word(state, di);
  a = (a + b) | 0;
  d ^= a;
  d = (d << 16) | (d >>> 16);
  c = (c + d) | 0;
  b ^= c;
  b = (b << 12) | (b >>> 20);
  a = (a + b) | 0;
  d ^= a;
  d = (d << 8) | (d >>> 24);
  c = (c + d) | 0;
  b ^= c;
  b = (b << 7) | (b >>> 25);
  state[ai] = a;
  state[bi] = b;
  state[ci] = c;
  state[di] = d;
}

function word(words: Int32Array, index: number): number {
  return words[index] ?? 0;
}

/**
 * MuHash3072 as in Bitcoin Core (crypto/muhash.h): the hash of a set that takes elements in and out one by one, in
 * any order. An element is SHA-256 of its bytes stretched by ChaCha20 to 3072 bits; the set is the product modulo
 * 2^3072 - 1103717 of those put in, over the product of those taken out.
 */
import { assert } from '#util';
import { chacha20Keystream } from './chacha20.ts';
import { sha256 } from './hashes.ts';

const BITS = 3072;
const NUMBER_BYTES = BITS / 8;
const COMPLEMENT = 1_103_717n;
const MODULUS = (1n << BigInt(BITS)) - COMPLEMENT;

export class MuHash3072 {
  /** Both are congruent to the product modulo MODULUS, and may lie a little above it. */
  #numerator = 1n;
  #denominator = 1n;

  /** Bytes of a state as `toBytes` gives it. */
  static readonly STATE_BYTES = 2 * NUMBER_BYTES;

  /** Takes up a state written by `toBytes`. */
  static fromBytes(state: Uint8Array): MuHash3072 {
    assert(state.length === MuHash3072.STATE_BYTES, 'a MuHash state has 768 bytes');
    const hash = new MuHash3072();
    hash.#numerator = numberOf(state.subarray(0, NUMBER_BYTES));
    hash.#denominator = numberOf(state.subarray(NUMBER_BYTES));
    return hash;
  }

  /** Puts an element of any length into the set. */
  insert(element: Uint8Array): this {
    this.#numerator = multiply(this.#numerator, elementNumber(element));
    return this;
  }

  /** Takes an element out; it need not have been put in before. */
  remove(element: Uint8Array): this {
    this.#denominator = multiply(this.#denominator, elementNumber(element));
    return this;
  }

  /** Does everything that was done to `other`. */
  combine(other: MuHash3072): this {
    this.#numerator = multiply(this.#numerator, other.#numerator);
    this.#denominator = multiply(this.#denominator, other.#denominator);
    return this;
  }

  /** The 32-byte hash of the set, in internal order (Core shows it reversed). Takes about 2 ms. */
  digest(): Uint8Array {
    return sha256(bytesOf(multiply(this.#numerator, inverse(this.#denominator)) % MODULUS));
  }

  /** Numerator and denominator, 384 bytes each, little endian: Core's serialisation. */
  toBytes(): Uint8Array {
    const state = new Uint8Array(MuHash3072.STATE_BYTES);
    state.set(bytesOf(this.#numerator % MODULUS));
    state.set(bytesOf(this.#denominator % MODULUS), NUMBER_BYTES);
    return state;
  }
}

const keystream = new Int32Array(NUMBER_BYTES / 4);
const bigEndian = Buffer.alloc(NUMBER_BYTES);

/** Core's ToNum3072. */
function elementNumber(element: Uint8Array): bigint {
  chacha20Keystream(sha256(element), keystream);
  // The words are little endian, lowest first; hexadecimal wants the highest first.
  for (let i = 0; i < keystream.length; i++) bigEndian.writeInt32BE(keystream[i] ?? 0, NUMBER_BYTES - 4 * (i + 1));
  return BigInt(`0x${bigEndian.toString('hex')}`);
}

/** The product, folded twice at bit 3072 (2^3072 is congruent to COMPLEMENT): below 2^3072 + 2^43. */
function multiply(a: bigint, b: bigint): bigint {
  return fold(fold(a * b));
}

function fold(value: bigint): bigint {
  return BigInt.asUintN(BITS, value) + (value >> BigInt(BITS)) * COMPLEMENT;
}

/** By the extended Euclidean algorithm; the modulus is prime. */
function inverse(value: bigint): bigint {
  let [r, nextR] = [MODULUS, value % MODULUS];
  let [s, nextS] = [0n, 1n];
  while (nextR !== 0n) {
    const quotient = r / nextR;
    [r, nextR] = [nextR, r - quotient * nextR];
    [s, nextS] = [nextS, s - quotient * nextS];
  }
  return s < 0n ? s + MODULUS : s;
}

function numberOf(littleEndian: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(littleEndian).reverse().toString('hex')}`);
}

function bytesOf(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(2 * NUMBER_BYTES, '0'), 'hex').reverse();
}

/** secp256k1 public keys as curve points: the two questions that the coin store's key compression asks. */
import { createRequire } from 'node:module';
import { asBuffer } from '#util';

type KeyTools = {
  readonly isValid: (key: Uint8Array) => boolean;
  /** Throws when there is no such point. */
  readonly expand: (key: Uint8Array) => Uint8Array;
};

type NativeKeys = {
  readonly publicKeyVerify: (key: Buffer) => boolean;
  readonly publicKeyConvert: (key: Buffer, compress: boolean) => Buffer;
};

let tools: KeyTools | undefined;

/** Whether the 65 bytes `04 | x | y` are a point of the curve: Core's CPubKey::IsFullyValid. */
export function isValidUncompressedKey(key: Uint8Array): boolean {
  tools ??= load();
  return key.length === 65 && key[0] === 0x04 && tools.isValid(key);
}

/** Core's CPubKey::IsFullyValid for a key of any form. */
export function isValidPublicKey(key: Uint8Array): boolean {
  tools ??= load();
  const [form] = key;
  if (form === 2 || form === 3) return key.length === 33 && tools.isValid(key);
  if (form !== 6 && form !== 7) return isValidUncompressedKey(key);
  if (key.length !== 65 || ((key[64] ?? 0) & 1) !== (form & 1)) return false;
  const plain = Uint8Array.from(key);
  plain[0] = 0x04;
  return isValidUncompressedKey(plain);
}

/**
 * The 65-byte form of a 33-byte key, a fresh array; undefined when no point has that x. Core's CPubKey::Decompress.
 * A square root each: 9 us natively, 46 us in WebAssembly.
 */
export function decompressPublicKey(key: Uint8Array): Uint8Array | undefined {
  tools ??= load();
  try {
    return new Uint8Array(tools.expand(key));
  } catch {
    return undefined;
  }
}

/** Loaded on demand: most processes never meet an uncompressed key. */
function load(): KeyTools {
  const require = createRequire(import.meta.url);
  try {
    const native = require('bcrypto/lib/native/secp256k1-libsecp256k1.js') as NativeKeys;
    return {
      isValid: (key) => native.publicKeyVerify(asBuffer(key)),
      expand: (key) => native.publicKeyConvert(asBuffer(key), false),
    };
  } catch {
    const tiny = require('tiny-secp256k1') as typeof import('tiny-secp256k1');
    return { isValid: (key) => tiny.isPoint(key), expand: (key) => expandTiny(tiny, key) };
  }
}

/** Asks first: a key off the curve would throw through the wasm frames and leak their stack (see engine-tiny). */
function expandTiny(tiny: typeof import('tiny-secp256k1'), key: Uint8Array): Uint8Array {
  if (!tiny.isPoint(key)) throw new RangeError('no point of the curve has this x');
  return tiny.pointCompress(key, false);
}

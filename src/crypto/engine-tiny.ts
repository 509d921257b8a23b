/**
 * secp256k1 by tiny-secp256k1: libsecp256k1 as WebAssembly. It needs no build and works everywhere Node does.
 * It takes only strict inputs and throws on others, so the lax parser stands in front of it.
 */
import { createRequire } from 'node:module';
import { parseDerLax } from './der-lax.ts';
import type { Secp256k1 } from './secp256k1.ts';

type Tiny = typeof import('tiny-secp256k1');

let engine: Secp256k1 | 'absent' | undefined;

export function tinyEngine(): Secp256k1 | undefined {
  engine ??= load() ?? 'absent';
  return engine === 'absent' ? undefined : engine;
}

function load(): Secp256k1 | undefined {
  // Loaded on demand: the wasm module takes a megabyte that the native engine does without.
  const require = createRequire(import.meta.url);
  try {
    const tiny = require('tiny-secp256k1') as Tiny;
    return build(tiny);
  } catch {
    return undefined;
  }
}

/**
 * Every key is asked for with `isPoint` first, which costs a tenth of a verification. Without that the wasm code
 * throws on a key off the curve, through its own frames, and never gives their stack back: 3,400 bad keys (measured)
 * leave the module dead, and every later signature would count as false.
 */
function build(tiny: Tiny): Secp256k1 {
  return {
    name: 'tiny',
    verifyEcdsa: (hash, publicKey, signature) => {
      const compact = parseDerLax(signature);
      return compact !== undefined && tiny.isPoint(publicKey) && tiny.verify(hash, publicKey, compact, false);
    },
    verifySchnorr: (hash, publicKey, signature) =>
      signature.length === 64 &&
      tiny.isXOnlyPoint(publicKey) &&
      falseIfRefused(() => tiny.verifySchnorr(hash, publicKey, signature)),
    checkTapTweak: (internalKey, tweak, outputKey, parity) =>
      tiny.isXOnlyPoint(internalKey) &&
      falseIfRefused(() => tiny.xOnlyPointAddTweakCheck(internalKey, tweak, outputKey, parity)),
  };
}

/** The package throws a TypeError for an r, s or tweak of the group order or more. Anything else is a fault. */
function falseIfRefused(check: () => boolean): boolean {
  try {
    return check();
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

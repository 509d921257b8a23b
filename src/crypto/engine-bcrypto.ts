/**
 * secp256k1 by bcrypto: libsecp256k1 as a native addon, with Core's own lax DER parser inside. An optional
 * dependency: where it was not built there is no engine. The native files are named directly, because the package's
 * own entry points choose by an environment variable.
 */
import { createRequire } from 'node:module';
import { asBuffer } from '#util';
import type { Secp256k1 } from './secp256k1.ts';

type NativeEcdsa = {
  readonly verifyDER: (hash: Buffer, signature: Buffer, key: Buffer) => boolean;
};
type NativeSchnorr = {
  readonly verify: (hash: Buffer, signature: Buffer, key: Buffer) => boolean;
  readonly publicKeyTweakCheck: (key: Buffer, tweak: Buffer, expected: Buffer, odd: boolean) => boolean;
};

let engine: Secp256k1 | 'absent' | undefined;

export function bcryptoEngine(): Secp256k1 | undefined {
  engine ??= load() ?? 'absent';
  return engine === 'absent' ? undefined : engine;
}

function load(): Secp256k1 | undefined {
  const require = createRequire(import.meta.url);
  try {
    const ecdsa = require('bcrypto/lib/native/secp256k1-libsecp256k1.js') as NativeEcdsa;
    const schnorr = require('bcrypto/lib/native/schnorr-libsecp256k1.js') as NativeSchnorr;
    const loaded = build(ecdsa, schnorr);
    // An addon built without libsecp256k1 loads, and throws at the first call.
    loaded.verifySchnorr(new Uint8Array(32), new Uint8Array(32), new Uint8Array(64));
    return loaded;
  } catch {
    return undefined;
  }
}

function build(ecdsa: NativeEcdsa, schnorr: NativeSchnorr): Secp256k1 {
  return {
    name: 'bcrypto',
    verifyEcdsa: (hash, publicKey, signature) =>
      ecdsa.verifyDER(asBuffer(hash), asBuffer(signature), asBuffer(publicKey)),
    verifySchnorr: (hash, publicKey, signature) =>
      signature.length === 64 &&
      publicKey.length === 32 &&
      schnorr.verify(asBuffer(hash), asBuffer(signature), asBuffer(publicKey)),
    checkTapTweak: (internalKey, tweak, outputKey, parity) =>
      schnorr.publicKeyTweakCheck(asBuffer(internalKey), asBuffer(tweak), asBuffer(outputKey), parity === 1),
  };
}

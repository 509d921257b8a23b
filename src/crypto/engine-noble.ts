/**
 * secp256k1 by @noble/curves: pure JavaScript, the slowest, independent of libsecp256k1. It is the last resort, and
 * the second opinion of the compliance tests.
 */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { parseDerLax } from './der-lax.ts';
import type { Secp256k1 } from './secp256k1.ts';

const { Point } = secp256k1;

export function nobleEngine(): Secp256k1 {
  return ENGINE;
}

const ENGINE: Secp256k1 = {
  name: 'noble',
  verifyEcdsa: (hash, publicKey, signature) => {
    const compact = parseDerLax(signature);
    const key = plainKey(publicKey);
    return compact !== undefined && key !== undefined && verifyCompact(hash, key, compact);
  },
  verifySchnorr: (hash, publicKey, signature) =>
    signature.length === 64 && publicKey.length === 32 && schnorr.verify(signature, hash, publicKey),
  checkTapTweak: (internalKey, tweak, outputKey, parity) => {
    try {
      const scalar = BigInt(`0x${Buffer.from(tweak).toString('hex')}`);
      if (internalKey.length !== 32 || tweak.length !== 32 || scalar >= Point.CURVE().n) return false;
      const internal = schnorr.utils.lift_x(BigInt(`0x${Buffer.from(internalKey).toString('hex')}`));
      const output = scalar === 0n ? internal : internal.add(Point.BASE.multiply(scalar));
      const encoded = output.toBytes(true);
      return encoded[0] === 2 + parity && Buffer.compare(encoded.subarray(1), outputKey) === 0;
    } catch {
      return false;
    }
  },
};

function verifyCompact(hash: Uint8Array, key: Uint8Array, compact: Uint8Array): boolean {
  try {
    return secp256k1.verify(compact, hash, key, { prehash: false, lowS: false, format: 'compact' });
  } catch {
    return false;
  }
}

/** A hybrid key (6 or 7: uncompressed with the parity of y in the first byte) as the plain one that noble takes. */
function plainKey(key: Uint8Array): Uint8Array | undefined {
  const [form] = key;
  if (form !== 6 && form !== 7) return key;
  const last = key[64];
  if (key.length !== 65 || last === undefined || (last & 1) !== (form & 1)) return undefined;
  const plain = Uint8Array.from(key);
  plain[0] = 4;
  return plain;
}

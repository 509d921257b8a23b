/** Signatures by a secret key, as Bitcoin Core makes them: the same key and hash give the same bytes. */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { hash256, SECP256K1_ORDER } from '#crypto';
import { Writer } from '#primitives';
import { type SecretKey, taproot } from '#script';
import { assert, concatBytes, toHex } from '#util';

const { Point } = secp256k1;
const NO_RANDOMNESS = new Uint8Array(32);
const MESSAGE_MAGIC = 'Bitcoin Signed Message:\n';
const COMPACT_SIGNATURE_BYTES = 65;

export function publicKeyOf({ secret, compressed }: SecretKey): Uint8Array {
  return secp256k1.getPublicKey(secret, compressed);
}

/** DER with low S, deterministic (RFC 6979), and of low R by trying further nonces: a byte less (CKey::Sign). */
export function signEcdsa(hash: Uint8Array, secret: Uint8Array): Uint8Array {
  const extraEntropy = new Uint8Array(32);
  const counter = new DataView(extraEntropy.buffer);
  for (let tries = 0; ; tries++) {
    counter.setUint32(0, tries, true);
    const entropy = tries === 0 ? {} : { extraEntropy };
    const signature = secp256k1.sign(hash, secret, { prehash: false, lowS: true, format: 'der', ...entropy });
    // The length of R is the fourth byte: 33 when its top bit needs a zero in front.
    if ((signature[3] ?? 0) <= 32) return signature;
  }
}

/**
 * BIP340 without extra randomness. `tweakRoot` signs for a taproot output's key: `none` for one without scripts,
 * else the tree's root; left out, the key itself signs.
 */
export function signSchnorr(hash: Uint8Array, secret: Uint8Array, tweakRoot?: Uint8Array | 'none'): Uint8Array {
  const key = tweakRoot === undefined ? secret : tweakedSecret(secret, tweakRoot === 'none' ? undefined : tweakRoot);
  return schnorr.sign(hash, key, NO_RANDOMNESS);
}

/** BIP341: the secret of the output's key. */
function tweakedSecret(secret: Uint8Array, merkleRoot: Uint8Array | undefined): Uint8Array {
  const publicKey = secp256k1.getPublicKey(secret, true);
  const scalar = BigInt(`0x${toHex(secret)}`);
  const even = publicKey[0] === 2 ? scalar : SECP256K1_ORDER - scalar;
  const tweak = BigInt(`0x${toHex(taproot.tapTweakHash(publicKey.subarray(1), merkleRoot))}`);
  const tweaked = (even + tweak) % SECP256K1_ORDER;
  assert(tweaked !== 0n, 'a tweak that cancels the key is not met in practice');
  return new Uint8Array(Buffer.from(tweaked.toString(16).padStart(64, '0'), 'hex'));
}

/** What a signed text commits to (Core's MessageHash). */
export function messageHash(message: string): Uint8Array {
  const writer = new Writer().varBytes(Buffer.from(MESSAGE_MAGIC)).varBytes(Buffer.from(message));
  return hash256(writer.finish());
}

/** 65 bytes from which the key can be recovered (CKey::SignCompact). */
export function signCompact(hash: Uint8Array, { secret, compressed }: SecretKey): Uint8Array {
  const signature = secp256k1.sign(hash, secret, { prehash: false, lowS: true, format: 'recovered' });
  return concatBytes(Uint8Array.of(27 + (signature[0] ?? 0) + (compressed ? 4 : 0)), signature.subarray(1));
}

/** The key that made such a signature, in the form that it names; undefined when there is none. */
export function recoverCompact(hash: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
  if (signature.length !== COMPACT_SIGNATURE_BYTES) return undefined;
  const form = ((signature[0] ?? 0) - 27) & 0xff;
  try {
    const recovered = concatBytes(Uint8Array.of(form & 3), signature.subarray(1));
    const key = secp256k1.recoverPublicKey(recovered, hash, { prehash: false });
    return Point.fromBytes(key).toBytes((form & 4) !== 0);
  } catch {
    return undefined;
  }
}

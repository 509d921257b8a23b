/** Output scripts of the common kinds, each with keys of its own, and what opens them. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { pointFromScalar, sign, signSchnorr, xOnlyPointAddTweak, xOnlyPointFromScalar } from 'tiny-secp256k1';
import { hash160, sha256 } from '#crypto';
import type { TxInput } from '#primitives';
import { Op, pushData, type TxSighash } from '#script';
import { assert, byteAt, concatBytes } from '#util';
import { p2pkhScript } from '../../src/mempool/payer.ts';
import { NO_CODE_SEPARATOR, SigVersion } from '../../src/script/sig-version.ts';
import { SIGHASH_ALL, SIGHASH_DEFAULT } from '../../src/script/sighash-type.ts';
import { TAPROOT_LEAF_TAPSCRIPT, tapLeafHash, tapTweakHash } from '../../src/script/taproot.ts';

export type Unlocked = Pick<TxInput, 'scriptSig' | 'witness'>;

export type Lock = {
  readonly scriptPubKey: Uint8Array;
  /** Signs input number `at`, which spends an output with this script. */
  readonly unlock: (sighash: TxSighash, at: number) => Unlocked;
};

/** Gives a secret that was never given before. */
export type NextSecret = () => Uint8Array;

const NO_BYTES = new Uint8Array(0);
/** BIP340's auxiliary randomness: none, so that each signature is the same each time. */
const NO_RANDOMNESS = new Uint8Array(32);

/** Strict DER, low S; RFC 6979 leaves no choice. */
export function signDer(hash: Uint8Array, secret: Uint8Array): Uint8Array {
  return secp256k1.Signature.fromBytes(sign(hash, secret), 'compact').toBytes('der');
}

/** The same keys in the same order each time. */
export function secretsFrom(seed: number): NextSecret {
  const preimage = new Uint32Array([seed, 0]);
  return () => {
    preimage[1] = (preimage[1] ?? 0) + 1;
    return sha256(new Uint8Array(preimage.buffer));
  };
}

export function p2pkh(next: NextSecret): Lock {
  const secret = next();
  const publicKey = publicKeyOf(secret);
  const scriptPubKey = p2pkhScript(publicKey);
  return {
    scriptPubKey,
    unlock: (sighash, at) => {
      const signature = withHashType(signDer(sighash.legacy(scriptPubKey, at, SIGHASH_ALL), secret));
      return { scriptSig: concatBytes(pushData(signature), pushData(publicKey)), witness: [] };
    },
  };
}

export function p2wpkh(next: NextSecret): Lock {
  const secret = next();
  const publicKey = publicKeyOf(secret);
  const scriptCode = p2pkhScript(publicKey);
  return {
    scriptPubKey: concatBytes(Uint8Array.of(Op.OP_0), pushData(hash160(publicKey))),
    unlock: (sighash, at) => witness([signV0(sighash, scriptCode, at, secret), publicKey]),
  };
}

/** P2WSH, 2 of 3. Any one of the keys does not sign: in two of three cases verification tries it in vain. */
export function p2wshMultisig(next: NextSecret): Lock {
  const secrets = [next(), next(), next()];
  const idle = byteAt(secrets[0] ?? NO_BYTES, 0) % secrets.length;
  const keys = secrets.map((secret) => pushData(publicKeyOf(secret)));
  const script = concatBytes(Uint8Array.of(Op.OP_2), ...keys, Uint8Array.of(Op.OP_3, Op.OP_CHECKMULTISIG));
  return {
    scriptPubKey: concatBytes(Uint8Array.of(Op.OP_0), pushData(sha256(script))),
    unlock: (sighash, at) => {
      const signers = secrets.filter((_, index) => index !== idle);
      const signatures = signers.map((secret) => signV0(sighash, script, at, secret));
      return witness([NO_BYTES, ...signatures, script]);
    },
  };
}

/** Taproot, key path. */
export function p2trKey(next: NextSecret): Lock {
  const secret = next();
  return {
    scriptPubKey: taprootScript(xOnlyPointFromScalar(secret)),
    unlock: (sighash, at) => witness([signTaproot(sighash, at, secret)]),
  };
}

/** Taproot, one leaf `<key> OP_CHECKSIG`. */
export function p2trScript(next: NextSecret): Lock {
  const [internal, secret] = [xOnlyPointFromScalar(next()), next()];
  const leaf = concatBytes(pushData(xOnlyPointFromScalar(secret)), Uint8Array.of(Op.OP_CHECKSIG));
  const leafHash = tapLeafHash(TAPROOT_LEAF_TAPSCRIPT, leaf);
  const output = xOnlyPointAddTweak(internal, tapTweakHash(internal, leafHash));
  assert(output !== null, 'a hash is no key of the group’s order');
  const control = concatBytes(Uint8Array.of(TAPROOT_LEAF_TAPSCRIPT | output.parity), internal);
  return {
    scriptPubKey: taprootScript(output.xOnlyPubkey),
    unlock: (sighash, at) => witness([signTaproot(sighash, at, secret, leafHash), leaf, control]),
  };
}

function publicKeyOf(secret: Uint8Array): Uint8Array {
  const key = pointFromScalar(secret, true);
  assert(key !== null, 'a hash is a secret key');
  return key;
}

function taprootScript(key: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(Op.OP_1), pushData(key));
}

function witness(items: readonly Uint8Array[]): Unlocked {
  return { scriptSig: NO_BYTES, witness: items };
}

function withHashType(signature: Uint8Array): Uint8Array {
  return concatBytes(signature, Uint8Array.of(SIGHASH_ALL));
}

function signV0(sighash: TxSighash, scriptCode: Uint8Array, at: number, secret: Uint8Array): Uint8Array {
  return withHashType(signDer(sighash.witnessV0(scriptCode, at, SIGHASH_ALL), secret));
}

/** With a leaf's hash for the script path. */
function signTaproot(sighash: TxSighash, at: number, secret: Uint8Array, leafHash?: Uint8Array): Uint8Array {
  const version = leafHash === undefined ? SigVersion.TAPROOT : SigVersion.TAPSCRIPT;
  const context = { annexHash: undefined, leafHash, codeSeparatorPosition: NO_CODE_SEPARATOR, weightLeft: 0 };
  const hash = sighash.taproot(at, SIGHASH_DEFAULT, version, context);
  assert(hash !== undefined, 'the default hash type is known');
  return signSchnorr(hash, secret, NO_RANDOMNESS);
}

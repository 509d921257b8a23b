/** The usual output scripts (Core's GetScriptForDestination and neighbours). Each call gives a fresh script. */
import { hash160, sha256 } from '#crypto';
import { concatBytes } from '#util';
import { pushData, pushNumber } from './build.ts';
import { Op } from './opcodes.ts';

const P2PKH_HEAD = Uint8Array.of(Op.OP_DUP, Op.OP_HASH160);
const P2PKH_TAIL = Uint8Array.of(Op.OP_EQUALVERIFY, Op.OP_CHECKSIG);
const P2SH_HEAD = Uint8Array.of(Op.OP_HASH160);
const P2SH_TAIL = Uint8Array.of(Op.OP_EQUAL);
const CHECKSIG = Uint8Array.of(Op.OP_CHECKSIG);
const CHECKSIGADD = Uint8Array.of(Op.OP_CHECKSIGADD);

/** `key` in any form, or x-only inside a tapscript. */
export function payToPubKey(key: Uint8Array): Uint8Array {
  return concatBytes(pushData(key), CHECKSIG);
}

/** `keyHash`: the HASH160 of a key. */
export function payToPubKeyHash(keyHash: Uint8Array): Uint8Array {
  return concatBytes(P2PKH_HEAD, pushData(keyHash), P2PKH_TAIL);
}

export function payToScriptHash(redeemScript: Uint8Array): Uint8Array {
  return payToScriptHashOf(hash160(redeemScript));
}

/** `scriptHash`: the HASH160 of a script. */
export function payToScriptHashOf(scriptHash: Uint8Array): Uint8Array {
  return concatBytes(P2SH_HEAD, pushData(scriptHash), P2SH_TAIL);
}

/** BIP141: version 0 .. 16, then the program. */
export function payToWitness(version: number, program: Uint8Array): Uint8Array {
  return concatBytes(pushNumber(version), pushData(program));
}

export function payToWitnessScriptHash(witnessScript: Uint8Array): Uint8Array {
  return payToWitness(0, sha256(witnessScript));
}

/** Bare `required`-of-n, n up to 20. */
export function multisig(required: number, keys: readonly Uint8Array[]): Uint8Array {
  const end = Uint8Array.of(Op.OP_CHECKMULTISIG);
  return concatBytes(pushNumber(required), ...keys.map(pushData), pushNumber(keys.length), end);
}

/** `required` of n x-only keys in a tapscript (BIP387). */
export function multisigTapscript(required: number, keys: readonly Uint8Array[]): Uint8Array {
  const checks = keys.flatMap((key, at) => [pushData(key), at === 0 ? CHECKSIG : CHECKSIGADD]);
  return concatBytes(...checks, pushNumber(required), Uint8Array.of(Op.OP_NUMEQUAL));
}

/** Shape checks of signatures and public keys that flags ask for (Core's CheckSignatureEncoding and neighbours). */
import { hasHighS, parseDerLax } from '#crypto';
import { ScriptFlag } from './flags.ts';
import type { ScriptErrorCode } from './script-error.ts';
import { SigVersion } from './sig-version.ts';
import { SIGHASH_ALL, SIGHASH_ANYONECANPAY, SIGHASH_SINGLE } from './sighash-type.ts';

const STRICT_DER = ScriptFlag.DERSIG | ScriptFlag.LOW_S | ScriptFlag.STRICTENC;

/** `signature` has its hash type byte. An empty one passes: it is the short way to give a signature that fails. */
export function checkSignatureEncoding(signature: Uint8Array, flags: number): ScriptErrorCode | undefined {
  if (signature.length === 0 || (flags & STRICT_DER) === 0) return undefined;
  if (!isStrictDer(signature)) return 'SIG_DER';
  if ((flags & ScriptFlag.LOW_S) !== 0) {
    const compact = parseDerLax(signature.subarray(0, -1));
    if (compact === undefined || hasHighS(compact)) return 'SIG_HIGH_S';
  }
  if ((flags & ScriptFlag.STRICTENC) !== 0 && !hasDefinedHashType(signature)) return 'SIG_HASHTYPE';
  return undefined;
}

export function checkPublicKeyEncoding(
  key: Uint8Array,
  flags: number,
  version: SigVersion,
): ScriptErrorCode | undefined {
  if ((flags & ScriptFlag.STRICTENC) !== 0 && !isCompressed(key) && !isUncompressed(key)) return 'PUBKEYTYPE';
  const compressedOnly = (flags & ScriptFlag.WITNESS_PUBKEYTYPE) !== 0 && version === SigVersion.WITNESS_V0;
  return compressedOnly && !isCompressed(key) ? 'WITNESS_PUBKEYTYPE' : undefined;
}

/** Core's CPubKey::IsValid: the first byte announces the length. Says nothing about the curve. */
export function hasKeyShape(key: Uint8Array): boolean {
  const [form] = key;
  return isCompressed(key) || isUncompressed(key) || ((form === 6 || form === 7) && key.length === 65);
}

function isCompressed(key: Uint8Array): boolean {
  return key.length === 33 && (key[0] === 2 || key[0] === 3);
}

function isUncompressed(key: Uint8Array): boolean {
  return key.length === 65 && key[0] === 4;
}

function hasDefinedHashType(signature: Uint8Array): boolean {
  const type = (signature.at(-1) ?? 0) & ~SIGHASH_ANYONECANPAY;
  return type >= SIGHASH_ALL && type <= SIGHASH_SINGLE;
}

/**
 * BIP66: 0x30 [total] 0x02 [length of R] [R] 0x02 [length of S] [S] [hash type], with R and S not negative and not
 * padded. Core's IsValidSignatureEncoding.
 */
function isStrictDer(signature: Uint8Array): boolean {
  const { length } = signature;
  if (length < 9 || length > 73) return false;
  if (signature[0] !== 0x30 || signature[1] !== length - 3) return false;
  const rLength = signature[3] ?? 0;
  if (5 + rLength >= length) return false;
  const sLength = signature[5 + rLength] ?? 0;
  if (rLength + sLength + 7 !== length) return false;
  return isStrictInteger(signature, 2, rLength) && isStrictInteger(signature, 4 + rLength, sLength);
}

function isStrictInteger(signature: Uint8Array, tagAt: number, length: number): boolean {
  const first = signature[tagAt + 2] ?? 0;
  const second = signature[tagAt + 3] ?? 0;
  if (signature[tagAt] !== 0x02 || length === 0 || (first & 0x80) !== 0) return false;
  return !(length > 1 && first === 0 && (second & 0x80) === 0);
}

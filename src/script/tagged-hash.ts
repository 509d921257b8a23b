/** BIP340 tagged hashes: SHA-256 of SHA-256(tag) twice, then the message. */
import { sha256 } from '#crypto';
import type { Writer } from '#primitives';
import { concatBytes } from '#util';
import { preimage } from './preimage.ts';

function tagPrefix(tag: string): Uint8Array {
  const tagHash = sha256(Buffer.from(tag));
  return concatBytes(tagHash, tagHash);
}

function tagged(tag: string): (...parts: readonly Uint8Array[]) => Uint8Array {
  const prefix = tagPrefix(tag);
  return (...parts) => {
    const writer = preimage().bytes(prefix);
    for (const part of parts) writer.bytes(part);
    return sha256(writer.view());
  };
}

const TAP_SIGHASH_PREFIX = tagPrefix('TapSighash');

/** To be written on and hashed once with SHA-256. */
export function tapSighashPreimage(): Writer {
  return preimage().bytes(TAP_SIGHASH_PREFIX);
}

export const tapLeaf = tagged('TapLeaf');
export const tapBranch = tagged('TapBranch');
export const tapTweak = tagged('TapTweak');

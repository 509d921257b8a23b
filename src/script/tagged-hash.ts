/** BIP340 tagged hashes: SHA-256 of SHA-256(tag) twice, then the message. */
import { sha256 } from '#crypto';
import { concatBytes } from '#util';

function tagged(tag: string): (...parts: readonly Uint8Array[]) => Uint8Array {
  const tagHash = sha256(Buffer.from(tag));
  const prefix = concatBytes(tagHash, tagHash);
  return (...parts) => sha256(concatBytes(prefix, ...parts));
}

export const tapSighash = tagged('TapSighash');
export const tapLeaf = tagged('TapLeaf');
export const tapBranch = tagged('TapBranch');
export const tapTweak = tagged('TapTweak');

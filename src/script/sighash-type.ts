/** The last byte of a signature: what of the transaction it covers. */
export const SIGHASH_DEFAULT = 0;
export const SIGHASH_ALL = 1;
export const SIGHASH_NONE = 2;
export const SIGHASH_SINGLE = 3;
export const SIGHASH_ANYONECANPAY = 0x80;

/** The output part of a hash type before taproot (Core masks with 0x1f; unknown values mean ALL). */
export function baseType(hashType: number): number {
  return hashType & 0x1f;
}

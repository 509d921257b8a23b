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

const BASE_NAMES: Readonly<Record<number, string>> = {
  [SIGHASH_ALL]: 'ALL',
  [SIGHASH_NONE]: 'NONE',
  [SIGHASH_SINGLE]: 'SINGLE',
};

/** Core's SighashToStr: `ALL|ANYONECANPAY`; undefined for what is not defined, SIGHASH_DEFAULT among it. */
export function sighashTypeName(hashType: number): string | undefined {
  const name = BASE_NAMES[hashType & ~SIGHASH_ANYONECANPAY];
  return name !== undefined && (hashType & SIGHASH_ANYONECANPAY) !== 0 ? `${name}|ANYONECANPAY` : name;
}

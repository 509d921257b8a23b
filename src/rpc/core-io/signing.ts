/** What methods that sign share. */
import { loadSecp256k1 } from '#crypto';
import { STANDARD_SCRIPT_FLAGS } from '#mempool';
import { sighash } from '#script';
import type { SigningRules } from '#signing';
import { invalidParameter } from '../errors.ts';
import type { JsonInput } from '../json/value.ts';
import { stringOf } from '../table/args.ts';

export function signingRules(): SigningRules {
  return { secp: loadSecp256k1(), flags: STANDARD_SCRIPT_FLAGS };
}

/** The hash types by the names that calls give them. */
const HASH_TYPES: ReadonlyMap<string, number> = new Map(
  [0, 1, 2, 3, 0x81, 0x82, 0x83].map((type) => [sighash.sighashTypeName(type) ?? 'DEFAULT', type]),
);

export const HASH_TYPE_NAMES: readonly string[] = [...HASH_TYPES.keys()];

/** Core's ParseSighashString. */
export function hashTypeOf(value: JsonInput): number {
  if (value === null) return sighash.SIGHASH_DEFAULT;
  const type = HASH_TYPES.get(stringOf(value));
  if (type === undefined) throw invalidParameter(`'${stringOf(value)}' is not a valid sighash parameter.`);
  return type;
}

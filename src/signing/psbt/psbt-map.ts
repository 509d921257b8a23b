/**
 * The maps that a PSBT consists of (BIP174): records by type and key data. What is not known is kept and given on.
 * A record's value is a view of what was read.
 */
import { Reader, type Writer } from '#primitives';
import { fromHex, toHex } from '#util';

/** Values by the hex of the whole key, type included. */
export type PsbtMap = Map<string, Uint8Array>;

export type PsbtRecord = {
  readonly keyData: Uint8Array;
  readonly value: Uint8Array;
};

export const GlobalType = Object.freeze({ UNSIGNED_TX: 0x00, XPUB: 0x01, VERSION: 0xfb, PROPRIETARY: 0xfc });

export const InputType = Object.freeze({
  NON_WITNESS_UTXO: 0x00,
  WITNESS_UTXO: 0x01,
  PARTIAL_SIG: 0x02,
  SIGHASH: 0x03,
  REDEEM_SCRIPT: 0x04,
  WITNESS_SCRIPT: 0x05,
  BIP32_DERIVATION: 0x06,
  SCRIPT_SIG: 0x07,
  SCRIPT_WITNESS: 0x08,
  RIPEMD160: 0x0a,
  SHA256: 0x0b,
  HASH160: 0x0c,
  HASH256: 0x0d,
  TAP_KEY_SIG: 0x13,
  TAP_SCRIPT_SIG: 0x14,
  TAP_LEAF_SCRIPT: 0x15,
  TAP_BIP32_DERIVATION: 0x16,
  TAP_INTERNAL_KEY: 0x17,
  TAP_MERKLE_ROOT: 0x18,
  PROPRIETARY: 0xfc,
});

export const OutputType = Object.freeze({
  REDEEM_SCRIPT: 0x00,
  WITNESS_SCRIPT: 0x01,
  BIP32_DERIVATION: 0x02,
  TAP_INTERNAL_KEY: 0x05,
  TAP_TREE: 0x06,
  TAP_BIP32_DERIVATION: 0x07,
  PROPRIETARY: 0xfc,
});

/** The hex of a key. All types with a meaning are one byte. */
export function mapKey(type: number, keyData?: Uint8Array): string {
  return type.toString(16).padStart(2, '0') + (keyData === undefined ? '' : toHex(keyData));
}

/** The value of a type that has no key data. Empty ones count as absent, as in Core. */
export function singleValue(map: PsbtMap, type: number): Uint8Array | undefined {
  const value = map.get(mapKey(type));
  return value === undefined || value.length === 0 ? undefined : value;
}

/** Keeps what is there. */
export function setOnce(map: PsbtMap, type: number, value: Uint8Array, keyData?: Uint8Array): void {
  const key = mapKey(type, keyData);
  if (!map.has(key)) map.set(key, value);
}

/** In the order of their keys. */
export function recordsOf(map: PsbtMap, type: number): PsbtRecord[] {
  return keysOf(map, type).map((key) => ({ keyData: fromHex(key.slice(2)), value: map.get(key) ?? new Uint8Array(0) }));
}

export function keysOf(map: PsbtMap, type: number): string[] {
  const prefix = mapKey(type);
  return [...map.keys()].filter((key) => key.startsWith(prefix)).sort();
}

/** Records of no known type. */
export function unknownKeys(map: PsbtMap, known: Readonly<Record<string, number>>): string[] {
  const prefixes = new Set(Object.values(known).map((type) => mapKey(type)));
  return [...map.keys()].filter((key) => !prefixes.has(key.slice(0, 2))).sort();
}

/** What stands in the key of a proprietary record (BIP174). */
export function proprietaryKey(keyData: Uint8Array): { readonly identifier: Uint8Array; readonly subtype: number } {
  const reader = new Reader(keyData);
  return { identifier: reader.varBytes(), subtype: reader.compactSize() };
}

export function writeRecord(writer: Writer, key: string, value: Uint8Array): void {
  writer.varBytes(fromHex(key)).varBytes(value);
}

/** The values of PSBT records that are more than bytes (BIP174, BIP371), from and to bytes. */
import type { KeyOrigin, TaprootLeaf } from '#descriptor';
import { Reader, Writer } from '#primitives';
import { toHex } from '#util';

const HASH_BYTES = 32;

/** `value`: a fingerprint and steps, four bytes each. */
export function readKeyOrigin(value: Uint8Array): KeyOrigin {
  const reader = new Reader(value);
  const fingerprint = reader.take(4);
  const path: number[] = [];
  while (reader.remaining > 0) path.push(reader.u32());
  return { fingerprint, path };
}

export function writeKeyOrigin({ fingerprint, path }: KeyOrigin): Uint8Array {
  const writer = new Writer(4 + 4 * path.length).bytes(fingerprint);
  for (const step of path) writer.u32(step);
  return writer.finish();
}

export type TapDerivation = {
  /** Hex, sorted. */
  readonly leafHashes: readonly string[];
  /** Undefined where the hashes leave no room for an origin. */
  readonly originBytes: Uint8Array | undefined;
};

export function readTapDerivation(value: Uint8Array): TapDerivation {
  const reader = new Reader(value);
  const leafHashes = new Set<string>();
  const count = reader.compactSize();
  if (count * HASH_BYTES > reader.remaining) return { leafHashes: [], originBytes: undefined };
  for (let i = 0; i < count; i++) leafHashes.add(toHex(reader.take(HASH_BYTES)));
  return { leafHashes: [...leafHashes].sort(), originBytes: reader.take(reader.remaining) };
}

export function writeTapDerivation(leafHashes: Iterable<string>, origin: KeyOrigin): Uint8Array {
  const hashes = [...leafHashes].sort();
  const writer = new Writer().compactSize(hashes.length);
  for (const hash of hashes) writer.bytes(Buffer.from(hash, 'hex'));
  return writer.bytes(writeKeyOrigin(origin)).finish();
}

export function readTapTree(value: Uint8Array): TaprootLeaf[] {
  const reader = new Reader(value);
  const leaves: TaprootLeaf[] = [];
  while (reader.remaining > 0) {
    leaves.push({ depth: reader.u8(), leafVersion: reader.u8(), script: reader.varBytes() });
  }
  return leaves;
}

export function writeTapTree(leaves: readonly TaprootLeaf[]): Uint8Array {
  const writer = new Writer();
  for (const { depth, leafVersion, script } of leaves) writer.u8(depth).u8(leafVersion).varBytes(script);
  return writer.finish();
}

export function readWitness(value: Uint8Array): Uint8Array[] {
  const reader = new Reader(value);
  return Array.from({ length: reader.count(1) }, () => reader.varBytes());
}

export function writeWitness(items: readonly Uint8Array[]): Uint8Array {
  const writer = new Writer().compactSize(items.length);
  for (const item of items) writer.varBytes(item);
  return writer.finish();
}

/** What a package must look like by itself: Core's policy/packages.cpp. Pure. */
import { sha256 } from '#crypto';
import { idToBytes, type Transaction, type TxInput, txidFromBytes, type Wtxid } from '#primitives';
import { concatBytes, toReversedHex } from '#util';
import { MAX_PACKAGE_COUNT, MAX_PACKAGE_WEIGHT } from './policy.ts';
import type { PackageFailure } from './port.ts';

declare const brand: unique symbol;
/** Names transactions that are relayed together (BIP331). */
export type PackageHash = string & { readonly [brand]: 'PackageHash' };

/** Of parents and a child: IsWellFormedPackage and IsChildWithParents. */
export function checkPackage(parents: readonly Transaction[], child: Transaction): PackageFailure | undefined {
  const malformed = checkWellFormed([...parents, child]);
  if (malformed !== undefined) return malformed;
  const areParents = parents.every((parent) => spendsFrom(child, parent));
  return areParents ? undefined : { code: 'package-not-child-with-parents' };
}

/** IsWellFormedPackage. */
export function checkWellFormed(txs: readonly Transaction[]): PackageFailure | undefined {
  if (txs.length > MAX_PACKAGE_COUNT) return { code: 'package-too-many-transactions' };
  const weight = txs.reduce((sum, tx) => sum + tx.weight, 0);
  if (txs.length > 1 && weight > MAX_PACKAGE_WEIGHT) return { code: 'package-too-large' };
  const later = new Set(txs.map(({ txid }) => txid));
  if (later.size < txs.length) return { code: 'package-contains-duplicates' };
  for (const tx of txs) {
    if (tx.inputs.some(({ prevTxid }) => later.has(txidFromBytes(prevTxid)))) return { code: 'package-not-sorted' };
    later.delete(tx.txid);
  }
  const spent = new Set<string>();
  for (const { inputs } of txs) {
    const outpoints = inputs.map(outpoint);
    if (outpoints.some((each) => spent.has(each))) return { code: 'conflict-in-package' };
    for (const each of outpoints) spent.add(each);
  }
  return undefined;
}

/** The same whatever the order of the transactions (Core's GetPackageHash, BIP331): ids are sorted as text, hashed as bytes. */
export function packageHash(wtxids: readonly Wtxid[]): PackageHash {
  return toReversedHex(sha256(concatBytes(...[...wtxids].sort().map(idToBytes)))) as PackageHash;
}

export function spendsFrom(tx: Transaction, other: Pick<Transaction, 'txid'>): boolean {
  return tx.inputs.some((input) => txidFromBytes(input.prevTxid) === other.txid);
}

function outpoint(input: TxInput): string {
  return `${txidFromBytes(input.prevTxid)}:${input.prevIndex}`;
}

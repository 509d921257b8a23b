/** What a package of one parent and one child must look like by itself: Core's policy/packages.cpp. Pure. */
import { sha256 } from '#crypto';
import { idToBytes, type Transaction, type TxInput, txidFromBytes, type Wtxid } from '#primitives';
import { concatBytes, toReversedHex } from '#util';
import { MAX_PACKAGE_WEIGHT } from './policy.ts';
import type { PackageFailure } from './port.ts';

declare const brand: unique symbol;
/** Names transactions that are relayed together (BIP331). */
export type PackageHash = string & { readonly [brand]: 'PackageHash' };

/** IsWellFormedPackage and IsChildWithParents. */
export function checkPackage(parent: Transaction, child: Transaction): PackageFailure | undefined {
  if (parent.weight + child.weight > MAX_PACKAGE_WEIGHT) return { code: 'package-too-large' };
  if (parent.txid === child.txid) return { code: 'package-contains-duplicates' };
  if (spendsFrom(parent, child)) return { code: 'package-not-sorted' };
  const spent = new Set(parent.inputs.map(outpoint));
  if (child.inputs.some((input) => spent.has(outpoint(input)))) return { code: 'conflict-in-package' };
  return spendsFrom(child, parent) ? undefined : { code: 'package-not-child-with-parents' };
}

/** The same whatever the order of the transactions (Core's GetPackageHash, BIP331): ids are sorted as text, hashed as bytes. */
export function packageHash(wtxids: readonly Wtxid[]): PackageHash {
  return toReversedHex(sha256(concatBytes(...[...wtxids].sort().map(idToBytes)))) as PackageHash;
}

function spendsFrom(tx: Transaction, other: Transaction): boolean {
  return tx.inputs.some((input) => txidFromBytes(input.prevTxid) === other.txid);
}

function outpoint(input: TxInput): string {
  return `${txidFromBytes(input.prevTxid)}:${input.prevIndex}`;
}

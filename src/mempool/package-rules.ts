/** What a package of one parent and one child must look like by itself: Core's policy/packages.cpp. Pure. */
import { type Transaction, type TxInput, txidFromBytes } from '#primitives';
import { MAX_PACKAGE_WEIGHT } from './policy.ts';
import type { PackageFailure } from './port.ts';

/** IsWellFormedPackage and IsChildWithParents. */
export function checkPackage(parent: Transaction, child: Transaction): PackageFailure | undefined {
  if (parent.weight + child.weight > MAX_PACKAGE_WEIGHT) return { code: 'package-too-large' };
  if (parent.txid === child.txid) return { code: 'package-contains-duplicates' };
  if (spendsFrom(parent, child)) return { code: 'package-not-sorted' };
  const spent = new Set(parent.inputs.map(outpoint));
  if (child.inputs.some((input) => spent.has(outpoint(input)))) return { code: 'conflict-in-package' };
  return spendsFrom(child, parent) ? undefined : { code: 'package-not-child-with-parents' };
}

function spendsFrom(tx: Transaction, other: Transaction): boolean {
  return tx.inputs.some((input) => txidFromBytes(input.prevTxid) === other.txid);
}

function outpoint(input: TxInput): string {
  return `${txidFromBytes(input.prevTxid)}:${input.prevIndex}`;
}

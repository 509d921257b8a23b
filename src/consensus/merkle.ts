/** Merkle roots over transaction ids (Core's consensus/merkle.cpp). Hashes are 32 bytes in internal order. */
import { hash256 } from '#crypto';
import type { Block } from '#primitives';

const HASH_BYTES = 32;
const PAIR_BYTES = 64;

export type MerkleTree = {
  /** 32 zero bytes for no leaves. */
  readonly root: Uint8Array;
  /**
   * Two equal neighbours were hashed together: other leaves with this root exist (CVE-2012-2459), so a bad block
   * with it says nothing about the header.
   */
  readonly mutated: boolean;
};

/** The root over `leaves` (32 bytes each), an odd level's last node paired with itself (Core's ComputeMerkleRoot). */
export function merkleTree(leaves: readonly Uint8Array[]): MerkleTree {
  let count = leaves.length;
  // Room for the duplicate that an odd level needs.
  const level = new Uint8Array(Math.max(HASH_BYTES, (count + (count & 1)) * HASH_BYTES));
  for (const [i, leaf] of leaves.entries()) level.set(leaf, i * HASH_BYTES);
  let mutated = false;
  while (count > 1) {
    // Only true pairs count: the duplicate that is added below is how every odd level works.
    mutated ||= hasEqualPair(level, count >> 1);
    if ((count & 1) === 1) {
      level.copyWithin(count * HASH_BYTES, (count - 1) * HASH_BYTES, count * HASH_BYTES);
      count++;
    }
    count /= 2;
    // In place: a parent is written where nothing is read any more.
    for (let i = 0; i < count; i++) {
      level.set(hash256(level.subarray(i * PAIR_BYTES, (i + 1) * PAIR_BYTES)), i * HASH_BYTES);
    }
  }
  return { root: level.slice(0, HASH_BYTES), mutated };
}

function hasEqualPair(level: Uint8Array, pairs: number): boolean {
  for (let pair = 0; pair < pairs; pair++) {
    const start = pair * PAIR_BYTES;
    let i = 0;
    while (i < HASH_BYTES && level[start + i] === level[start + HASH_BYTES + i]) i++;
    if (i === HASH_BYTES) return true;
  }
  return false;
}

/** The root of `merkleTree` alone, for trees that we build ourselves. A fresh array. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return merkleTree(leaves).root;
}

/** Over the txids: what the header commits to (Core's BlockMerkleRoot). */
export function blockMerkleTree(block: Block): MerkleTree {
  return merkleTree(block.transactions.map((tx) => tx.txidBytes));
}

/** BIP141: over the wtxids, the coinbase's taken as zero (Core's BlockWitnessMerkleRoot). */
export function witnessMerkleRoot(block: Block): Uint8Array {
  const coinbaseLeaf = new Uint8Array(HASH_BYTES);
  return merkleRoot(block.transactions.map((tx, i) => (i === 0 ? coinbaseLeaf : tx.wtxidBytes)));
}

/** BIP341: what a control block commits to. Pure functions; byte order as on the wire. */

import { compactSizeLength, Writer } from '#primitives';
import { compareBytes } from '#util';
import { tapBranch, tapLeaf, tapTweak } from './tagged-hash.ts';

export const TAPROOT_LEAF_MASK = 0xfe;
export const TAPROOT_LEAF_TAPSCRIPT = 0xc0;
const ANNEX_TAG = 0x50;
const TAPROOT_CONTROL_BASE_SIZE = 33;
const TAPROOT_CONTROL_NODE_SIZE = 32;
/** A path of 128 nodes. */
const TAPROOT_CONTROL_MAX_SIZE = TAPROOT_CONTROL_BASE_SIZE + TAPROOT_CONTROL_NODE_SIZE * 128;

/** The last of two or more witness items, if it is marked as the annex. */
export function annexOf(witness: readonly Uint8Array[]): Uint8Array | undefined {
  const last = witness.at(-1);
  return witness.length >= 2 && last?.[0] === ANNEX_TAG ? last : undefined;
}

/** Whether the control block says that its script is a tapscript (BIP342). */
export function isTapscriptControl(control: Uint8Array): boolean {
  return ((control[0] ?? 0) & TAPROOT_LEAF_MASK) === TAPROOT_LEAF_TAPSCRIPT;
}

export function tapLeafHash(leafVersion: number, script: Uint8Array): Uint8Array {
  const head = new Writer(1 + compactSizeLength(script.length)).u8(leafVersion).compactSize(script.length);
  return tapLeaf(head.finish(), script);
}

/** The children are sorted, so that a path need not say left or right. */
export function tapBranchHash(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareBytes(a, b) < 0 ? tapBranch(a, b) : tapBranch(b, a);
}

/** The scalar that tweaks the internal key; without a script tree only the key is hashed. */
export function tapTweakHash(internalKey: Uint8Array, merkleRoot?: Uint8Array): Uint8Array {
  return merkleRoot === undefined ? tapTweak(internalKey) : tapTweak(internalKey, merkleRoot);
}

/** The root of the script tree that the control block's path leads to from a leaf (Core's ComputeTaprootMerkleRoot). */
export function taprootMerkleRoot(control: Uint8Array, leafHash: Uint8Array): Uint8Array {
  let hash = leafHash;
  for (let at = TAPROOT_CONTROL_BASE_SIZE; at < control.length; at += TAPROOT_CONTROL_NODE_SIZE) {
    hash = tapBranchHash(hash, control.subarray(at, at + TAPROOT_CONTROL_NODE_SIZE));
  }
  return hash;
}

export function isControlBlockSize(length: number): boolean {
  return (
    length >= TAPROOT_CONTROL_BASE_SIZE &&
    length <= TAPROOT_CONTROL_MAX_SIZE &&
    (length - TAPROOT_CONTROL_BASE_SIZE) % TAPROOT_CONTROL_NODE_SIZE === 0
  );
}

/** BIP342: opcodes whose mere presence makes a tapscript succeed (Core's IsOpSuccess). */
export function isOpSuccess(opcode: number): boolean {
  return (
    opcode === 80 ||
    opcode === 98 ||
    (opcode >= 126 && opcode <= 129) ||
    (opcode >= 131 && opcode <= 134) ||
    (opcode >= 137 && opcode <= 138) ||
    (opcode >= 141 && opcode <= 142) ||
    (opcode >= 149 && opcode <= 153) ||
    (opcode >= 187 && opcode <= 254)
  );
}

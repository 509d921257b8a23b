/** The output that an internal key and a tree of scripts make (BIP341; Core's TaprootBuilder). */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { taproot } from '#script';
import { assert, concatBytes, toHex } from '#util';

const { Point } = secp256k1;

export type TaprootLeaf = {
  /** 0 .. 128: steps from the root. */
  readonly depth: number;
  readonly leafVersion: number;
  readonly script: Uint8Array;
};

export type TaprootSpend = TaprootLeaf & {
  readonly leafHash: Uint8Array;
  /** With the output key's parity. */
  readonly controlBlock: Uint8Array;
};

export type TaprootTree = {
  /** x-only. */
  readonly internalKey: Uint8Array;
  /** Undefined without scripts. */
  readonly merkleRoot: Uint8Array | undefined;
  /** x-only. */
  readonly outputKey: Uint8Array;
  /** In the order of the tree, depth first. */
  readonly leaves: readonly TaprootSpend[];
};

type Node = {
  readonly depth: number;
  readonly hash: Uint8Array;
  readonly leaves: readonly {
    readonly leaf: TaprootLeaf;
    readonly leafHash: Uint8Array;
    readonly path: Uint8Array[];
  }[];
};

/** Undefined when the depths make no tree, or the key is no point. */
export function taprootTree(internalKey: Uint8Array, leaves: readonly TaprootLeaf[]): TaprootTree | undefined {
  const root = buildTree(leaves);
  if (leaves.length > 0 && root === undefined) return undefined;
  const output = tweakedKey(internalKey, root?.hash);
  if (output === undefined) return undefined;
  return {
    internalKey,
    merkleRoot: root?.hash,
    outputKey: output.key,
    leaves: (root?.leaves ?? []).map(({ leaf, leafHash, path }) => ({
      ...leaf,
      leafHash,
      controlBlock: concatBytes(Uint8Array.of(leaf.leafVersion | output.parity), internalKey, ...path),
    })),
  };
}

/** The x-only output key and the parity of its y. Undefined when the internal key is no point. */
function tweakedKey(
  internalKey: Uint8Array,
  merkleRoot: Uint8Array | undefined,
): { readonly key: Uint8Array; readonly parity: 0 | 1 } | undefined {
  try {
    const tweak = BigInt(`0x${toHex(taproot.tapTweakHash(internalKey, merkleRoot))}`);
    const internal = schnorr.utils.lift_x(BigInt(`0x${toHex(internalKey)}`));
    const bytes = internal.add(Point.BASE.multiply(tweak)).toBytes(true);
    return { key: bytes.slice(1), parity: bytes[0] === 3 ? 1 : 0 };
  } catch {
    return undefined;
  }
}

/** Joins neighbours of the same depth, as they come (Core's TaprootBuilder::Insert). */
function buildTree(leaves: readonly TaprootLeaf[]): Node | undefined {
  const open: Node[] = [];
  for (const leaf of leaves) {
    const leafHash = taproot.tapLeafHash(leaf.leafVersion, leaf.script);
    let node: Node = { depth: leaf.depth, hash: leafHash, leaves: [{ leaf, leafHash, path: [] }] };
    // Deeper than what is still open on its left, or a sibling: anything else leaves a hole.
    if ((open.at(-1)?.depth ?? 0) > node.depth) return undefined;
    while (node.depth > 0 && open.at(-1)?.depth === node.depth) {
      const left = open.pop();
      assert(left !== undefined, 'the sibling is there');
      node = joined(left, node);
    }
    if (node.depth === 0 && open.length > 0) return undefined;
    open.push(node);
  }
  const [root] = open;
  return open.length === 1 && root?.depth === 0 ? root : undefined;
}

function joined(left: Node, right: Node): Node {
  for (const { path } of left.leaves) path.push(right.hash);
  for (const { path } of right.leaves) path.push(left.hash);
  return {
    depth: left.depth - 1,
    hash: taproot.tapBranchHash(left.hash, right.hash),
    leaves: [...left.leaves, ...right.leaves],
  };
}

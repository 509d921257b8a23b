/** Unlocks taproot outputs (Core's SignTaproot): by key where that can be, else by the script that costs least. */
import { compactSizeLength } from '#primitives';
import { Op, ScriptReader, taproot } from '#script';
import { toHex } from '#util';
import type { Signing } from './signature-creator.ts';
import type { LeafScript } from './signature-data.ts';

const EMPTY = new Uint8Array(0);
/** Of an x-only key, and thus the opcode that pushes one. */
const KEY_BYTES = 32;

/** The witness; undefined when neither key nor script has what it takes. */
export function signTaproot(signing: Signing, outputKey: Uint8Array): readonly Uint8Array[] | undefined {
  const { keys, data } = signing;
  const tree = keys.tree(outputKey);
  if (tree !== undefined) {
    data.tree = tree;
    data.internalKey ??= tree.internalKey;
    data.merkleRoot ??= tree.merkleRoot;
    for (const { script, leafVersion, controlBlock } of tree.leaves) {
      data.addLeafScript(script, leafVersion, controlBlock);
    }
  }
  const signature = keyPathSignature(signing, outputKey);
  return signature === undefined ? scriptPath(signing) : [signature];
}

function keyPathSignature({ keys, creator, data }: Signing, outputKey: Uint8Array): Uint8Array | undefined {
  const { internalKey, merkleRoot } = data;
  if (internalKey !== undefined) {
    const known = keys.byXOnly(internalKey, (hash) => keys.origin(hash));
    if (known !== undefined && !data.taprootOrigins.has(toHex(internalKey))) {
      data.addTaprootOrigin(internalKey, known.origin);
    }
    data.keyPathSignature ??= creator.schnorr(keys, internalKey, { kind: 'internal-key', merkleRoot });
  }
  data.keyPathSignature ??= creator.schnorr(keys, outputKey, { kind: 'output-key' });
  return data.keyPathSignature;
}

function scriptPath(signing: Signing): readonly Uint8Array[] | undefined {
  let best: readonly Uint8Array[] | undefined;
  for (const leaf of signing.data.leafScripts.values()) {
    const [controlBlock] = leaf.controlBlocks;
    const stack = signLeaf(signing, leaf);
    if (stack === undefined || controlBlock === undefined) continue;
    const witness = [...stack, leaf.script, controlBlock];
    if (best === undefined || stackSize(witness) < stackSize(best)) best = witness;
  }
  return best;
}

/** A leaf of one key, or of some of many; other scripts are not known how to satisfy. */
function signLeaf(signing: Signing, { script, leafVersion }: LeafScript): readonly Uint8Array[] | undefined {
  if (leafVersion !== taproot.TAPROOT_LEAF_TAPSCRIPT) return undefined;
  const found = matchKeys(script);
  if (found === undefined) return undefined;
  const leafHash = taproot.tapLeafHash(leafVersion, script);
  // The first key's signature lies on top. Of more signatures than needed the last ones are used, as by Core.
  let missing = found.required;
  const stack: Uint8Array[] = [];
  for (const key of found.keys.toReversed()) {
    const signature = signForLeaf(signing, key, leafHash);
    const isUsed = signature !== undefined && missing > 0;
    if (isUsed) missing--;
    stack.push(isUsed ? signature : EMPTY);
  }
  return missing === 0 ? stack : undefined;
}

function signForLeaf({ keys, creator, data }: Signing, key: Uint8Array, leafHash: Uint8Array): Uint8Array | undefined {
  const known = keys.byXOnly(key, (hash) => keys.origin(hash));
  if (known !== undefined) data.addTaprootOrigin(key, known.origin, leafHash);
  const earlier = data.scriptPathSignature(key, leafHash);
  if (earlier !== undefined) return earlier;
  const signature = creator.schnorr(keys, key, { kind: 'leaf', leafHash });
  if (signature !== undefined) data.addScriptPathSignature(key, leafHash, signature);
  return signature;
}

/** `<key> CHECKSIG`, or `<key> CHECKSIG <key> CHECKSIGADD … <required> NUMEQUAL`. */
function matchKeys(
  script: Uint8Array,
): { readonly keys: readonly Uint8Array[]; readonly required: number } | undefined {
  const keys: Uint8Array[] = [];
  const reader = new ScriptReader(script);
  while (nextOpcode(reader) === KEY_BYTES) {
    keys.push(reader.data);
    if (nextOpcode(reader) !== (keys.length === 1 ? Op.OP_CHECKSIG : Op.OP_CHECKSIGADD)) return undefined;
    if (reader.atEnd) return keys.length === 1 ? { keys, required: 1 } : undefined;
  }
  const { opcode, data } = reader;
  const [low = 0, high = 0] = data;
  const required = opcode >= Op.OP_1 && opcode <= Op.OP_16 ? opcode - Op.OP_1 + 1 : low + 256 * high;
  const isLast = nextOpcode(reader) === Op.OP_NUMEQUAL && reader.atEnd;
  return isLast && required >= 1 && required <= keys.length ? { keys, required } : undefined;
}

function nextOpcode(reader: ScriptReader): number | undefined {
  return reader.next() ? reader.opcode : undefined;
}

function stackSize(stack: readonly Uint8Array[]): number {
  return stack.reduce((sum, item) => sum + compactSizeLength(item.length) + item.length, 0);
}

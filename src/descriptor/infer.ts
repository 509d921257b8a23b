/**
 * The descriptor of a script, as far as it can be told (Core's InferDescriptor). Without knowledge of keys and scripts
 * an output that hides them is its address.
 */
import { hash160, isValidPublicKey, ripemd160 } from '#crypto';
import { encodeAddress, Op, ScriptReader, type SolvedScript, solver, taproot } from '#script';
import { byteAt, toHex } from '#util';
import type { Descriptor, TaprootDescriptor } from './descriptor.ts';
import type { KeyPrefixes } from './extended-key.ts';
import { type KeyExpression, keyWithOrigin, plainKey } from './key-expression.ts';
import { fullKeys, SigningProvider } from './signing-provider.ts';

/** Where a script stands: alone, or inside of `sh`, `wsh`, `tr`. */
type Place = 'top' | 'sh' | 'wsh' | 'tr';

const NOTHING_KNOWN = new SigningProvider();

/** Every script has one: `raw` at the last. */
export function inferDescriptor(script: Uint8Array, prefixes: KeyPrefixes, known = NOTHING_KNOWN): Descriptor {
  return inferScript(script, 'top', known) ?? inferOutput(script, prefixes);
}

function inferOutput(scriptPubKey: Uint8Array, prefixes: KeyPrefixes): Descriptor {
  const address = encodeAddress(scriptPubKey, prefixes);
  return address === undefined
    ? { kind: 'raw', hex: toHex(scriptPubKey), scriptPubKey }
    : { kind: 'addr', address, scriptPubKey };
}

function inferScript(script: Uint8Array, place: Place, known: SigningProvider): Descriptor | undefined {
  if (place === 'tr') return inferTapscript(script, known);
  const solved = solver(script);
  switch (solved.kind) {
    case 'pubkey': {
      const key = inferKey(script.subarray(1, -1), place, known);
      return key && { kind: 'pk', key };
    }
    case 'pubkeyhash':
      return inferKeyHash(script.subarray(3, 23), 'pkh', place, known);
    case 'witness_v0_keyhash':
      return place === 'wsh' ? undefined : inferKeyHash(script.subarray(2), 'wpkh', 'wsh', known);
    case 'multisig':
      return inferMultisig(solved, place, known);
    case 'scripthash':
      return place === 'top' ? inferWrapped(script.subarray(2, 22), 'sh', known) : undefined;
    case 'witness_v0_scripthash':
      return place === 'wsh' ? undefined : inferWrapped(ripemd160(script.subarray(2)), 'wsh', known);
    case 'witness_v1_taproot':
      return place === 'top' ? inferTaproot(script.subarray(2), known) : undefined;
    default:
      return undefined;
  }
}

function inferWrapped(scriptHash: Uint8Array, kind: 'sh' | 'wsh', known: SigningProvider): Descriptor | undefined {
  const script = known.script(scriptHash);
  const inner = script && inferScript(script, kind, known);
  return inner && { kind, inner };
}

function inferKeyHash(
  keyHash: Uint8Array,
  kind: 'pkh' | 'wpkh',
  place: Place,
  known: SigningProvider,
): Descriptor | undefined {
  const publicKey = known.publicKey(keyHash);
  const key = publicKey && inferKey(publicKey, place, known);
  return key && { kind, key };
}

function inferMultisig(
  { required, keys }: Extract<SolvedScript, { kind: 'multisig' }>,
  place: Place,
  known: SigningProvider,
): Descriptor | undefined {
  const inferred = keys.map((key) => inferKey(key, place, known)).filter((key) => key !== undefined);
  return inferred.length === keys.length ? { kind: 'multi', required, keys: inferred } : undefined;
}

/** Core's InferPubkey: hybrid keys never, uncompressed ones only before segwit. Whether it is a point is not asked. */
function inferKey(publicKey: Uint8Array, place: Place, known: SigningProvider): KeyExpression | undefined {
  const isCompressed = publicKey.length === 33;
  if (!isCompressed && (publicKey[0] !== 4 || place === 'wsh')) return undefined;
  const found = known.origin(hash160(publicKey));
  const key = plainKey(publicKey);
  return found === undefined ? key : keyWithOrigin(key, found.origin, false);
}

function inferXOnlyKey(xOnlyKey: Uint8Array, known: SigningProvider): KeyExpression {
  const key = plainKey(fullKeys(xOnlyKey)[0], true);
  const found = known.byXOnly(xOnlyKey, (hash) => known.origin(hash));
  return found === undefined ? key : keyWithOrigin(key, found.origin, false);
}

function inferTaproot(outputKey: Uint8Array, known: SigningProvider): Descriptor | undefined {
  const tree = known.tree(outputKey);
  const leaves: TaprootDescriptor['leaves'][number][] = [];
  for (const { depth, leafVersion, script } of tree?.leaves ?? []) {
    const inner = leafVersion === taproot.TAPROOT_LEAF_TAPSCRIPT ? inferTapscript(script, known) : undefined;
    if (inner !== undefined) leaves.push({ depth, inner });
  }
  if (tree !== undefined && leaves.length === tree.leaves.length) {
    return { kind: 'tr', key: inferXOnlyKey(tree.internalKey, known), leaves };
  }
  return isValidPublicKey(fullKeys(outputKey)[0]) ? { kind: 'rawtr', key: inferXOnlyKey(outputKey, known) } : undefined;
}

function inferTapscript(script: Uint8Array, known: SigningProvider): Descriptor | undefined {
  if (script.length === 34 && script[0] === 32 && script[33] === Op.OP_CHECKSIG) {
    return { kind: 'pk', key: inferXOnlyKey(script.subarray(1, 33), known) };
  }
  return inferMultiA(script, known);
}

/** Core's MatchMultiA: key CHECKSIG, key CHECKSIGADD …, threshold NUMEQUAL. */
function inferMultiA(script: Uint8Array, known: SigningProvider): Descriptor | undefined {
  if (script[0] !== 32 || script.at(-1) !== Op.OP_NUMEQUAL) return undefined;
  const keys: KeyExpression[] = [];
  let at = 0;
  while (script[at] === 32 && at + 33 < script.length) {
    if (byteAt(script, at + 33) !== (at === 0 ? Op.OP_CHECKSIG : Op.OP_CHECKSIGADD)) return undefined;
    keys.push(inferXOnlyKey(script.subarray(at + 1, at + 33), known));
    at += 34;
  }
  const required = thresholdAt(script, at);
  if (required === undefined || required < 1 || required > keys.length) return undefined;
  return { kind: 'multi_a', required, keys };
}

/** The number that is pushed from `at` to the script's last opcode, written as short as it can be. */
function thresholdAt(script: Uint8Array, at: number): number | undefined {
  const reader = new ScriptReader(script, at);
  if (!reader.next() || reader.position !== script.length - 1) return undefined;
  if (reader.opcode >= Op.OP_1 && reader.opcode <= Op.OP_16) return reader.opcode - Op.OP_1 + 1;
  const [low = 0, high = 0] = reader.data;
  const value = low + 256 * high;
  // Above 127 a second byte keeps the sign away; up to 16 there is an opcode.
  const bytes = value > 0x7f ? 2 : 1;
  return value > 16 && value < 0x8000 && reader.opcode === bytes ? value : undefined;
}

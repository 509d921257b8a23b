/**
 * Which of the known kinds of output a script makes: Core's Solver (script/solver.cpp), its kinds in the words of
 * GetTxnOutputType. A kind says nothing about whether the output can be spent.
 */
import { hasKeyShape } from './encoding-checks.ts';
import { MAX_PUBKEYS_PER_MULTISIG } from './limits.ts';
import { Op } from './opcodes.ts';
import { ScriptReader } from './parse.ts';
import {
  decodeSmallNumber,
  isPayToAnchor,
  isPayToPubKeyHash,
  isPayToScriptHash,
  isPushOnly,
  type WitnessProgram,
  witnessProgram,
} from './patterns.ts';

const KEY_HASH_BYTES = 20;
const SCRIPT_HASH_BYTES = 32;
const TAPROOT_BYTES = 32;

type WitnessKind = 'witness_v0_keyhash' | 'witness_v0_scripthash' | 'witness_v1_taproot' | 'anchor' | 'witness_unknown';

export type SolvedScript =
  | { readonly kind: 'multisig'; readonly required: number /** Views. */; readonly keys: readonly Uint8Array[] }
  | { readonly kind: WitnessKind | 'nonstandard' | 'pubkey' | 'pubkeyhash' | 'scripthash' | 'nulldata' };

export function solver(scriptPubKey: Uint8Array): SolvedScript {
  if (isPayToScriptHash(scriptPubKey)) return { kind: 'scripthash' };
  const program = witnessProgram(scriptPubKey);
  if (program !== undefined) return { kind: witnessKind(program) };
  if (scriptPubKey[0] === Op.OP_RETURN && isPushOnly(scriptPubKey.subarray(1))) return { kind: 'nulldata' };
  if (isPayToPubKey(scriptPubKey)) return { kind: 'pubkey' };
  if (isPayToPubKeyHash(scriptPubKey)) return { kind: 'pubkeyhash' };
  return matchMultisig(scriptPubKey) ?? { kind: 'nonstandard' };
}

function witnessKind(found: WitnessProgram): WitnessKind | 'nonstandard' {
  const { version } = found;
  const { length } = found.program;
  if (version === 0 && length === KEY_HASH_BYTES) return 'witness_v0_keyhash';
  if (version === 0 && length === SCRIPT_HASH_BYTES) return 'witness_v0_scripthash';
  if (version === 1 && length === TAPROOT_BYTES) return 'witness_v1_taproot';
  if (isPayToAnchor(found)) return 'anchor';
  // A program of version 0 with another length can never be spent (BIP141).
  return version === 0 ? 'nonstandard' : 'witness_unknown';
}

function isPayToPubKey(script: Uint8Array): boolean {
  return script[0] === script.length - 2 && script.at(-1) === Op.OP_CHECKSIG && hasKeyShape(script.subarray(1, -1));
}

/** Core's MatchMultisig: `required`, keys by any kind of push, their number, OP_CHECKMULTISIG, nothing else. */
function matchMultisig(script: Uint8Array): SolvedScript | undefined {
  if (script.at(-1) !== Op.OP_CHECKMULTISIG) return undefined;
  const reader = new ScriptReader(script);
  reader.next();
  const required = multisigNumber(reader);
  if (required === undefined) return undefined;
  const keys: Uint8Array[] = [];
  while (reader.next() && hasKeyShape(reader.data)) keys.push(reader.data);
  // Behind a push that is cut short the reader still shows the last key's opcode, which is no number.
  if (multisigNumber(reader) !== keys.length || required > keys.length) return undefined;
  return reader.position === script.length - 1 ? { kind: 'multisig', required, keys } : undefined;
}

/** 1 .. 20 as it is written shortest: OP_1 .. OP_16, above that a push of one byte. */
function multisigNumber({ opcode, data }: ScriptReader): number | undefined {
  if (opcode >= Op.OP_1 && opcode <= Op.OP_16) return decodeSmallNumber(opcode);
  const [value = 0] = data;
  return opcode === 1 && value > 16 && value <= MAX_PUBKEYS_PER_MULTISIG ? value : undefined;
}

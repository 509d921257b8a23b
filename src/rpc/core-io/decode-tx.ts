/** Transactions from hex (Core's DecodeHexTx): with or without inputs the same bytes may mean two things. */
import { DecodeError, Transaction } from '#primitives';
import { limits, Op, ScriptReader } from '#script';
import { isHex } from '../json/hex.ts';

export type DecodeTxOptions = {
  /** Whether the form with witness is tried (BIP144), and the one before it. */
  readonly witness?: boolean;
  readonly withoutWitness?: boolean;
};

/** The form whose scripts make sense; undefined when neither decodes. */
export function decodeHexTx(
  hex: string,
  { witness = true, withoutWitness = false }: DecodeTxOptions = {},
): Transaction | undefined {
  if (!isHex(hex)) return undefined;
  const raw = new Uint8Array(Buffer.from(hex, 'hex'));
  const extended = witness ? tryDecode(() => Transaction.fromBytes(raw)) : undefined;
  if (extended !== undefined && hasSaneScripts(extended)) return extended;
  const legacy = withoutWitness ? tryDecode(() => Transaction.fromBytesWithoutWitness(raw)) : undefined;
  if (legacy !== undefined && hasSaneScripts(legacy)) return legacy;
  return extended ?? legacy;
}

function tryDecode(decode: () => Transaction): Transaction | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Core's CheckTxScriptsSanity. */
function hasSaneScripts(tx: Transaction): boolean {
  const isSane = (script: Uint8Array): boolean => script.length <= limits.MAX_SCRIPT_SIZE && hasValidOps(script);
  const inputs = tx.isCoinbase || tx.inputs.every(({ scriptSig }) => isSane(scriptSig));
  return inputs && tx.outputs.every(({ scriptPubKey }) => isSane(scriptPubKey));
}

/** Core's CScript::HasValidOps: only opcodes that had a meaning before tapscript, and no push that is too large. */
export function hasValidOps(script: Uint8Array): boolean {
  const reader = new ScriptReader(script);
  while (!reader.atEnd) {
    if (!reader.next() || reader.opcode > Op.OP_NOP10 || reader.dataLength > limits.MAX_SCRIPT_ELEMENT_SIZE) {
      return false;
    }
  }
  return true;
}

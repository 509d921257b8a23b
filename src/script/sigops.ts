/** Counting signature operations, as the block limit counts them (Core's GetSigOpCount and CountWitnessSigOps). */
import type { TxInput } from '#primitives';
import { assert } from '#util';
import { ScriptFlag } from './flags.ts';
import { MAX_PUBKEYS_PER_MULTISIG } from './limits.ts';
import { Op } from './opcodes.ts';
import { ScriptReader } from './parse.ts';
import { decodeSmallNumber, isPayToScriptHash, isPushOnly, type WitnessProgram, witnessProgram } from './patterns.ts';

/**
 * Signature operations in one script. `accurate` counts a CHECKMULTISIG behind OP_1 .. OP_16 by that number instead
 * of 20. Counting stops at the first push that is cut short.
 */
export function countSigOps(script: Uint8Array, accurate: boolean): number {
  const reader = new ScriptReader(script);
  let count = 0;
  let previous: number = Op.OP_INVALIDOPCODE;
  while (reader.next()) {
    const { opcode } = reader;
    if (opcode === Op.OP_CHECKSIG || opcode === Op.OP_CHECKSIGVERIFY) count++;
    else if (opcode === Op.OP_CHECKMULTISIG || opcode === Op.OP_CHECKMULTISIGVERIFY) {
      const known = accurate && previous >= Op.OP_1 && previous <= Op.OP_16;
      count += known ? decodeSmallNumber(previous) : MAX_PUBKEYS_PER_MULTISIG;
    }
    previous = opcode;
  }
  return count;
}

/** Operations in the redeem script that `scriptSig` gives to a pay-to-script-hash output; 0 for other outputs. */
export function countP2shSigOps(scriptSig: Uint8Array, scriptPubKey: Uint8Array): number {
  // Without pushes only, the spend fails anyway; Core counts nothing then.
  if (!isPayToScriptHash(scriptPubKey) || !isPushOnly(scriptSig)) return 0;
  return countSigOps(lastPush(scriptSig), true);
}

/** Operations behind a witness program, bare or nested in P2SH; 0 without the WITNESS flag. */
export function countWitnessSigOps(
  input: Pick<TxInput, 'scriptSig' | 'witness'>,
  scriptPubKey: Uint8Array,
  flags: number,
): number {
  if ((flags & ScriptFlag.WITNESS) === 0) return 0;
  assert((flags & ScriptFlag.P2SH) !== 0, 'the WITNESS flag needs P2SH');
  const bare = witnessProgram(scriptPubKey);
  if (bare !== undefined) return programSigOps(bare, input);
  if (!isPayToScriptHash(scriptPubKey) || !isPushOnly(input.scriptSig)) return 0;
  const nested = witnessProgram(lastPush(input.scriptSig));
  return nested === undefined ? 0 : programSigOps(nested, input);
}

/** Core's WitnessSigOps: later versions count nothing, tapscript has its own budget (BIP342). */
function programSigOps({ version, program }: WitnessProgram, input: Pick<TxInput, 'witness'>): number {
  if (version !== 0) return 0;
  if (program.length === 20) return 1;
  // Looked at only here: most witnesses need not be decoded for it.
  const script = program.length === 32 ? input.witness.at(-1) : undefined;
  return script === undefined ? 0 : countSigOps(script, true);
}

/** The bytes of a push-only script's last push; empty for OP_1 .. OP_16, as in Core. */
function lastPush(script: Uint8Array): Uint8Array {
  const reader = new ScriptReader(script);
  while (!reader.atEnd && reader.next());
  return reader.data;
}

/** Spending a witness program: versions 0 (BIP141) and 1 (BIP341, BIP342). Core's VerifyWitnessProgram. */
import { sha256 } from '#crypto';
import { compactSizeLength } from '#primitives';
import { concatBytes, equalBytes } from '#util';
import { ScriptFlag } from './flags.ts';
import { evalScript } from './interpreter.ts';
import { MAX_SCRIPT_ELEMENT_SIZE, MAX_STACK_SIZE } from './limits.ts';
import { Op } from './opcodes.ts';
import { ScriptReader } from './parse.ts';
import { isPayToAnchor, type WitnessProgram } from './patterns.ts';
import { preimage } from './preimage.ts';
import type { ScriptErrorCode } from './script-error.ts';
import { castToBool } from './script-num.ts';
import { NO_CODE_SEPARATOR, type ScriptSigVersion, SigVersion, type TaprootContext } from './sig-version.ts';
import type { SignatureChecker } from './signature-checker.ts';
import {
  annexOf,
  isControlBlockSize,
  isOpSuccess,
  TAPROOT_LEAF_MASK,
  TAPROOT_LEAF_TAPSCRIPT,
  tapLeafHash,
  taprootMerkleRoot,
  tapTweakHash,
} from './taproot.ts';

const KEY_HASH_BYTES = 20;
const SCRIPT_HASH_BYTES = 32;
const TAPROOT_BYTES = 32;
/** BIP342: what a spend may check beyond what its witness pays for. */
const WEIGHT_OFFSET = 50;

const P2PKH_HEAD = Uint8Array.of(Op.OP_DUP, Op.OP_HASH160, KEY_HASH_BYTES);
const P2PKH_TAIL = Uint8Array.of(Op.OP_EQUALVERIFY, Op.OP_CHECKSIG);

export function verifyWitnessProgram(
  witness: readonly Uint8Array[],
  found: WitnessProgram,
  flags: number,
  checker: SignatureChecker,
  isP2sh: boolean,
): ScriptErrorCode | undefined {
  const { version, program } = found;
  if (version === 0) return verifyVersion0(witness, program, flags, checker);
  if (version === 1 && program.length === TAPROOT_BYTES && !isP2sh) {
    if ((flags & ScriptFlag.TAPROOT) === 0) return undefined;
    return verifyTaproot(witness, program, flags, checker);
  }
  // No upgrade is to give it a meaning: nobody is discouraged.
  if (isPayToAnchor(found) && !isP2sh) return undefined;
  // Unknown programs are free to spend until a soft fork gives them a meaning.
  const discouraged = (flags & ScriptFlag.DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM) !== 0;
  return discouraged ? 'DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM' : undefined;
}

function verifyVersion0(
  witness: readonly Uint8Array[],
  program: Uint8Array,
  flags: number,
  checker: SignatureChecker,
): ScriptErrorCode | undefined {
  if (program.length === SCRIPT_HASH_BYTES) {
    const script = witness.at(-1);
    if (script === undefined) return 'WITNESS_PROGRAM_WITNESS_EMPTY';
    if (!equalBytes(sha256(script), program)) return 'WITNESS_PROGRAM_MISMATCH';
    return runWitnessScript(witness.slice(0, -1), script, flags, checker, SigVersion.WITNESS_V0);
  }
  if (program.length !== KEY_HASH_BYTES) return 'WITNESS_PROGRAM_WRONG_LENGTH';
  if (witness.length !== 2) return 'WITNESS_PROGRAM_MISMATCH';
  const script = concatBytes(P2PKH_HEAD, program, P2PKH_TAIL);
  return runWitnessScript([...witness], script, flags, checker, SigVersion.WITNESS_V0);
}

function verifyTaproot(
  witness: readonly Uint8Array[],
  program: Uint8Array,
  flags: number,
  checker: SignatureChecker,
): ScriptErrorCode | undefined {
  if (witness.length === 0) return 'WITNESS_PROGRAM_WITNESS_EMPTY';
  const annex = annexOf(witness);
  const annexHash = annex && sha256(preimage().varBytes(annex).view());
  const stack = annex === undefined ? [...witness] : witness.slice(0, -1);
  const control = stack.pop();
  const script = stack.pop();
  if (control === undefined || script === undefined) {
    // Key path: one element, the signature, is left.
    const context = { annexHash, leafHash: undefined, codeSeparatorPosition: NO_CODE_SEPARATOR, weightLeft: 0 };
    return checker.checkSchnorr(control ?? new Uint8Array(0), program, SigVersion.TAPROOT, context);
  }
  if (!isControlBlockSize(control.length)) return 'TAPROOT_WRONG_CONTROL_SIZE';
  const [firstByte = 0] = control;
  const leafVersion = firstByte & TAPROOT_LEAF_MASK;
  const leafHash = tapLeafHash(leafVersion, script);
  if (!commitsTo(control, leafHash, program, checker)) return 'WITNESS_PROGRAM_MISMATCH';
  if (leafVersion === TAPROOT_LEAF_TAPSCRIPT) {
    const weightLeft = witnessSize(witness) + WEIGHT_OFFSET;
    const context = { annexHash, leafHash, codeSeparatorPosition: NO_CODE_SEPARATOR, weightLeft };
    return runTapscript(stack, script, flags, checker, context);
  }
  const discouraged = (flags & ScriptFlag.DISCOURAGE_UPGRADABLE_TAPROOT_VERSION) !== 0;
  return discouraged ? 'DISCOURAGE_UPGRADABLE_TAPROOT_VERSION' : undefined;
}

/** Core's VerifyTaprootCommitment. */
function commitsTo(control: Uint8Array, leafHash: Uint8Array, program: Uint8Array, checker: SignatureChecker): boolean {
  const internalKey = control.subarray(1, 33);
  const tweak = tapTweakHash(internalKey, taprootMerkleRoot(control, leafHash));
  return checker.checkTapTweak(internalKey, tweak, program, ((control[0] ?? 0) & 1) === 1 ? 1 : 0);
}

function runTapscript(
  stack: Uint8Array[],
  script: Uint8Array,
  flags: number,
  checker: SignatureChecker,
  context: TaprootContext,
): ScriptErrorCode | undefined {
  // An OP_SUCCESSx overrides everything, even what follows it and the limits on stack elements.
  const reader = new ScriptReader(script);
  while (!reader.atEnd) {
    if (!reader.next()) return 'BAD_OPCODE';
    if (isOpSuccess(reader.opcode)) {
      return (flags & ScriptFlag.DISCOURAGE_OP_SUCCESS) !== 0 ? 'DISCOURAGE_OP_SUCCESS' : undefined;
    }
  }
  if (stack.length > MAX_STACK_SIZE) return 'STACK_SIZE';
  return runWitnessScript(stack, script, flags, checker, SigVersion.TAPSCRIPT, context);
}

/** Runs on `stack`, which it changes. A witness script must leave exactly one element, a true one. */
function runWitnessScript(
  stack: Uint8Array[],
  script: Uint8Array,
  flags: number,
  checker: SignatureChecker,
  version: ScriptSigVersion,
  context?: TaprootContext,
): ScriptErrorCode | undefined {
  if (stack.some((element) => element.length > MAX_SCRIPT_ELEMENT_SIZE)) return 'PUSH_SIZE';
  const error = evalScript(stack, script, flags, checker, version, context);
  if (error !== undefined) return error;
  const [only] = stack;
  if (only === undefined || stack.length !== 1) return 'CLEANSTACK';
  return castToBool(only) ? undefined : 'EVAL_FALSE';
}

/** Serialised bytes of the whole witness stack, annex included. */
function witnessSize(witness: readonly Uint8Array[]): number {
  let size = compactSizeLength(witness.length);
  for (const element of witness) size += compactSizeLength(element.length) + element.length;
  return size;
}

/** Opcodes that check signatures (Core's EvalChecksig and OP_CHECKMULTISIG). */
import { assert } from '#util';
import { pushData } from './build.ts';
import { checkPublicKeyEncoding, checkSignatureEncoding } from './encoding-checks.ts';
import {
  bool,
  drop,
  type Execution,
  type Handler,
  type HandlerTable,
  peek,
  peekNumber,
  verifyTop,
} from './execution.ts';
import { findAndDelete } from './find-and-delete.ts';
import { ScriptFlag } from './flags.ts';
import { MAX_OPS_PER_SCRIPT, MAX_PUBKEYS_PER_MULTISIG } from './limits.ts';
import { Op } from './opcodes.ts';
import type { ScriptErrorCode } from './script-error.ts';
import { encodeScriptNum } from './script-num.ts';
import { SigVersion } from './sig-version.ts';

/** BIP342: what each signature check with a signature takes from the budget. */
const WEIGHT_PER_SIGOP_PASSED = 50;

type Checked = { readonly success: boolean } | { readonly error: ScriptErrorCode };

const SUCCESS: Checked = { success: true };
const FAILURE: Checked = { success: false };

const codeSeparator: Handler = (x) => {
  x.codeStart = x.reader.position;
  x.scriptCode = undefined;
  if (x.taproot !== undefined) x.taproot.codeSeparatorPosition = x.instruction;
  return undefined;
};

/** The script from the last OP_CODESEPARATOR on; the same array each time, which lets the checker reuse its hash. */
function scriptCodeOf(x: Execution): Uint8Array {
  x.scriptCode ??= x.codeStart === 0 ? x.script : x.script.subarray(x.codeStart);
  return x.scriptCode;
}

/** Before segwit a signature could not cover itself, so its push is taken out of what it signs. */
function withoutSignature(x: Execution, scriptCode: Uint8Array, signature: Uint8Array): Uint8Array | ScriptErrorCode {
  // The push is longer than the signature: a script that is not longer cannot hold it.
  if (x.version !== SigVersion.BASE || scriptCode.length <= signature.length) return scriptCode;
  const rest = findAndDelete(scriptCode, pushData(signature));
  const found = rest !== scriptCode;
  return found && (x.flags & ScriptFlag.CONST_SCRIPTCODE) !== 0 ? 'SIG_FINDANDDELETE' : rest;
}

function checkSig(x: Execution, signature: Uint8Array, key: Uint8Array): Checked {
  if (x.version === SigVersion.TAPSCRIPT) return checkSigTapscript(x, signature, key);
  const scriptCode = withoutSignature(x, scriptCodeOf(x), signature);
  if (typeof scriptCode === 'string') return { error: scriptCode };
  const shape = checkSignatureEncoding(signature, x.flags) ?? checkPublicKeyEncoding(key, x.flags, x.version);
  if (shape !== undefined) return { error: shape };
  if (x.checker.checkEcdsa(signature, key, scriptCode, x.version)) return SUCCESS;
  const mustBeEmpty = (x.flags & ScriptFlag.NULLFAIL) !== 0 && signature.length > 0;
  return mustBeEmpty ? { error: 'NULLFAIL' } : FAILURE;
}

/** BIP342. The order is consensus: budget, then the key's type, then the signature; an invalid one ends the script. */
function checkSigTapscript(x: Execution, signature: Uint8Array, key: Uint8Array): Checked {
  assert(x.taproot !== undefined, 'a tapscript has its context');
  const given = signature.length > 0;
  if (given) {
    x.taproot.weightLeft -= WEIGHT_PER_SIGOP_PASSED;
    if (x.taproot.weightLeft < 0) return { error: 'TAPSCRIPT_VALIDATION_WEIGHT' };
  }
  if (key.length === 0) return { error: 'PUBKEYTYPE' };
  if (key.length !== 32) {
    // Unknown key types succeed for now, so that a soft fork can give them a meaning.
    const discouraged = (x.flags & ScriptFlag.DISCOURAGE_UPGRADABLE_PUBKEYTYPE) !== 0;
    return discouraged ? { error: 'DISCOURAGE_UPGRADABLE_PUBKEYTYPE' } : given ? SUCCESS : FAILURE;
  }
  if (!given) return FAILURE;
  const error = x.checker.checkSchnorr(signature, key, SigVersion.TAPSCRIPT, x.taproot);
  return error === undefined ? SUCCESS : { error };
}

/** (signature key -- bool). */
const checkSigOp: Handler = (x) => {
  const { stack } = x;
  if (stack.length < 2) return 'INVALID_STACK_OPERATION';
  const checked = checkSig(x, peek(stack, 2), peek(stack, 1));
  if ('error' in checked) return checked.error;
  drop(stack, 2);
  stack.push(bool(checked.success));
  return undefined;
};

/** (signature number key -- number + success), tapscript only. */
const checkSigAdd: Handler = (x) => {
  const { stack } = x;
  if (x.version !== SigVersion.TAPSCRIPT) return 'BAD_OPCODE';
  if (stack.length < 3) return 'INVALID_STACK_OPERATION';
  const number = peekNumber(x, 2);
  if (number === undefined) return 'UNKNOWN_ERROR';
  const checked = checkSig(x, peek(stack, 3), peek(stack, 1));
  if ('error' in checked) return checked.error;
  drop(stack, 3);
  stack.push(encodeScriptNum(number + (checked.success ? 1 : 0)));
  return undefined;
};

/** (dummy [signature ...] signatures [key ...] keys -- bool). Depths are counted from the top of the stack, from 1. */
const checkMultiSig: Handler = (x) => {
  const { stack } = x;
  if (x.version === SigVersion.TAPSCRIPT) return 'TAPSCRIPT_CHECKMULTISIG';
  if (stack.length < 1) return 'INVALID_STACK_OPERATION';
  const keyCount = peekNumber(x, 1);
  if (keyCount === undefined) return 'UNKNOWN_ERROR';
  if (keyCount < 0 || keyCount > MAX_PUBKEYS_PER_MULTISIG) return 'PUBKEY_COUNT';
  x.opCount += keyCount;
  if (x.opCount > MAX_OPS_PER_SCRIPT) return 'OP_COUNT';
  if (stack.length < keyCount + 2) return 'INVALID_STACK_OPERATION';
  const signatureCount = peekNumber(x, keyCount + 2);
  if (signatureCount === undefined) return 'UNKNOWN_ERROR';
  if (signatureCount < 0 || signatureCount > keyCount) return 'SIG_COUNT';
  // With the dummy below the signatures: a bug that became consensus takes one element more than was meant.
  const taken = keyCount + signatureCount + 3;
  if (stack.length < taken) return 'INVALID_STACK_OPERATION';

  const checked = matchSignatures(x, keyCount, signatureCount);
  if ('error' in checked) return checked.error;
  if (!checked.success && (x.flags & ScriptFlag.NULLFAIL) !== 0) {
    for (let i = 0; i < signatureCount; i++) if (peek(stack, keyCount + 3 + i).length > 0) return 'NULLFAIL';
  }
  if ((x.flags & ScriptFlag.NULLDUMMY) !== 0 && peek(stack, taken).length > 0) return 'SIG_NULLDUMMY';
  drop(stack, taken);
  stack.push(bool(checked.success));
  return undefined;
};

/** Signatures must match keys in order. Keys are tried from the top of the stack down; encodings fail as met. */
function matchSignatures(x: Execution, keyCount: number, signatureCount: number): Checked {
  const { stack } = x;
  const firstKey = 2;
  const firstSignature = keyCount + 3;
  let scriptCode = scriptCodeOf(x);
  for (let i = 0; i < signatureCount; i++) {
    const rest = withoutSignature(x, scriptCode, peek(stack, firstSignature + i));
    if (typeof rest === 'string') return { error: rest };
    scriptCode = rest;
  }
  let signaturesDone = 0;
  let keysDone = 0;
  while (signaturesDone < signatureCount) {
    if (signatureCount - signaturesDone > keyCount - keysDone) return FAILURE;
    const signature = peek(stack, firstSignature + signaturesDone);
    const key = peek(stack, firstKey + keysDone);
    const shape = checkSignatureEncoding(signature, x.flags) ?? checkPublicKeyEncoding(key, x.flags, x.version);
    if (shape !== undefined) return { error: shape };
    assert(x.version !== SigVersion.TAPSCRIPT, 'tapscript has no multisig');
    if (x.checker.checkEcdsa(signature, key, scriptCode, x.version)) signaturesDone++;
    keysDone++;
  }
  return SUCCESS;
}

export const SIGNATURE_OPS: HandlerTable = {
  [Op.OP_CODESEPARATOR]: codeSeparator,
  [Op.OP_CHECKSIG]: checkSigOp,
  [Op.OP_CHECKSIGVERIFY]: (x, opcode) => checkSigOp(x, opcode) ?? verifyTop(x, 'CHECKSIGVERIFY'),
  [Op.OP_CHECKSIGADD]: checkSigAdd,
  [Op.OP_CHECKMULTISIG]: checkMultiSig,
  [Op.OP_CHECKMULTISIGVERIFY]: (x, opcode) => checkMultiSig(x, opcode) ?? verifyTop(x, 'CHECKMULTISIGVERIFY'),
};

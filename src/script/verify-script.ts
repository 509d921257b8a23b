/** Whether an input may spend an output: Core's VerifyScript (script/interpreter.cpp). */
import { assert, equalBytes } from '#util';
import { pushData } from './build.ts';
import { ScriptFlag } from './flags.ts';
import { evalScript } from './interpreter.ts';
import { isPayToScriptHash, isPushOnly, witnessProgram } from './patterns.ts';
import type { ScriptErrorCode } from './script-error.ts';
import { castToBool } from './script-num.ts';
import { SigVersion } from './sig-version.ts';
import type { SignatureChecker } from './signature-checker.ts';
import { verifyWitnessProgram } from './witness-program.ts';

/** What is left to check behind the scripts: the size of the stack, and whether the witness was used. */
type Outcome = { readonly stackSize: number; readonly usedWitness: boolean };

/**
 * Undefined when the spend is valid under `flags` (bits of ScriptFlag), else Core's reason. Pure apart from the
 * checker. CLEANSTACK needs WITNESS, WITNESS needs P2SH: other combinations are bugs of the caller.
 */
export function verifyScript(
  scriptSig: Uint8Array,
  scriptPubKey: Uint8Array,
  witness: readonly Uint8Array[],
  flags: number,
  checker: SignatureChecker,
): ScriptErrorCode | undefined {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  assert(!has(ScriptFlag.CLEANSTACK) || has(ScriptFlag.WITNESS), 'CLEANSTACK needs WITNESS');
  assert(!has(ScriptFlag.WITNESS) || has(ScriptFlag.P2SH), 'WITNESS needs P2SH');
  if (has(ScriptFlag.SIGPUSHONLY) && !isPushOnly(scriptSig)) return 'SIG_PUSHONLY';

  const outcome = runScripts(scriptSig, scriptPubKey, witness, flags, checker);
  if (typeof outcome === 'string') return outcome;
  if (has(ScriptFlag.CLEANSTACK) && outcome.stackSize !== 1) return 'CLEANSTACK';
  if (has(ScriptFlag.WITNESS) && !outcome.usedWitness && witness.length > 0) return 'WITNESS_UNEXPECTED';
  return undefined;
}

function runScripts(
  scriptSig: Uint8Array,
  scriptPubKey: Uint8Array,
  witness: readonly Uint8Array[],
  flags: number,
  checker: SignatureChecker,
): Outcome | ScriptErrorCode {
  // One after the other on the same stack, never joined to one script (CVE-2010-5141).
  const stack: Uint8Array[] = [];
  const unlocked = evalScript(stack, scriptSig, flags, checker, SigVersion.BASE);
  if (unlocked !== undefined) return unlocked;
  const isP2sh = (flags & ScriptFlag.P2SH) !== 0 && isPayToScriptHash(scriptPubKey);
  const pushed = isP2sh ? [...stack] : [];
  const failed = evalScript(stack, scriptPubKey, flags, checker, SigVersion.BASE) ?? checkTop(stack);
  if (failed !== undefined) return failed;

  const program = (flags & ScriptFlag.WITNESS) === 0 ? undefined : witnessProgram(scriptPubKey);
  if (program !== undefined) {
    // Anything in the scriptSig could be changed by others without changing the wtxid's meaning.
    if (scriptSig.length !== 0) return 'WITNESS_MALLEATED';
    return verifyWitnessProgram(witness, program, flags, checker, false) ?? { stackSize: 1, usedWitness: true };
  }
  if (isP2sh) return runRedeemScript(pushed, scriptSig, witness, flags, checker);
  return { stackSize: stack.length, usedWitness: false };
}

/** BIP16. `stack` is what the scriptSig left; its top is the redeem script. */
function runRedeemScript(
  stack: Uint8Array[],
  scriptSig: Uint8Array,
  witness: readonly Uint8Array[],
  flags: number,
  checker: SignatureChecker,
): Outcome | ScriptErrorCode {
  if (!isPushOnly(scriptSig)) return 'SIG_PUSHONLY';
  const redeemScript = stack.pop();
  assert(redeemScript !== undefined, 'an empty stack cannot match the script hash');
  const failed = evalScript(stack, redeemScript, flags, checker, SigVersion.BASE) ?? checkTop(stack);
  if (failed !== undefined) return failed;

  const program = (flags & ScriptFlag.WITNESS) === 0 ? undefined : witnessProgram(redeemScript);
  if (program === undefined) return { stackSize: stack.length, usedWitness: false };
  // Exactly one push of the program, or others could change the scriptSig.
  if (!equalBytes(scriptSig, pushData(redeemScript))) return 'WITNESS_MALLEATED_P2SH';
  return verifyWitnessProgram(witness, program, flags, checker, true) ?? { stackSize: 1, usedWitness: true };
}

function checkTop(stack: readonly Uint8Array[]): ScriptErrorCode | undefined {
  const top = stack.at(-1);
  return top !== undefined && castToBool(top) ? undefined : 'EVAL_FALSE';
}

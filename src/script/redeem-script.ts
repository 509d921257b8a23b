/** The redeem script of a pay-to-script-hash spend, taken from the scriptSig without checking the hash. */
import { ScriptFlag } from './flags.ts';
import { evalScript } from './interpreter.ts';
import { SigVersion } from './sig-version.ts';
import type { SignatureChecker } from './signature-checker.ts';

/** Core's BaseSignatureChecker: there is no transaction, so nothing passes. */
const NO_CHECKS: SignatureChecker = {
  checkEcdsa: () => false,
  checkSchnorr: () => 'SCHNORR_SIG',
  checkTapTweak: () => false,
  checkLockTime: () => false,
  checkSequence: () => false,
};

/**
 * What the scriptSig leaves on top of the stack when it runs without flags, as Core's policy looks for it
 * (AreInputsStandard); undefined when it fails or leaves nothing, and so cannot spend such an output.
 */
export function redeemScriptOf(scriptSig: Uint8Array): Uint8Array | undefined {
  const stack: Uint8Array[] = [];
  return evalScript(stack, scriptSig, ScriptFlag.NONE, NO_CHECKS, SigVersion.BASE) === undefined
    ? stack.at(-1)
    : undefined;
}

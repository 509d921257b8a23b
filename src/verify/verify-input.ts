/** Checks one input of a transaction: what every version of the verifier does for each input. */
import type { Secp256k1 } from '#crypto';
import { scriptErrorText, type TxSighash, TxSignatureChecker, verifyScript } from '#script';
import { assert } from '#util';

/** Core's ScriptErrorString when input number `at` fails, else undefined. */
export function verifyInput(sighash: TxSighash, at: number, flags: number, secp: Secp256k1): string | undefined {
  const input = sighash.tx.inputs[at];
  const spent = sighash.spent[at];
  assert(input !== undefined && spent !== undefined, 'the input and its spent output exist');
  const checker = new TxSignatureChecker(sighash, at, secp);
  const code = verifyScript(input.scriptSig, spent.scriptPubKey, input.witness, flags, checker);
  return code === undefined ? undefined : scriptErrorText(code);
}

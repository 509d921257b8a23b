/** What a transaction's input already holds of signatures and scripts (Core's DataFromTransaction). */
import type { TxOutput } from '#primitives';
import { Op, ScriptReader, type SignatureChecker, SigVersion, solver, verifyScript } from '#script';
import type { EcdsaVersion, TxSigner } from './signature-creator.ts';
import { SignatureData } from './signature-data.ts';

/** Valid signatures only; complete when the input as it is passes under `flags`. */
export function dataFromTransaction(
  signer: TxSigner,
  inputIndex: number,
  spent: TxOutput,
  flags: number,
): SignatureData {
  const data = new SignatureData();
  const input = signer.tx.inputs[inputIndex];
  if (input === undefined) return data;
  data.scriptSig = input.scriptSig;
  data.scriptWitness = input.witness;
  const checker = collecting(data, signer.checker(inputIndex));
  if (verifyScript(data.scriptSig, spent.scriptPubKey, data.scriptWitness, flags, checker) === undefined) {
    data.complete = true;
    return data;
  }
  collectMultisig(findScripts(data, spent.scriptPubKey), checker);
  return data;
}

/** Keeps each signature that proves right. */
function collecting(data: SignatureData, checker: SignatureChecker): SignatureChecker {
  return {
    checkEcdsa: (signature, publicKey, scriptCode, version) => {
      const isRight = checker.checkEcdsa(signature, publicKey, scriptCode, version);
      if (isRight) data.addSignature(publicKey, signature);
      return isRight;
    },
    checkSchnorr: (...given) => checker.checkSchnorr(...given),
    checkTapTweak: (...given) => checker.checkTapTweak(...given),
    checkLockTime: (lockTime) => checker.checkLockTime(lockTime),
    checkSequence: (sequence) => checker.checkSequence(sequence),
  };
}

type Place = {
  readonly script: Uint8Array;
  /** What lies on the stack for it. */
  readonly stack: readonly Uint8Array[];
  readonly version: EcdsaVersion;
};

/** Follows the hashes to the script that signatures are for. */
function findScripts(data: SignatureData, scriptPubKey: Uint8Array): Place {
  let script = scriptPubKey;
  let stack = pushedBy(data.scriptSig);
  const redeemScript = stack.at(-1);
  if (solver(script).kind === 'scripthash' && redeemScript !== undefined && redeemScript.length > 0) {
    data.redeemScript = redeemScript;
    script = redeemScript;
    stack = stack.slice(0, -1);
  }
  const witnessScript = data.scriptWitness.at(-1);
  if (solver(script).kind === 'witness_v0_scripthash' && witnessScript !== undefined && witnessScript.length > 0) {
    data.witnessScript = witnessScript;
    return { script: witnessScript, stack: data.scriptWitness.slice(0, -1), version: SigVersion.WITNESS_V0 };
  }
  return { script, stack, version: SigVersion.BASE };
}

/** Shows each signature to the checker, which keeps the right ones. They stand in the order of their keys. */
function collectMultisig({ script, stack, version }: Place, checker: SignatureChecker): void {
  const solved = solver(script);
  if (solved.kind !== 'multisig') return;
  let next = 0;
  for (const signature of stack) {
    const at = solved.keys.findIndex(
      (key, index) => index >= next && checker.checkEcdsa(signature, key, script, version),
    );
    if (at >= 0) next = at + 1;
  }
}

/** The stack that a script of pushes leaves. */
function pushedBy(script: Uint8Array): readonly Uint8Array[] {
  const stack: Uint8Array[] = [];
  const reader = new ScriptReader(script);
  while (reader.next()) {
    const { opcode } = reader;
    if (opcode <= Op.OP_PUSHDATA4) stack.push(reader.data);
    else if (opcode === Op.OP_1NEGATE) stack.push(Uint8Array.of(0x81));
    else if (opcode >= Op.OP_1 && opcode <= Op.OP_16) stack.push(Uint8Array.of(opcode - Op.OP_1 + 1));
    else return [];
  }
  return reader.atEnd ? stack : [];
}

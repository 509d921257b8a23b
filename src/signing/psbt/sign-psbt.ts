/** Signing, finishing and completing PSBTs (Core's SignPSBTInput, FinalizePSBT, UpdatePSBTOutput). They change the maps. */
import { SigningProvider } from '#descriptor';
import { Transaction } from '#primitives';
import { sighash, verifyScript, witnessProgram } from '#script';
import { equalBytes } from '#util';
import { produceSignature } from '../produce-signature.ts';
import type { SigningRules } from '../sign-transaction.ts';
import { DUMMY_CREATOR, TxSigner } from '../signature-creator.ts';
import type { SignatureData } from '../signature-data.ts';
import { isFinal, type Psbt } from './codec.ts';
import {
  finalWitnessOf,
  inputData,
  outputData,
  setWitnessUtxo,
  sourceOf,
  spentOutput,
  storeInputData,
  storeOutputData,
  witnessUtxoOf,
} from './input.ts';
import { InputType, mapKey, type PsbtMap, singleValue } from './psbt-map.ts';

/** The signer of the PSBT's transaction, with the spent outputs that the PSBT knows. */
export function psbtSigner(psbt: Psbt, { secp }: SigningRules): TxSigner {
  return new TxSigner(
    psbt.tx,
    psbt.inputs.map((_, at) => spentOutput(psbt, at)),
    secp,
  );
}

export type SignInputOptions = {
  readonly keys: SigningProvider;
  /** 0: the usual one. */
  readonly hashType: number;
  /** Whether a complete input is finished. */
  readonly finalize: boolean;
};

/** Whether the input is signed in full now; undefined where it could not be tried. */
export type SignInputOutcome = { readonly isComplete: boolean; readonly data: SignatureData | undefined };

const NOT_TRIED: SignInputOutcome = { isComplete: false, data: undefined };

/** `signer` undefined makes dummy signatures. */
export function signPsbtInput(
  psbt: Psbt,
  index: number,
  signer: TxSigner | undefined,
  { keys, hashType, finalize }: SignInputOptions,
  rules: SigningRules,
): SignInputOutcome {
  const map = psbt.inputs[index];
  const input = psbt.tx.inputs[index];
  if (map === undefined || input === undefined) return NOT_TRIED;
  if (isSignedAndVerified(psbt, index, signer, rules)) return { isComplete: true, data: undefined };
  const source = sourceOf(map);
  const output = source === undefined ? witnessUtxoOf(map) : source.outputs[input.prevIndex];
  if (output === undefined || (source !== undefined && !equalBytes(source.txidBytes, input.prevTxid))) return NOT_TRIED;
  const data = inputData(map);
  data.witness = false;
  const creator = signer === undefined ? DUMMY_CREATOR : signer.creator(index, hashType);
  const isComplete = produceSignature({ keys, creator, data }, output.scriptPubKey, rules.flags);
  // An output that was only told could be another: only a witness signature covers what was told.
  if (source === undefined && !data.witness) return NOT_TRIED;
  if (!finalize) data.complete = false;
  storeInputData(map, data);
  if (data.witness) setWitnessUtxo(map, output);
  return { isComplete, data };
}

/** Core's PSBTInputSignedAndVerified; without a signer signatures are not looked at. */
export function isSignedAndVerified(
  psbt: Psbt,
  index: number,
  signer: TxSigner | undefined,
  { flags }: SigningRules,
): boolean {
  const map = psbt.inputs[index];
  const output = spentOutput(psbt, index);
  if (map === undefined || output === undefined || !isFinal(map)) return false;
  const scriptSig = singleValue(map, InputType.SCRIPT_SIG) ?? new Uint8Array(0);
  const checker = signer === undefined ? DUMMY_CREATOR.checker : signer.checker(index);
  return verifyScript(scriptSig, output.scriptPubKey, finalWitnessOf(map), flags, checker) === undefined;
}

/** Whether all inputs are finished now. */
export function finalizePsbt(psbt: Psbt, rules: SigningRules): boolean {
  const options = { keys: new SigningProvider(), hashType: sighash.SIGHASH_ALL, finalize: true };
  const signer = psbtSigner(psbt, rules);
  const outcomes = psbt.inputs.map((_, at) => signPsbtInput(psbt, at, signer, options, rules));
  return outcomes.every(({ isComplete }) => isComplete);
}

/** The transaction with what the inputs hold. */
export function extractTransaction({ tx, inputs }: Psbt): Transaction {
  return Transaction.fromFields({
    version: tx.version,
    inputs: tx.inputs.map(({ prevTxid, prevIndex, sequence }, at) => {
      const map: PsbtMap = inputs[at] ?? new Map();
      const scriptSig = singleValue(map, InputType.SCRIPT_SIG) ?? new Uint8Array(0);
      return { prevTxid, prevIndex, sequence, scriptSig, witness: finalWitnessOf(map) };
    }),
    outputs: tx.outputs,
    lockTime: tx.lockTime,
  });
}

/** Adds what `keys` knows of output `index`: a spend of it is tried, and leaves scripts and origins behind. */
export function updatePsbtOutput(psbt: Psbt, index: number, keys: SigningProvider, flags: number): void {
  const map = psbt.outputs[index];
  const output = psbt.tx.outputs[index];
  if (map === undefined || output === undefined) return;
  const data = outputData(map);
  const nobodySigns = { ...DUMMY_CREATOR, ecdsa: () => undefined, schnorr: () => undefined };
  produceSignature({ keys: keys.withoutSecrets(), creator: nobodySigns, data }, output.scriptPubKey, flags);
  storeOutputData(map, data);
}

/** Sources are not needed when all inputs spend outputs of taproot or later: their signatures cover all amounts. */
export function removeUnnecessarySources({ inputs }: Psbt, hashType: number): void {
  if ((hashType & sighash.SIGHASH_ANYONECANPAY) !== 0) return;
  const versions = inputs.map((map) => witnessProgram(witnessUtxoOf(map)?.scriptPubKey ?? new Uint8Array(0))?.version);
  if (!versions.every((version) => version !== undefined && version > 0)) return;
  for (const map of inputs) map.delete(mapKey(InputType.NON_WITNESS_UTXO));
}

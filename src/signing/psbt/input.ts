/** The records of a PSBT's inputs and outputs, to what signing works on and back (Core's Fill- and FromSignatureData). */
import { Reader, readTxOutput, Transaction, type TxOutput, Writer, writeTxOutput } from '#primitives';
import { concatBytes, fromHex } from '#util';
import { SignatureData } from '../signature-data.ts';
import type { Psbt } from './codec.ts';
import { InputType, mapKey, OutputType, type PsbtMap, recordsOf, setOnce, singleValue } from './psbt-map.ts';
import {
  readKeyOrigin,
  readTapDerivation,
  readWitness,
  writeKeyOrigin,
  writeTapDerivation,
  writeTapTree,
  writeWitness,
} from './values.ts';

const HASH_BYTES = 32;

/** The transaction that made the spent output, if it came along. */
export function sourceOf(input: PsbtMap): Transaction | undefined {
  const bytes = singleValue(input, InputType.NON_WITNESS_UTXO);
  return bytes && Transaction.fromBytes(bytes);
}

/** What the input says of the spent output alone; a value of -1 says nothing, as Core's null output. */
export function witnessUtxoOf(input: PsbtMap): TxOutput | undefined {
  const bytes = singleValue(input, InputType.WITNESS_UTXO);
  const output = bytes && readTxOutput(new Reader(bytes));
  return output?.value === -1n ? undefined : output;
}

export function setWitnessUtxo(input: PsbtMap, output: TxOutput): void {
  const writer = new Writer();
  writeTxOutput(writer, output);
  input.set(mapKey(InputType.WITNESS_UTXO), writer.finish());
}

/** Core's GetInputUTXO: of the source, else of the output alone. */
export function spentOutput({ tx, inputs }: Psbt, index: number): TxOutput | undefined {
  const map = inputs[index];
  if (map === undefined) return undefined;
  const source = sourceOf(map);
  return source === undefined ? witnessUtxoOf(map) : source.outputs[tx.inputs[index]?.prevIndex ?? -1];
}

export function finalWitnessOf(input: PsbtMap): readonly Uint8Array[] {
  const bytes = singleValue(input, InputType.SCRIPT_WITNESS);
  return bytes === undefined ? [] : readWitness(bytes);
}

export function inputData(input: PsbtMap): SignatureData {
  const data = new SignatureData();
  const scriptSig = singleValue(input, InputType.SCRIPT_SIG);
  const witness = finalWitnessOf(input);
  if (scriptSig !== undefined || witness.length > 0) {
    data.complete = true;
    if (scriptSig !== undefined) data.scriptSig = scriptSig;
    data.scriptWitness = witness;
    return data;
  }
  for (const { keyData, value } of recordsOf(input, InputType.PARTIAL_SIG)) data.addSignature(keyData, value);
  data.redeemScript = singleValue(input, InputType.REDEEM_SCRIPT);
  data.witnessScript = singleValue(input, InputType.WITNESS_SCRIPT);
  addOrigins(data, input, InputType.BIP32_DERIVATION, InputType.TAP_BIP32_DERIVATION);
  data.keyPathSignature = singleValue(input, InputType.TAP_KEY_SIG);
  for (const { keyData, value } of recordsOf(input, InputType.TAP_SCRIPT_SIG)) {
    data.addScriptPathSignature(keyData.subarray(0, HASH_BYTES), keyData.subarray(HASH_BYTES), value);
  }
  data.internalKey = singleValue(input, InputType.TAP_INTERNAL_KEY);
  data.merkleRoot = singleValue(input, InputType.TAP_MERKLE_ROOT);
  for (const { keyData, value } of recordsOf(input, InputType.TAP_LEAF_SCRIPT)) {
    data.addLeafScript(value.subarray(0, -1), value.at(-1) ?? 0, keyData);
  }
  return data;
}

export function outputData(output: PsbtMap): SignatureData {
  const data = new SignatureData();
  data.redeemScript = singleValue(output, OutputType.REDEEM_SCRIPT);
  data.witnessScript = singleValue(output, OutputType.WITNESS_SCRIPT);
  data.internalKey = singleValue(output, OutputType.TAP_INTERNAL_KEY);
  addOrigins(data, output, OutputType.BIP32_DERIVATION, OutputType.TAP_BIP32_DERIVATION);
  return data;
}

function addOrigins(data: SignatureData, map: PsbtMap, type: number, tapType: number): void {
  for (const { keyData, value } of recordsOf(map, type)) data.addOrigin(keyData, readKeyOrigin(value));
  for (const { keyData, value } of recordsOf(map, tapType)) {
    const { leafHashes, originBytes } = readTapDerivation(value);
    if (originBytes === undefined) continue;
    const origin = readKeyOrigin(originBytes);
    data.addTaprootOrigin(keyData, origin);
    for (const leafHash of leafHashes) data.addTaprootOrigin(keyData, origin, fromHex(leafHash));
  }
}

/** What a finished input has no more. */
const OF_UNFINISHED = [
  InputType.PARTIAL_SIG,
  InputType.BIP32_DERIVATION,
  InputType.REDEEM_SCRIPT,
  InputType.WITNESS_SCRIPT,
].map((type) => mapKey(type));

export function storeInputData(input: PsbtMap, data: SignatureData): void {
  if (data.complete) {
    for (const key of input.keys()) if (OF_UNFINISHED.includes(key.slice(0, 2))) input.delete(key);
    if (data.scriptSig.length > 0) input.set(mapKey(InputType.SCRIPT_SIG), data.scriptSig);
    if (data.scriptWitness.length > 0) {
      input.set(mapKey(InputType.SCRIPT_WITNESS), writeWitness(data.scriptWitness));
    }
    return;
  }
  for (const { publicKey, signature } of data.signatures.values()) {
    setOnce(input, InputType.PARTIAL_SIG, signature, publicKey);
  }
  storeOnce(input, InputType.REDEEM_SCRIPT, data.redeemScript);
  storeOnce(input, InputType.WITNESS_SCRIPT, data.witnessScript);
  storeOrigins(input, data, InputType.BIP32_DERIVATION, InputType.TAP_BIP32_DERIVATION);
  store(input, InputType.TAP_KEY_SIG, data.keyPathSignature);
  for (const { publicKey, leafHash, signature } of data.scriptPathSignatures.values()) {
    setOnce(input, InputType.TAP_SCRIPT_SIG, signature, concatBytes(publicKey, leafHash));
  }
  store(input, InputType.TAP_INTERNAL_KEY, data.internalKey);
  store(input, InputType.TAP_MERKLE_ROOT, data.merkleRoot);
  for (const { script, leafVersion, controlBlocks } of data.leafScripts.values()) {
    const leaf = concatBytes(script, Uint8Array.of(leafVersion));
    for (const controlBlock of controlBlocks) setOnce(input, InputType.TAP_LEAF_SCRIPT, leaf, controlBlock);
  }
}

export function storeOutputData(output: PsbtMap, data: SignatureData): void {
  storeOnce(output, OutputType.REDEEM_SCRIPT, data.redeemScript);
  storeOnce(output, OutputType.WITNESS_SCRIPT, data.witnessScript);
  store(output, OutputType.TAP_INTERNAL_KEY, data.internalKey);
  if (data.tree !== undefined && data.tree.leaves.length > 0) {
    output.set(mapKey(OutputType.TAP_TREE), writeTapTree(data.tree.leaves));
  }
  storeOrigins(output, data, OutputType.BIP32_DERIVATION, OutputType.TAP_BIP32_DERIVATION);
}

function storeOrigins(map: PsbtMap, data: SignatureData, type: number, tapType: number): void {
  for (const { publicKey, origin } of data.origins.values()) setOnce(map, type, writeKeyOrigin(origin), publicKey);
  for (const { publicKey, leafHashes, origin } of data.taprootOrigins.values()) {
    setOnce(map, tapType, writeTapDerivation(leafHashes, origin), publicKey);
  }
}

function store(map: PsbtMap, type: number, value: Uint8Array | undefined): void {
  if (value !== undefined && value.length > 0) map.set(mapKey(type), value);
}

function storeOnce(map: PsbtMap, type: number, value: Uint8Array | undefined): void {
  if (singleValue(map, type) === undefined) store(map, type, value);
}

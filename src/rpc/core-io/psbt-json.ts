/** Partially signed transactions as JSON: Core's decodepsbt. Fields are given where they are set, in Core's order. */
import { createBase58check } from '@scure/base';
import { sha256 } from '#crypto';
import { formatKeyPath, type KeyOrigin, type KeyPrefixes } from '#descriptor';
import { MAX_MONEY, type Sats, type TxOutput } from '#primitives';
import { sighash } from '#script';
import {
  finalWitnessOf,
  inputKeys,
  type Psbt,
  psbtMap,
  psbtValues,
  sortedXpubs,
  sourceOf,
  witnessUtxoOf,
} from '#signing';
import { fromHex, toHex } from '#util';
import { amount, type JsonObject } from '../json/value.ts';
import { innerScriptJson, scriptPubKeyJson, scriptSigJson } from './script-json.ts';
import { txJson } from './tx-json.ts';

const { GlobalType, InputType, OutputType, keysOf, recordsOf, singleValue, unknownKeys } = psbtMap;
const { readKeyOrigin, readTapDerivation, readTapTree } = psbtValues;
type PsbtMap = psbtMap.PsbtMap;

const base58check = createBase58check(sha256);
const EMPTY = new Uint8Array(0);
const HASH_BYTES = 32;

export function psbtJson(psbt: Psbt, prefixes: KeyPrefixes): JsonObject {
  return {
    tx: txJson(psbt.tx, prefixes, { hex: false }),
    global_xpubs: sortedXpubs(psbt.global).map((key) => ({
      xpub: base58check.encode(fromHex(key.slice(2))),
      ...originJson(readKeyOrigin(psbt.global.get(key) ?? EMPTY)),
    })),
    psbt_version: 0,
    proprietary: proprietaryJson(psbt.global, GlobalType.PROPRIETARY),
    unknown: unknownJson(psbt.global, GlobalType),
    inputs: psbt.inputs.map((map, at) => inputJson(map, psbt.tx.inputs[at]?.prevIndex ?? 0, prefixes)),
    outputs: psbt.outputs.map(outputJson),
    fee: feeJson(psbt),
  };
}

function originJson({ fingerprint, path }: KeyOrigin): JsonObject {
  return { master_fingerprint: toHex(fingerprint), path: `m${formatKeyPath(path)}` };
}

function proprietaryJson(map: PsbtMap, type: number): JsonObject[] {
  return recordsOf(map, type).map(({ keyData, value }) => {
    const { identifier, subtype } = psbtMap.proprietaryKey(keyData);
    return { identifier: toHex(identifier), subtype, key: psbtMap.mapKey(type, keyData), value: toHex(value) };
  });
}

function unknownJson(map: PsbtMap, known: Readonly<Record<string, number>>): JsonObject {
  return Object.fromEntries(unknownKeys(map, known).map((key) => [key, toHex(map.get(key) ?? EMPTY)]));
}

function inputJson(map: PsbtMap, prevIndex: number, prefixes: KeyPrefixes): JsonObject {
  const witnessUtxo = witnessUtxoOf(map);
  const source = sourceOf(map);
  const hashType = singleValue(map, InputType.SIGHASH);
  const scriptSig = singleValue(map, InputType.SCRIPT_SIG);
  const witness = finalWitnessOf(map);
  return {
    witness_utxo: witnessUtxo && utxoJson(witnessUtxo, prefixes),
    non_witness_utxo:
      source && source.outputs.length > prevIndex ? txJson(source, prefixes, { hex: false }) : undefined,
    partial_signatures: ifAny(
      inputKeys(map, InputType.PARTIAL_SIG).map((key) => [key.slice(2), toHex(map.get(key) ?? EMPTY)] as const),
      Object.fromEntries,
    ),
    sighash: hashType && (sighash.sighashTypeName(hashType[0] ?? 0) ?? ''),
    redeem_script: scriptJson(map, InputType.REDEEM_SCRIPT),
    witness_script: scriptJson(map, InputType.WITNESS_SCRIPT),
    bip32_derivs: derivationsJson(map, InputType.BIP32_DERIVATION),
    final_scriptSig: scriptSig && scriptSigJson(scriptSig),
    final_scriptwitness: witness.length === 0 ? undefined : witness.map(toHex),
    ripemd160_preimages: preimagesJson(map, InputType.RIPEMD160),
    sha256_preimages: preimagesJson(map, InputType.SHA256),
    hash160_preimages: preimagesJson(map, InputType.HASH160),
    hash256_preimages: preimagesJson(map, InputType.HASH256),
    ...taprootJson(map),
    proprietary: ifAny(proprietaryJson(map, InputType.PROPRIETARY), (all) => all),
    unknown: unknownKeys(map, InputType).length === 0 ? undefined : unknownJson(map, InputType),
  };
}

/** `show` of the items, where there are any. */
function ifAny<T, R>(items: readonly T[], show: (items: readonly T[]) => R): R | undefined {
  return items.length === 0 ? undefined : show(items);
}

function utxoJson({ value, scriptPubKey }: TxOutput, prefixes: KeyPrefixes): JsonObject {
  return { amount: amount(value), scriptPubKey: scriptPubKeyJson(scriptPubKey, prefixes) };
}

function scriptJson(map: PsbtMap, type: number): JsonObject | undefined {
  const script = singleValue(map, type);
  return script && innerScriptJson(script);
}

function derivationsJson(map: PsbtMap, type: number): JsonObject[] | undefined {
  const derivations = recordsOf(map, type).map(({ keyData, value }) => ({
    pubkey: toHex(keyData),
    ...originJson(readKeyOrigin(value)),
  }));
  return derivations.length === 0 ? undefined : derivations;
}

function preimagesJson(map: PsbtMap, type: number): JsonObject | undefined {
  const keys = keysOf(map, type);
  return ifAny(keys, () => Object.fromEntries(keys.map((key) => [key.slice(2), toHex(map.get(key) ?? EMPTY)])));
}

function taprootJson(map: PsbtMap): JsonObject {
  const hexOf = (type: number): string | undefined => {
    const value = singleValue(map, type);
    return value && toHex(value);
  };
  const signatures = recordsOf(map, InputType.TAP_SCRIPT_SIG).map(({ keyData, value }) => ({
    pubkey: toHex(keyData.subarray(0, HASH_BYTES)),
    leaf_hash: toHex(keyData.subarray(HASH_BYTES)),
    sig: toHex(value),
  }));
  return {
    taproot_key_path_sig: hexOf(InputType.TAP_KEY_SIG),
    taproot_script_path_sigs: ifAny(signatures, (all) => all),
    taproot_scripts: leafScriptsJson(map),
    taproot_bip32_derivs: tapDerivationsJson(map, InputType.TAP_BIP32_DERIVATION),
    taproot_internal_key: hexOf(InputType.TAP_INTERNAL_KEY),
    taproot_merkle_root: hexOf(InputType.TAP_MERKLE_ROOT),
  };
}

/** Control blocks of the same script stand together. */
function leafScriptsJson(map: PsbtMap): JsonObject[] | undefined {
  const byLeaf = Map.groupBy(inputKeys(map, InputType.TAP_LEAF_SCRIPT), (key) => toHex(map.get(key) ?? EMPTY));
  const leaves = [...byLeaf].map(([leaf, keys]) => ({
    script: leaf.slice(0, -2),
    leaf_ver: Number.parseInt(leaf.slice(-2), 16),
    control_blocks: keys.map((key) => key.slice(2)),
  }));
  return leaves.length === 0 ? undefined : leaves;
}

function tapDerivationsJson(map: PsbtMap, type: number): JsonObject[] | undefined {
  const derivations = recordsOf(map, type).map(({ keyData, value }) => {
    const { leafHashes, originBytes = new Uint8Array(4) } = readTapDerivation(value);
    return { pubkey: toHex(keyData), ...originJson(readKeyOrigin(originBytes)), leaf_hashes: leafHashes };
  });
  return derivations.length === 0 ? undefined : derivations;
}

function outputJson(map: PsbtMap): JsonObject {
  const internalKey = singleValue(map, OutputType.TAP_INTERNAL_KEY);
  const tree = singleValue(map, OutputType.TAP_TREE);
  return {
    redeem_script: scriptJson(map, OutputType.REDEEM_SCRIPT),
    witness_script: scriptJson(map, OutputType.WITNESS_SCRIPT),
    bip32_derivs: derivationsJson(map, OutputType.BIP32_DERIVATION),
    taproot_internal_key: internalKey && toHex(internalKey),
    taproot_tree:
      tree &&
      readTapTree(tree).map(({ depth, leafVersion, script }) => ({
        depth,
        leaf_ver: leafVersion,
        script: toHex(script),
      })),
    taproot_bip32_derivs: tapDerivationsJson(map, OutputType.TAP_BIP32_DERIVATION),
    proprietary: ifAny(proprietaryJson(map, OutputType.PROPRIETARY), (all) => all),
    unknown: unknownKeys(map, OutputType).length === 0 ? undefined : unknownJson(map, OutputType),
  };
}

/** Where all spent outputs are known and no sum leaves the range of money. Of two statements about one the source counts. */
function feeJson({ tx, inputs }: Psbt): JsonObject[string] {
  const spent = inputs.map((map, at) => {
    return sourceOf(map)?.outputs[tx.inputs[at]?.prevIndex ?? -1] ?? witnessUtxoOf(map);
  });
  const paidIn = sumOf(spent);
  const paidOut = sumOf(tx.outputs);
  return paidIn === undefined || paidOut === undefined ? undefined : amount(paidIn - paidOut);
}

function sumOf(outputs: readonly (TxOutput | undefined)[]): Sats | undefined {
  let sum = 0n;
  for (const output of outputs) {
    sum += output?.value ?? -1n;
    if (output === undefined || output.value < 0n || output.value > MAX_MONEY || sum > MAX_MONEY) return undefined;
  }
  return sum;
}

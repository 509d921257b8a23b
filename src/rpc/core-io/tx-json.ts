/** Transactions as JSON: Core's TxToUniv (core_write.cpp). */

import type { Coin } from '#chain';
import type { KeyPrefixes } from '#descriptor';
import { type Transaction, type TxInput, txidFromBytes } from '#primitives';
import { assert, toHex } from '#util';
import { amount, type JsonObject } from '../json/value.ts';
import { scriptPubKeyJson, scriptSigJson } from './script-json.ts';

export type TxJsonOptions = {
  /** The spent coins in the order of the inputs, from undo data: they give the fee. */
  readonly spent?: readonly Coin[] | undefined;
  /** Whether each input shows the coin that it spends. */
  readonly prevouts?: boolean;
  /** Whether the bytes come along (default: true). */
  readonly hex?: boolean;
  /** So many inputs and outputs at most (default: all). */
  readonly maxParts?: number;
};

export function txJson(
  tx: Transaction,
  prefixes: KeyPrefixes,
  { spent, prevouts = false, hex = true, maxParts }: TxJsonOptions = {},
): JsonObject {
  assert(spent === undefined || spent.length === tx.inputs.length, 'a spent coin for each input');
  return {
    txid: tx.txid,
    hash: tx.wtxid,
    version: tx.version >>> 0,
    size: tx.size,
    vsize: Math.ceil(tx.weight / 4),
    weight: tx.weight,
    locktime: tx.lockTime,
    vin: tx.inputs
      .slice(0, maxParts)
      .map((input, at) => inputJson(tx, input, prevouts ? spent?.[at] : undefined, prefixes)),
    vout: tx.outputs.slice(0, maxParts).map(({ value, scriptPubKey }, n) => ({
      value: amount(value),
      n,
      scriptPubKey: scriptPubKeyJson(scriptPubKey, prefixes),
    })),
    fee: spent && amount(feeOf(tx, spent)),
    hex: hex ? toHex(tx.raw) : undefined,
  };
}

function inputJson(tx: Transaction, input: TxInput, coin: Coin | undefined, prefixes: KeyPrefixes): JsonObject {
  const source = tx.isCoinbase
    ? { coinbase: toHex(input.scriptSig) }
    : { txid: txidFromBytes(input.prevTxid), vout: input.prevIndex, scriptSig: scriptSigJson(input.scriptSig) };
  return {
    ...source,
    txinwitness: input.witness.length === 0 ? undefined : input.witness.map(toHex),
    prevout: coin && {
      generated: coin.isCoinbase,
      height: coin.height,
      value: amount(coin.output.value),
      scriptPubKey: scriptPubKeyJson(coin.output.scriptPubKey, prefixes),
    },
    sequence: input.sequence,
  };
}

export function feeOf(tx: Transaction, spent: readonly Coin[]): bigint {
  const paidIn = spent.reduce((sum, { output }) => sum + output.value, 0n);
  return tx.outputs.reduce((rest, { value }) => rest - value, paidIn);
}

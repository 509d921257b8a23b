/** What a transaction must satisfy by itself, and together with the outputs that it spends. */
import {
  formatMoney,
  isNullOutpoint,
  MAX_MONEY,
  type Sats,
  type Transaction,
  type TxInput,
  type TxOutput,
} from '#primitives';
import { equalBytes, toHex } from '#util';
import { failure, type ValidationFailure } from './failure.ts';
import {
  COINBASE_MATURITY,
  MAX_BLOCK_WEIGHT,
  MAX_COINBASE_SCRIPT_BYTES,
  MIN_COINBASE_SCRIPT_BYTES,
  WITNESS_SCALE_FACTOR,
} from './limits.ts';

const consensusFailure = (code: string, debug?: string): ValidationFailure => failure('consensus', code, debug);

/** Core's CheckTransaction (consensus/tx_check.cpp): every rule that needs nothing but the transaction, in its order. */
export function checkTransaction(tx: Transaction): ValidationFailure | undefined {
  if (tx.inputs.length === 0) return consensusFailure('bad-txns-vin-empty');
  if (tx.outputs.length === 0) return consensusFailure('bad-txns-vout-empty');
  // Without witness: witness can be changed by anybody, and is limited with the block's weight.
  if (tx.strippedSize * WITNESS_SCALE_FACTOR > MAX_BLOCK_WEIGHT) return consensusFailure('bad-txns-oversize');
  return checkOutputValues(tx.outputs) ?? checkInputs(tx);
}

function checkOutputValues(outputs: readonly TxOutput[]): ValidationFailure | undefined {
  let total = 0n;
  for (const { value } of outputs) {
    if (value < 0n) return consensusFailure('bad-txns-vout-negative');
    if (value > MAX_MONEY) return consensusFailure('bad-txns-vout-toolarge');
    total += value;
    if (total > MAX_MONEY) return consensusFailure('bad-txns-txouttotal-toolarge');
  }
  return undefined;
}

function checkInputs(tx: Transaction): ValidationFailure | undefined {
  // CVE-2018-17144: nothing later notices an outpoint that one transaction spends twice.
  if (hasDuplicateInput(tx.inputs)) return consensusFailure('bad-txns-inputs-duplicate');
  if (tx.isCoinbase) {
    const bytes = tx.inputs[0]?.scriptSig.length ?? 0;
    const inRange = bytes >= MIN_COINBASE_SCRIPT_BYTES && bytes <= MAX_COINBASE_SCRIPT_BYTES;
    return inRange ? undefined : consensusFailure('bad-cb-length');
  }
  return tx.inputs.some(isNullOutpoint) ? consensusFailure('bad-txns-prevout-null') : undefined;
}

/** Up to so many are compared each with each, without a string an input. */
const MAX_COMPARED_INPUTS = 8;

function hasDuplicateInput(inputs: readonly TxInput[]): boolean {
  if (inputs.length <= MAX_COMPARED_INPUTS) {
    return inputs.some((input, at) => inputs.some((other, before) => before < at && isSameOutpoint(input, other)));
  }
  const outpoints = new Set(inputs.map((input) => `${toHex(input.prevTxid)}${input.prevIndex}`));
  return outpoints.size !== inputs.length;
}

function isSameOutpoint(a: TxInput, b: TxInput): boolean {
  return a.prevIndex === b.prevIndex && equalBytes(a.prevTxid, b.prevTxid);
}

/** An output that an input spends, and where it was made. */
export type SpentCoin = {
  readonly output: TxOutput;
  readonly height: number;
  readonly isCoinbase: boolean;
};

export type TxInputsVerdict = { readonly failure: ValidationFailure } | { readonly fee: Sats };

/**
 * Core's CheckTxInputs: `coins` are what the inputs spend, in their order, undefined where missing or spent;
 * `spendHeight` is the height of the block that holds the transaction. Needs a transaction that passed
 * `checkTransaction`, and no coinbase.
 */
export function checkTxInputs(
  tx: Transaction,
  coins: readonly (SpentCoin | undefined)[],
  spendHeight: number,
): TxInputsVerdict {
  const found = coins.filter((coin) => coin !== undefined);
  if (found.length !== tx.inputs.length) {
    return reject('bad-txns-inputs-missingorspent', 'CheckTxInputs: inputs missing/spent');
  }
  let valueIn = 0n;
  for (const { output, height, isCoinbase } of found) {
    const depth = spendHeight - height;
    if (isCoinbase && depth < COINBASE_MATURITY) {
      return reject('bad-txns-premature-spend-of-coinbase', `tried to spend coinbase at depth ${depth}`);
    }
    valueIn += output.value;
    if (!isMoney(output.value) || !isMoney(valueIn)) return reject('bad-txns-inputvalues-outofrange');
  }
  const valueOut = tx.outputs.reduce((sum, output) => sum + output.value, 0n);
  if (valueIn < valueOut) {
    const debug = `value in (${formatMoney(valueIn)}) < value out (${formatMoney(valueOut)})`;
    return reject('bad-txns-in-belowout', debug);
  }
  const fee = valueIn - valueOut;
  return isMoney(fee) ? { fee } : reject('bad-txns-fee-outofrange');
}

function reject(code: string, debug?: string): TxInputsVerdict {
  return { failure: consensusFailure(code, debug) };
}

function isMoney(value: Sats): boolean {
  return value >= 0n && value <= MAX_MONEY;
}

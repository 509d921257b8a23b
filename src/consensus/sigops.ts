/** Counting signature operations of transactions (Core's consensus/tx_verify.cpp). */
import type { Transaction, TxOutput } from '#primitives';
import { countP2shSigOps, countSigOps, countWitnessSigOps, ScriptFlag } from '#script';
import { assert } from '#util';
import { WITNESS_SCALE_FACTOR } from './limits.ts';

/** Core's GetLegacySigOpCount: in the transaction's own scripts, CHECKMULTISIG always counting 20. */
export function legacySigOpCount(tx: Transaction): number {
  let count = 0;
  for (const { scriptSig } of tx.inputs) count += countSigOps(scriptSig, false);
  for (const { scriptPubKey } of tx.outputs) count += countSigOps(scriptPubKey, false);
  return count;
}

/**
 * BIP141's cost, Core's GetTransactionSigOpCost: legacy and P2SH operations cost four, witness operations one.
 * `spent` are the outputs that the inputs spend, in their order (empty for a coinbase); `flags` as the block has them.
 */
export function transactionSigOpCost(tx: Transaction, spent: readonly TxOutput[], flags: number): number {
  let cost = legacySigOpCount(tx) * WITNESS_SCALE_FACTOR;
  if (tx.isCoinbase) return cost;
  assert(spent.length === tx.inputs.length, 'an output for each input');
  const p2sh = (flags & ScriptFlag.P2SH) !== 0;
  let at = 0;
  for (const input of tx.inputs) {
    const scriptPubKey = spent[at++]?.scriptPubKey;
    if (scriptPubKey === undefined) continue;
    if (p2sh) cost += countP2shSigOps(input.scriptSig, scriptPubKey) * WITNESS_SCALE_FACTOR;
    cost += countWitnessSigOps(input, scriptPubKey, flags);
  }
  return cost;
}

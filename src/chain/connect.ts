/**
 * Connecting and disconnecting one block: every rule that needs the UTXO set. The changes go into a `CoinsView`;
 * the caller commits it when the result is good and drops it otherwise.
 */
import {
  bip30Applies,
  blockSubsidy,
  calculateSequenceLocks,
  checkTxInputs,
  evaluateSequenceLocks,
  failure,
  limits,
  type NetworkParams,
  scriptFlagsForBlock,
  transactionSigOpCost,
  type ValidationFailure,
} from '#consensus';
import { type Block, MAX_MONEY, type Transaction, type TxOutput } from '#primitives';
import { isUnspendable } from '#script';
import { asBuffer } from '#util';
import type { ScriptJob, ScriptVerifier } from '#verify';
import { type CoinKey, coinKey } from './coins-cache.ts';
import type { CoinsView } from './coins-view.ts';
import type { TreeEntry } from './header-tree.ts';
import type { Coin } from './port.ts';
import type { BlockUndo } from './undo-codec.ts';

export type ConnectResult = { readonly spent: BlockUndo } | { readonly failure: ValidationFailure };

export type ConnectDeps = {
  readonly params: NetworkParams;
  readonly verifier: ScriptVerifier;
};

/** Core's ConnectBlock, for a block that passed checkBlock and contextualCheckBlock. */
export async function connectBlock(
  deps: ConnectDeps,
  block: Block,
  entry: TreeEntry,
  view: CoinsView,
): Promise<ConnectResult> {
  const duplicate = checkBip30(deps.params, block, entry, view);
  if (duplicate !== undefined) return { failure: duplicate };
  const applied = applyTransactions(deps.params, block, entry, view);
  if ('failure' in applied) return applied;
  const allowed = applied.fees + blockSubsidy(entry.height, deps.params);
  const claimed = sumOutputs(block.transactions[0]);
  if (claimed > allowed) {
    const debug = `coinbase pays too much (actual=${claimed} vs limit=${allowed})`;
    return { failure: failure('consensus', 'bad-cb-amount', debug) };
  }
  const scripts = await deps.verifier.verify(applied.jobs);
  if (scripts !== undefined) {
    const code = `mandatory-script-verify-flag-failed (${scripts.error})`;
    return { failure: failure('consensus', code, `input ${scripts.input} of ${applied.jobs[scripts.job]?.tx.txid}`) };
  }
  return { spent: applied.spent };
}

/** BIP30: a transaction must not replace unspent outputs of an earlier one with the same id. */
function checkBip30(
  params: NetworkParams,
  block: Block,
  entry: TreeEntry,
  view: CoinsView,
): ValidationFailure | undefined {
  if (!bip30Applies(entry, params)) return undefined;
  for (const tx of block.transactions) {
    for (let index = 0; index < tx.outputs.length; index++) {
      if (view.get(coinKey({ txid: tx.txidBytes, index })) === undefined) continue;
      return failure('consensus', 'bad-txns-BIP30', `tried to overwrite transaction ${tx.txid}`);
    }
  }
  return undefined;
}

type Applied = { readonly fees: bigint; readonly spent: BlockUndo; readonly jobs: readonly ScriptJob[] };

function applyTransactions(
  params: NetworkParams,
  block: Block,
  entry: TreeEntry,
  view: CoinsView,
): Applied | { readonly failure: ValidationFailure } {
  const flags = scriptFlagsForBlock(entry, params);
  const jobs: ScriptJob[] = [];
  const spent: (readonly Coin[])[] = [];
  let fees = 0n;
  let sigOpCost = 0;
  for (const tx of block.transactions) {
    const coins = tx.isCoinbase ? [] : tx.inputs.map((input) => view.get(inputKey(input)));
    if (!tx.isCoinbase) {
      const inputs = checkTxInputs(tx, coins, entry.height);
      if ('failure' in inputs) return inputs;
      fees += inputs.fee;
      if (fees > MAX_MONEY)
        return fail('bad-txns-accumulated-fee-outofrange', 'accumulated fee in the block out of range');
      if (!sequenceLocksPass(params, tx, coins as Coin[], entry)) {
        return fail('bad-txns-nonfinal', 'contains a non-BIP68-final transaction');
      }
    }
    const found = coins as Coin[];
    const outputs: TxOutput[] = found.map((coin) => coin.output);
    sigOpCost += transactionSigOpCost(tx, outputs, flags);
    if (sigOpCost > limits.MAX_BLOCK_SIGOPS_COST) return fail('bad-blk-sigops', 'too many sigops');
    if (!tx.isCoinbase) {
      jobs.push({ tx, spent: outputs, flags });
      spent.push(found);
    }
    updateCoins(tx, entry.height, view);
  }
  return { fees, spent, jobs };
}

function fail(code: string, debug: string): { readonly failure: ValidationFailure } {
  return { failure: failure('consensus', code, debug) };
}

function sequenceLocksPass(params: NetworkParams, tx: Transaction, coins: readonly Coin[], entry: TreeEntry): boolean {
  if (entry.height < params.activation.csv) return true;
  const heights = coins.map((coin) => coin.height);
  return evaluateSequenceLocks(calculateSequenceLocks(tx, heights, entry), entry);
}

/** Spends the inputs and adds the outputs that can be spent (Core's UpdateCoins and AddCoins). */
function updateCoins(tx: Transaction, height: number, view: CoinsView): void {
  if (!tx.isCoinbase) for (const input of tx.inputs) view.spend(inputKey(input));
  tx.outputs.forEach((output, index) => {
    if (isUnspendable(output.scriptPubKey)) return;
    const coin: Coin = { output, height, isCoinbase: tx.isCoinbase };
    // Before BIP34 two coinbases could have one txid (BIP30): only they may replace a coin.
    view.add(coinKey({ txid: tx.txidBytes, index }), coin, tx.isCoinbase);
  });
}

/**
 * Core's DisconnectBlock: removes what the block created and restores what it spent. False if the coins are not
 * what the block left behind, which means damaged data.
 */
export function disconnectBlock(block: Block, height: number, spent: BlockUndo, view: CoinsView): boolean {
  let clean = spent.length === block.transactions.length - 1;
  for (let i = block.transactions.length - 1; i >= 0; i--) {
    const tx = block.transactions[i];
    if (tx === undefined) continue;
    tx.outputs.forEach((output, index) => {
      if (isUnspendable(output.scriptPubKey)) return;
      const coin = view.spend(coinKey({ txid: tx.txidBytes, index }));
      clean &&= coin !== undefined && coin.height === height && coin.output.value === output.value;
    });
    if (tx.isCoinbase) continue;
    const coins = spent[i - 1] ?? [];
    clean &&= coins.length === tx.inputs.length;
    restoreInputs(tx, coins, view);
  }
  return clean;
}

function restoreInputs(tx: Transaction, coins: readonly Coin[], view: CoinsView): void {
  for (let i = tx.inputs.length - 1; i >= 0; i--) {
    const [input, coin] = [tx.inputs[i], coins[i]];
    if (input !== undefined && coin !== undefined) view.add(inputKey(input), coin, true);
  }
}

function inputKey(input: { readonly prevTxid: Uint8Array; readonly prevIndex: number }): CoinKey {
  return coinKey({ txid: input.prevTxid, index: input.prevIndex });
}

function sumOutputs(tx: Transaction | undefined): bigint {
  return (tx?.outputs ?? []).reduce((sum, output) => sum + output.value, 0n);
}

/** The coins that the block's inputs spend and that it does not create itself. */
export function externalInputKeys(block: Block): CoinKey[] {
  const own = new Set(block.transactions.map((tx) => asBuffer(tx.txidBytes).toString('latin1')));
  const keys: CoinKey[] = [];
  for (const tx of block.transactions) {
    if (tx.isCoinbase) continue;
    for (const input of tx.inputs) {
      const key = inputKey(input);
      if (!own.has(key.slice(0, 32))) keys.push(key);
    }
  }
  return keys;
}

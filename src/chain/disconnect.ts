/** Taking back what blocks did to the coins: Core's DisconnectBlock. */
import type { NetworkParams } from '#consensus';
import type { Block, Transaction } from '#primitives';
import { equalBytes } from '#util';
import type { CoinsView } from './coins-cache.ts';
import type { TreeEntry } from './header-tree.ts';
import { forEachCoin } from './tx-coins.ts';
import type { BlockUndo } from './undo-codec.ts';

/**
 * Removes what the block created and restores what it spent, as far as that goes. False if the coins are not what the
 * block left behind: damaged data, unless a flush was cut off (`replay.ts`).
 */
export function disconnectBlock(
  block: Block,
  entry: Pick<TreeEntry, 'height' | 'hash'>,
  undo: BlockUndo,
  coins: CoinsView,
  params: NetworkParams,
): boolean {
  // Core's IsBIP30Unspendable: a later coinbase of the same id took the place of this block's.
  const isCoinbaseReplaced = params.bip30Unspendable.get(entry.height) === entry.hash;
  return takeBack(block.transactions, entry.height, undo, coins, isCoinbaseReplaced);
}

/** The first transactions of a block, the last of them first; `undo` has a list for each but the coinbase. */
export function takeBack(
  transactions: readonly Transaction[],
  height: number,
  undo: BlockUndo,
  coins: CoinsView,
  isCoinbaseReplaced = false,
): boolean {
  let isClean = undo.length === Math.max(0, transactions.length - 1);
  for (let at = transactions.length - 1; at >= 0; at--) {
    const tx = transactions[at];
    if (tx === undefined) continue;
    const areOutputsThere = removeOutputs(tx, height, coins);
    if (!areOutputsThere && !(tx.isCoinbase && isCoinbaseReplaced)) isClean = false;
    if (at > 0 && !restoreInputs(tx, undo[at - 1] ?? [], coins)) isClean = false;
  }
  return isClean;
}

function removeOutputs(tx: Transaction, height: number, coins: CoinsView): boolean {
  let isClean = true;
  forEachCoin(tx, height, (index, made) => {
    const coin = coins.spend(tx.txidBytes, index);
    if (coin === undefined || !equalBytes(coin, made)) isClean = false;
  });
  return isClean;
}

/** Core's ApplyTxInUndo for each input, the last one first. Inputs without a coin in `taken` stay as they are. */
export function restoreInputs(tx: Transaction, taken: readonly (Uint8Array | undefined)[], coins: CoinsView): boolean {
  let isClean = taken.length === tx.inputs.length;
  for (let at = tx.inputs.length - 1; at >= 0; at--) {
    const [input, coin] = [tx.inputs[at], taken[at]];
    if (input === undefined || coin === undefined) continue;
    if (coins.add(input.prevTxid, input.prevIndex, coin, true) !== undefined) isClean = false;
  }
  return isClean;
}

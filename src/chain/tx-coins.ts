/** The coins that a transaction makes, and a name for each. */
import type { Transaction } from '#primitives';
import { isUnspendable } from '#script';
import { asBuffer } from '#util';
import { encodeCoinView } from './coin-codec.ts';

/**
 * Calls `use` with each output's index and its coin, encoded: a view, good until `use` returns. Outputs that nobody can
 * spend are no coins (Core's AddCoins).
 */
export function forEachCoin(tx: Transaction, height: number, use: (index: number, coin: Uint8Array) => void): void {
  const { isCoinbase } = tx;
  let index = -1;
  for (const output of tx.outputs) {
    index++;
    if (!isUnspendable(output.scriptPubKey)) use(index, encodeCoinView({ output, height, isCoinbase }));
  }
}

/** The outpoint as a key of a map. */
export function outpointText(txid: Uint8Array, index: number): string {
  return `${asBuffer(txid).toString('latin1')}${index}`;
}

/** Blocks of many transactions that need no signature: they fill what a node remembers of confirmed ones. */

import { type Block, Transaction } from '#primitives';
import { Op, pushData } from '#script';
import { assert, concatBytes } from '#util';
import type { PayerCoin } from '../../src/mempool/payer.ts';
import { unsignedPayment } from '../../src/mempool/payer.ts';
import { coinsOf } from './block-maker.ts';
import type { RelayChain } from './relay-chain.ts';

/** A witness program of a version without meaning, not all zero: anybody may spend it. */
const ANYONE = concatBytes(Uint8Array.of(Op.OP_2), pushData(new Uint8Array(32).fill(1)));

/** Each transaction spends the one before, so that the number of coins stays. */
export function fillerBlocks(chain: RelayChain, blocks: number, transactionsPerBlock: number): Block[] {
  let last = chain.pay({ inputs: 1, outputs: 1 }, ANYONE);
  return Array.from({ length: blocks }, (_, at) => {
    const transactions = at === 0 ? [last] : [];
    while (transactions.length < transactionsPerBlock) {
      last = passOn(coinsOf(last));
      transactions.push(last);
    }
    return chain.mine(transactions);
  });
}

function passOn(coins: readonly PayerCoin[]): Transaction {
  const [coin] = coins;
  assert(coin !== undefined, 'it has one output');
  const outputs = [{ value: coin.output.value, scriptPubKey: ANYONE }];
  return Transaction.fromFields(unsignedPayment({ coins, outputs }));
}

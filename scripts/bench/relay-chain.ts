/** A regtest chain with many coins, and payments that spend them: the same in every process. */

import { type Block, Transaction, type TxOutput } from '#primitives';
import { TxSighash } from '#script';
import { assert } from '#util';
import type { PayerCoin } from '../../src/mempool/payer.ts';
import { unsignedPayment } from '../../src/mempool/payer.ts';
import { BlockMaker, coinsOf } from './block-maker.ts';
import { type Lock, p2wpkh, secretsFrom } from './locks.ts';

const OUTPUTS_PER_COINBASE = 1_000;
const FAN_OUTS_PER_BLOCK = 10;
/** Above the relay minimum. A P2WPKH input takes 68 vbytes, such an output 31, the rest 11. */
const FEE_RATE = 2n;

/** Of P2WPKH inputs and outputs. */
export type Shape = { readonly inputs: number; readonly outputs: number };

/** 371 bytes, 208 vbytes. */
export const PAYMENT: Shape = { inputs: 2, outputs: 2 };
/** 490 bytes, of 982 weight units: 4,000 fill a block, of 2 MB. */
export const LARGE_PAYMENT: Shape = { inputs: 3, outputs: 1 };

export type RelayChain = {
  /** From height 1 on: those with the coins, and none that was mined later. */
  readonly blocks: readonly Block[];
  /** None spends another. All outputs have the script, or one that `pay` could spend. */
  readonly pay: (shape: Shape, scriptPubKey?: Uint8Array) => Transaction;
  /** Leaves out coins: processes that make different payments leave each other's. */
  readonly skip: (coins: number) => void;
  /** The next block, from these transactions. */
  readonly mine: (transactions: readonly Transaction[]) => Block;
};

/** `coins`: how many can be spent. */
export function buildRelayChain(coins: number): RelayChain {
  const lock = p2wpkh(secretsFrom(3));
  const maker = new BlockMaker(lock.scriptPubKey);
  const made = fanOut(maker, lock, Math.ceil(coins / OUTPUTS_PER_COINBASE));
  return {
    blocks: made.blocks,
    pay: (shape, scriptPubKey = lock.scriptPubKey) => {
      assert(made.coins.length >= shape.inputs, 'the chain was made with enough coins');
      const fee = FEE_RATE * BigInt(shape.inputs * 68 + shape.outputs * 31 + 11);
      const coins = made.coins.splice(-shape.inputs);
      return spend(coins, lock, outputsOf(coins, fee, shape.outputs, scriptPubKey));
    },
    skip: (count) => {
      made.coins.length -= count;
    },
    mine: (transactions) => maker.mine(transactions),
  };
}

function fanOut(maker: BlockMaker, lock: Lock, count: number): { blocks: Block[]; coins: PayerCoin[] } {
  const blocks: Block[] = [];
  const coins: PayerCoin[] = [];
  const mining = maker.mineCoinbases(count);
  let step = mining.next();
  for (; step.done !== true; step = mining.next()) blocks.push(step.value);
  const coinbases = step.value;
  for (let at = 0; at < coinbases.length; at += FAN_OUTS_PER_BLOCK) {
    const splits = coinbases
      .slice(at, at + FAN_OUTS_PER_BLOCK)
      .map((coin) => spend([coin], lock, outputsOf([coin], 0n, OUTPUTS_PER_COINBASE, lock.scriptPubKey)));
    blocks.push(maker.mine(splits));
    coins.push(...splits.flatMap(coinsOf));
  }
  return { blocks, coins };
}

/** Even parts of what the coins have. */
function outputsOf(coins: readonly PayerCoin[], fee: bigint, count: number, scriptPubKey: Uint8Array): TxOutput[] {
  const total = coins.reduce((sum, { output }) => sum + output.value, 0n) - fee;
  const value = total / BigInt(count);
  return Array.from({ length: count }, () => ({ value, scriptPubKey }));
}

function spend(coins: readonly PayerCoin[], lock: Lock, outputs: readonly TxOutput[]): Transaction {
  const fields = unsignedPayment({ coins, outputs });
  const spent = coins.map(({ output }) => output);
  const sighash = new TxSighash(Transaction.fromFields(fields), spent);
  const inputs = fields.inputs.map((input, at) => ({ ...input, ...lock.unlock(sighash, at) }));
  return Transaction.fromFields({ ...fields, inputs });
}

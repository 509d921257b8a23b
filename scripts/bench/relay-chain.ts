/** A regtest chain with many coins, and batches of payments that spend them: the same in every process. */
import type { PayerCoin } from '#mempool';
import { type Block, Transaction } from '#primitives';
import { TxSighash } from '#script';
import { unsignedPayment } from '../../src/mempool/payer.ts';
import { BlockMaker, coinsOf } from './block-maker.ts';
import { type Lock, p2wpkh, secretsFrom } from './locks.ts';

const OUTPUTS_PER_COINBASE = 1_000;
const FAN_OUTS_PER_BLOCK = 10;
const INPUTS_PER_PAYMENT = 2;
const FEE = 2_000n;

export type RelayChain = {
  /** From height 1 on. */
  readonly blocks: readonly Block[];
  /** Payments with two P2WPKH inputs and two outputs, 371 bytes each; none spends another. */
  readonly takePayments: (count: number) => Transaction[];
  /** The next block, from so many payments. */
  readonly mine: (payments: readonly Transaction[]) => Block;
};

/** `payments`: how many can be taken. */
export function buildRelayChain(payments: number): RelayChain {
  const lock = p2wpkh(secretsFrom(3));
  const maker = new BlockMaker(lock.scriptPubKey);
  const fanOuts = Math.ceil((payments * INPUTS_PER_PAYMENT) / OUTPUTS_PER_COINBASE);
  const { blocks, coins } = fanOut(maker, lock, fanOuts);
  return {
    blocks,
    takePayments: (count) => Array.from({ length: count }, () => pay(coins.splice(-INPUTS_PER_PAYMENT), lock, FEE)),
    mine: (chosen) => maker.mine(chosen),
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
      .map((coin) => pay([coin], lock, 0n, OUTPUTS_PER_COINBASE));
    blocks.push(maker.mine(splits));
    coins.push(...splits.flatMap(coinsOf));
  }
  return { blocks, coins };
}

function pay(coins: readonly PayerCoin[], lock: Lock, fee: bigint, outputCount = 2): Transaction {
  const total = coins.reduce((sum, { output }) => sum + output.value, 0n) - fee;
  const value = total / BigInt(outputCount);
  const outputs = Array.from({ length: outputCount }, () => ({ value, scriptPubKey: lock.scriptPubKey }));
  const fields = unsignedPayment({ coins, outputs });
  const spent = coins.map(({ output }) => output);
  const sighash = new TxSighash(Transaction.fromFields(fields), spent);
  const inputs = fields.inputs.map((input, at) => ({ ...input, ...lock.unlock(sighash, at) }));
  return Transaction.fromFields({ ...fields, inputs });
}

/**
 * A regtest chain like the one that a new node fetches: blocks full of payments that spend P2WPKH, taproot, P2PKH and
 * 2-of-3 coins of all ages, each with keys of its own. The same each time.
 */

import { type Block, Transaction, type TxOutput } from '#primitives';
import { TxSighash } from '#script';
import { type Random, seededRandom } from '#util';
import type { PayerCoin } from '../../src/mempool/payer.ts';
import { unsignedPayment } from '../../src/mempool/payer.ts';
import { BlockMaker, coinsOf } from './block-maker.ts';
import type { ChainRecipe } from './chain-cache.ts';
import { CoinPool } from './coin-pool.ts';
import { type Lock, type NextSecret, p2pkh, p2trKey, p2trScript, p2wpkh, p2wshMultisig, secretsFrom } from './locks.ts';

/** Of a hundred outputs. */
const MIX: readonly { readonly share: number; readonly make: (next: NextSecret) => Lock }[] = [
  { share: 40, make: p2wpkh },
  { share: 40, make: p2trKey },
  { share: 10, make: p2pkh },
  { share: 8, make: p2wshMultisig },
  { share: 2, make: p2trScript },
];

const SEED = 1;
const FAN_OUTS_PER_BLOCK = 10;
const OUTPUTS_PER_PAYMENT = 2;
const MAX_INPUTS_PER_PAYMENT = 3;
const FEE_DIVISOR = 1000n;

export type SignedChainSize = {
  /** The coins to begin with: so many coinbases, split into so many outputs each. */
  readonly fanOuts: number;
  readonly outputsPerFanOut: number;
  /** Blocks of payments, the last of the chain. */
  readonly blocks: number;
  /** At least; the last payment may go two beyond. */
  readonly inputsPerBlock: number;
};

const FULL_SIZE: SignedChainSize = { fanOuts: 60, outputsPerFanOut: 1000, blocks: 300, inputsPerBlock: 700 };

export const SIGNED_CHAIN: ChainRecipe = {
  name: 'signed',
  tip: '663aea362cc8682f6a586de144f564e39c24b1aef577a36041e9cce56dbf8951',
  height: 60 + 100 + 6 + 300,
  build: () => buildSignedChain(FULL_SIZE),
};

type OwnedCoin = PayerCoin & { readonly lock: Lock };

/** From height 1 on. */
export function* buildSignedChain(size: SignedChainSize): Generator<Block> {
  const random = seededRandom(SEED);
  const nextSecret = secretsFrom(SEED);
  const nextLock = (): Lock => pick(random).make(nextSecret);
  const minerLock = p2wpkh(nextSecret);
  const maker = new BlockMaker(minerLock.scriptPubKey);
  const pool = new CoinPool<OwnedCoin>(random);
  const coinbases = yield* maker.mineCoinbases(size.fanOuts);
  for (let at = 0; at < coinbases.length; at += FAN_OUTS_PER_BLOCK) {
    const splits = coinbases.slice(at, at + FAN_OUTS_PER_BLOCK).map((coin) => {
      const locks = Array.from({ length: size.outputsPerFanOut }, nextLock);
      return spend(pool, [{ ...coin, lock: minerLock }], locks, random);
    });
    yield maker.mine(splits);
    pool.nextBlock();
  }
  for (let made = 0; made < size.blocks; made++) {
    const payments: Transaction[] = [];
    for (let inputs = 0; inputs < size.inputsPerBlock; ) {
      const coins = Array.from({ length: 1 + random.below(MAX_INPUTS_PER_PAYMENT) }, () => pool.take());
      payments.push(spend(pool, coins, Array.from({ length: OUTPUTS_PER_PAYMENT }, nextLock), random));
      inputs += coins.length;
    }
    yield maker.mine(payments);
    pool.nextBlock();
  }
}

function pick(random: Random): (typeof MIX)[number] {
  let left = random.below(100);
  const found = MIX.find(({ share }) => {
    left -= share;
    return left < 0;
  });
  return found ?? pick(random);
}

/** Pays what the coins hold, less a fee, to the locks, and puts the new coins into the pool. */
function spend(
  pool: CoinPool<OwnedCoin>,
  coins: readonly OwnedCoin[],
  locks: readonly Lock[],
  random: Random,
): Transaction {
  const total = coins.reduce((sum, { output }) => sum + output.value, 0n);
  const values = shares(total - total / FEE_DIVISOR, locks.length, random);
  const outputs = locks.map(({ scriptPubKey }, at): TxOutput => ({ value: values[at] ?? 0n, scriptPubKey }));
  const tx = signed(coins, outputs);
  pool.add(coinsOf(tx).flatMap((coin, at) => (locks[at] === undefined ? [] : { ...coin, lock: locks[at] })));
  return tx;
}

/** Splits an amount into parts between half and all of what is even, the last one with the rest. */
function shares(total: bigint, count: number, random: Random): bigint[] {
  const even = total / BigInt(count);
  const parts = Array.from({ length: count - 1 }, () => (even * BigInt(500 + random.below(500))) / 1000n);
  return [...parts, total - parts.reduce((sum, part) => sum + part, 0n)];
}

function signed(coins: readonly OwnedCoin[], outputs: readonly TxOutput[]): Transaction {
  const fields = unsignedPayment({ coins, outputs });
  const spent = coins.map(({ output }) => output);
  const sighash = new TxSighash(Transaction.fromFields(fields), spent);
  const inputs = fields.inputs.map((input, at) => ({ ...input, ...coins[at]?.lock.unlock(sighash, at) }));
  return Transaction.fromFields({ ...fields, inputs });
}

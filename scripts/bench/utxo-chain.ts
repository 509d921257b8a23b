/**
 * A regtest chain of many coins and no signature: each output is a witness program of a version that has no meaning
 * yet, which anybody may spend. It has the size of a taproot output, and no two are alike. The same each time.
 */
import { limits } from '#consensus';
import { sha256 } from '#crypto';
import { type Block, Transaction, type TxOutput } from '#primitives';
import { Op, pushData } from '#script';
import { concatBytes, seededRandom } from '#util';
import type { PayerCoin } from '../../src/mempool/payer.ts';
import { unsignedPayment } from '../../src/mempool/payer.ts';
import { BlockMaker, coinsOf } from './block-maker.ts';
import type { ChainRecipe } from './chain-cache.ts';
import { CoinPool } from './coin-pool.ts';

const SEED = 2;
const FAN_OUTS = 20;
const OUTPUTS_PER_FAN_OUT = 1000;
const TRANSACTIONS_PER_BLOCK = 1000;
const SPENT_PER_TRANSACTION = 2;
/** Those two, and two or three made in turns. */
const COINS_PER_TRANSACTION = 4.5;

/** Two weeks of work on top of the last coins, and a block: then the scripts below may be assumed valid. */
const BURYING_BLOCKS = 2017;

export type UtxoChainSize = {
  /** The coins to begin with: so many coinbases, split into a thousand each. */
  readonly fanOuts: number;
  readonly blocks: number;
  readonly transactionsPerBlock: number;
  /** Empty ones on top. */
  readonly buryingBlocks: number;
};

export type UtxoChain = ChainRecipe & {
  /** Made and spent, together; coinbases left out. */
  readonly coins: number;
};

/** A million coins, of which 800,000 are spent. */
export const UTXO_CHAIN = recipe('utxo', 400, '2575000cbcdd32c7f1299461cfcec851d3360a0e261a88afb60975028831e9f2');
/** Three million, of which 2,400,000 are spent. */
export const LONG_UTXO_CHAIN = recipe(
  'utxo-long',
  1200,
  '21053b5d2425d202c3d6bb2bb892938d149413efe0594bdd99283340b79f0397',
);

function recipe(name: string, blocks: number, tip: string): UtxoChain {
  const transactions = blocks * TRANSACTIONS_PER_BLOCK;
  return {
    name,
    tip,
    height: FAN_OUTS + limits.COINBASE_MATURITY + 1 + blocks + BURYING_BLOCKS,
    coins: FAN_OUTS * (1 + OUTPUTS_PER_FAN_OUT) + transactions * COINS_PER_TRANSACTION,
    build: () =>
      buildUtxoChain({
        fanOuts: FAN_OUTS,
        blocks,
        transactionsPerBlock: TRANSACTIONS_PER_BLOCK,
        buryingBlocks: BURYING_BLOCKS,
      }),
  };
}

/** From height 1 on. Each transaction spends two coins and makes two or three. */
export function* buildUtxoChain(size: UtxoChainSize): Generator<Block> {
  const { fanOuts, blocks, transactionsPerBlock, buryingBlocks } = size;
  const nextScript = scripts();
  const maker = new BlockMaker(nextScript());
  const pool = new CoinPool<PayerCoin>(seededRandom(SEED));
  const coinbases = yield* maker.mineCoinbases(fanOuts);
  yield maker.mine(coinbases.map((coin) => spend(pool, [coin], OUTPUTS_PER_FAN_OUT, nextScript)));
  pool.nextBlock();
  for (let made = 0; made < blocks; made++) {
    const transactions = Array.from({ length: transactionsPerBlock }, (_, at) => {
      const coins = Array.from({ length: SPENT_PER_TRANSACTION }, () => pool.take());
      return spend(pool, coins, 2 + (at % 2), nextScript);
    });
    yield maker.mine(transactions);
    pool.nextBlock();
  }
  for (let made = 0; made < buryingBlocks; made++) yield maker.mine([]);
}

/** Version 2 and a program of its own each time. */
function scripts(): () => Uint8Array {
  const preimage = new Uint32Array([SEED, 0]);
  return () => {
    preimage[1] = (preimage[1] ?? 0) + 1;
    return concatBytes(Uint8Array.of(Op.OP_2), pushData(sha256(new Uint8Array(preimage.buffer))));
  };
}

function spend(
  pool: CoinPool<PayerCoin>,
  coins: readonly PayerCoin[],
  count: number,
  nextScript: () => Uint8Array,
): Transaction {
  const value = coins.reduce((sum, { output }) => sum + output.value, 0n) / BigInt(count);
  const outputs = Array.from({ length: count }, (): TxOutput => ({ value, scriptPubKey: nextScript() }));
  const tx = Transaction.fromFields(unsignedPayment({ coins, outputs }));
  pool.add(coinsOf(tx));
  return tx;
}

/** A regtest chain whose last blocks are full of signed payments; the same each time. */
import type { NetworkParams } from '#consensus';
import type { Block, TxOutput } from '#primitives';
import { p2pkhScript, payFromP2pkh, type SigningKey, signingKey } from '../../src/mempool/payer.ts';
import { BlockMaker, coinsOf } from './block-maker.ts';
import { signDer } from './locks.ts';

const OUTPUTS_PER_COINBASE = 500;
const INPUTS_PER_PAYMENT = 2;

export type SpendChain = {
  readonly params: NetworkParams;
  /** From height 1 on. */
  readonly blocks: readonly Block[];
  /** Signatures in all of them. */
  readonly inputs: number;
};

export type SpendChainSize = { readonly blocks: number; readonly paymentsPerBlock: number };

/** Full blocks of payments with two inputs and two outputs each, all from and to one key, and what they need below. */
export function buildSpendChain(size: SpendChainSize): SpendChain {
  const key = fastKey(new Uint8Array(32).fill(7));
  const maker = new BlockMaker(p2pkhScript(key.publicKey));
  const needed = size.blocks * size.paymentsPerBlock * INPUTS_PER_PAYMENT;
  const fanOuts = Math.ceil(needed / OUTPUTS_PER_COINBASE);
  const blocks = [...spendBlocks(maker, key, fanOuts, size)];
  return { params: maker.params, blocks, inputs: needed + fanOuts };
}

function* spendBlocks(
  maker: BlockMaker,
  key: SigningKey,
  fanOuts: number,
  { blocks, paymentsPerBlock }: SpendChainSize,
): Generator<Block> {
  const script = p2pkhScript(key.publicKey);
  const coinbases = yield* maker.mineCoinbases(fanOuts);
  const split = coinbases.map((coin) => {
    const value = coin.output.value / BigInt(OUTPUTS_PER_COINBASE);
    const outputs: TxOutput[] = Array.from({ length: OUTPUTS_PER_COINBASE }, () => ({ value, scriptPubKey: script }));
    return payFromP2pkh(key, { coins: [coin], outputs });
  });
  yield maker.mine(split);
  const coins = split.flatMap((tx) => coinsOf(tx));
  for (let made = 0; made < blocks; made++) {
    yield maker.mine(
      Array.from({ length: paymentsPerBlock }, () => {
        const spent = coins.splice(-INPUTS_PER_PAYMENT);
        return payFromP2pkh(key, { coins: spent, outputs: spent.map(({ output }) => output) });
      }),
    );
  }
}

/** Signs ten times as fast as the payer's own key, to the same bytes: RFC 6979 leaves no choice. */
function fastKey(secret: Uint8Array): SigningKey {
  return { publicKey: signingKey(secret).publicKey, sign: (hash) => signDer(hash, secret) };
}

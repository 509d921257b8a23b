/** A regtest chain whose last blocks are full of signed payments; the same each time. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sign } from 'tiny-secp256k1';
import {
  blockSubsidy,
  compactToTarget,
  type HeaderView,
  type NetworkParams,
  nextWorkRequired,
  parseNetworkParams,
} from '#consensus';
import { type PayerCoin, p2pkhScript, payFromP2pkh, type SigningKey, signingKey } from '#mempool';
import { Block, type BlockHash, type Transaction, type TxOutput } from '#primitives';
import { assert } from '#util';
import regtestFile from '../../config/networks/regtest.json' with { type: 'json' };
import { assembleBlock } from '../../src/mempool/assemble-block.ts';
import { grindSlice } from '../../src/mempool/grind.ts';

const SPACING_SECONDS = 600;
const COINBASE_MATURITY = 100;
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
export function buildSpendChain({ blocks: count, paymentsPerBlock }: SpendChainSize): SpendChain {
  const params = parseNetworkParams(regtestFile);
  const key = fastKey(new Uint8Array(32).fill(7));
  const script = p2pkhScript(key.publicKey);
  const builder = new Builder(params, script);
  const needed = count * paymentsPerBlock * INPUTS_PER_PAYMENT;
  const fanOuts = Math.ceil(needed / OUTPUTS_PER_COINBASE);
  const coinbases = Array.from({ length: fanOuts }, () => coinsOf(builder.mine([]).transactions[0])).flat();
  while (builder.height < fanOuts + COINBASE_MATURITY) builder.mine([]);
  const split = coinbases.map((coin) => {
    const value = coin.output.value / BigInt(OUTPUTS_PER_COINBASE);
    const outputs: TxOutput[] = Array.from({ length: OUTPUTS_PER_COINBASE }, () => ({ value, scriptPubKey: script }));
    return payFromP2pkh(key, { coins: [coin], outputs });
  });
  builder.mine(split);
  const coins = split.flatMap((tx) => coinsOf(tx));
  for (let made = 0; made < count; made++) {
    builder.mine(
      Array.from({ length: paymentsPerBlock }, () => {
        const spent = coins.splice(-INPUTS_PER_PAYMENT);
        return payFromP2pkh(key, { coins: spent, outputs: spent.map(({ output }) => output) });
      }),
    );
  }
  return { params, blocks: builder.blocks, inputs: needed + fanOuts };
}

/** Signs ten times as fast as the payer's own key, to the same bytes: RFC 6979 leaves no choice. */
function fastKey(secret: Uint8Array): SigningKey {
  const { publicKey } = signingKey(secret);
  return { publicKey, sign: (hash) => secp256k1.Signature.fromBytes(sign(hash, secret), 'compact').toBytes('der') };
}

function coinsOf(tx: Transaction | undefined): PayerCoin[] {
  return (tx?.outputs ?? []).map((output, index) => ({ txid: tx?.txidBytes ?? new Uint8Array(32), index, output }));
}

class Builder {
  readonly blocks: Block[] = [];
  readonly #params: NetworkParams;
  readonly #script: Uint8Array;
  readonly #views: HeaderView[];

  constructor(params: NetworkParams, script: Uint8Array) {
    this.#params = params;
    this.#script = script;
    this.#views = [this.#viewOf(params.genesis, 0)];
  }

  get height(): number {
    return this.blocks.length;
  }

  mine(transactions: readonly Transaction[]): Block {
    const height = this.height + 1;
    const parent = this.#views[height - 1];
    assert(parent !== undefined, 'each block has a parent');
    const time = parent.time + SPACING_SECONDS;
    const draft = assembleBlock({
      version: 0x20000000,
      prevHash: parent.hash,
      time,
      bits: nextWorkRequired(parent, time, this.#params),
      height,
      coinbase: { scriptPubKey: this.#script, value: blockSubsidy(height, this.#params), extraNonce: 0 },
      commitWitness: false,
      transactions,
    });
    const solved = grindSlice(draft.header, compactToTarget(draft.header.bits).target, 10_000);
    assert(solved.solved, 'regtest takes a few hashes');
    const block = Block.fromParts(solved.header, draft.transactions);
    this.blocks.push(block);
    this.#views.push(this.#viewOf(block, height));
    return block;
  }

  #viewOf(block: Block, height: number): HeaderView {
    const { version, time, bits } = block.header;
    const hash: BlockHash = block.hash;
    return { version, time, bits, hash, height, ancestor: (to) => this.#viewAt(to) };
  }

  #viewAt(height: number): HeaderView {
    const view = this.#views[height];
    assert(view !== undefined, 'an ancestor was built before');
    return view;
  }
}

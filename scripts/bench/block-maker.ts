/** Mines regtest blocks one behind the other; the same each time. */
import {
  blockSubsidy,
  compactToTarget,
  type HeaderView,
  limits,
  type NetworkParams,
  nextWorkRequired,
  parseNetworkParams,
} from '#consensus';
import { Block, type BlockHash, type Transaction } from '#primitives';
import { assert } from '#util';
import regtestFile from '../../config/networks/regtest.json' with { type: 'json' };
import { assembleBlock } from '../../src/mempool/assemble-block.ts';
import type { PayerCoin } from '../../src/mempool/payer.ts';
import { grindSlice } from '../../src/miner/grind.ts';

const SPACING_SECONDS = 600;

export const regtestParams = (): NetworkParams => parseNetworkParams(regtestFile);

/** The outputs of a transaction, to be spent. */
export function coinsOf(tx: Transaction): PayerCoin[] {
  return tx.outputs.map((output, index) => ({ txid: tx.txidBytes, index, output }));
}

export class BlockMaker {
  readonly params = regtestParams();
  readonly #coinbaseScript: Uint8Array;
  readonly #views: HeaderView[];

  /** Every coinbase pays the script. */
  constructor(coinbaseScript: Uint8Array) {
    this.#coinbaseScript = coinbaseScript;
    this.#views = [this.#viewOf(this.params.genesis, 0)];
  }

  get height(): number {
    return this.#views.length - 1;
  }

  /** The next block. `transactions` go without the coinbase, parents before children. Their fees are lost. */
  mine(transactions: readonly Transaction[]): Block {
    const height = this.height + 1;
    const parent = this.#viewAt(height - 1);
    const time = parent.time + SPACING_SECONDS;
    const draft = assembleBlock({
      version: 0x20000000,
      prevHash: parent.hash,
      time,
      bits: nextWorkRequired(parent, time, this.params),
      height,
      coinbase: { scriptPubKey: this.#coinbaseScript, value: blockSubsidy(height, this.params), extraNonce: 0 },
      commitWitness: transactions.some((tx) => tx.hasWitness),
      transactions,
    });
    const solved = grindSlice(draft.header, compactToTarget(draft.header.bits).target, 10_000);
    assert(solved.solved, 'regtest takes a few hashes');
    const block = Block.fromParts(solved.header, draft.transactions);
    this.#views.push(this.#viewOf(block, height));
    return block;
  }

  /** Empty blocks, so many that the coinbases of the first `count` of them may be spent. Gives these. */
  *mineCoinbases(count: number): Generator<Block, PayerCoin[]> {
    const coins: PayerCoin[] = [];
    for (let made = 0; made < count + limits.COINBASE_MATURITY; made++) {
      const block = this.mine([]);
      const [coinbase] = block.transactions;
      if (coinbase !== undefined && made < count) coins.push(...coinsOf(coinbase));
      yield block;
    }
    return coins;
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

/** Random blocks for the reorganisation test: spends of all sorts, and blocks that break a rule when connected. */
import assert from 'node:assert/strict';
import type { Coin } from '#chain';
import type { Transaction, TxOutput } from '#primitives';
import { Op } from '#script';
import { type Random, toHex } from '#util';
import { type BlockOptions, withCoinbaseInput } from '../support/chain-builder.ts';
import { ANYONE_CAN_SPEND } from '../support/keys.ts';
import { type RawSpend, rawTx } from '../support/tx-builder.ts';
import { coinKey, isMature, type ModelBlock, type ReorgModel, subsidyAt } from './reorg-model.ts';

const MAX_TRANSACTIONS = 4;
const MAX_SPENDS = 3;
const MAX_OUTPUTS = 3;
/** Transactions that may be taken up again by a block of another branch. */
const MAX_REMEMBERED = 60;

/** What a block can do wrong. `height` is found before it is stored, the others when it is connected. */
export const FAULTS = ['amount', 'missing', 'immature', 'twice', 'script', 'height'] as const;
export type Fault = (typeof FAULTS)[number];

export class BlockMaker {
  readonly #random: Random;
  readonly #model: ReorgModel;
  readonly #recent: Transaction[] = [];

  constructor(random: Random, model: ReorgModel) {
    this.#random = random;
    this.#model = model;
  }

  /** A block on `parent`; on one that is invalid it is empty. */
  make(parent: ModelBlock, fault?: Fault): ModelBlock {
    const builder = parent.builder.fork(parent.height);
    const transactions = parent.coins === undefined ? [] : this.#transactions(parent.coins, parent.height + 1);
    const options: BlockOptions = { transactions, coinbaseScript: ANYONE_CAN_SPEND };
    builder.mine(fault === undefined ? options : this.#spoil(options, parent, fault));
    const made = this.#model.add(parent, builder, fault === 'height');
    assert(fault === undefined || made.coins === undefined, `the model does not mind ${fault}`);
    assert(fault !== undefined || parent.coins === undefined || made.coins !== undefined, 'a good block is good');
    return made;
  }

  chain(parent: ModelBlock, count: number): ModelBlock[] {
    const made: ModelBlock[] = [];
    for (let i = 0; i < count; i++) made.push(this.make(made.at(-1) ?? parent));
    return made;
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.#random.below(Math.max(1, from.length))];
    assert(picked !== undefined, 'there is something to pick from');
    return picked;
  }

  /** Up to four: coins of the parent and of the transactions before, or transactions that another branch has already. */
  #transactions(coins: ReadonlyMap<string, Coin>, height: number): Transaction[] {
    const free = new Map<string, RawSpend>();
    for (const [key, coin] of coins) {
      const outpoint = this.#model.outpoints.get(key);
      if (outpoint !== undefined && isMature(coin, height))
        free.set(key, { coin: { ...outpoint, output: coin.output } });
    }
    const transactions: Transaction[] = [];
    for (let left = this.#random.below(MAX_TRANSACTIONS + 1); left > 0; left--) {
      const tx = this.#again(free) ?? this.#fresh(free);
      if (tx === undefined) break;
      transactions.push(tx);
      for (const { prevTxid, prevIndex } of tx.inputs) free.delete(coinKey({ txid: prevTxid, index: prevIndex }));
      for (const [index, output] of tx.outputs.entries()) {
        const coin = { txid: tx.txidBytes, index, output };
        if (output.scriptPubKey[0] !== Op.OP_RETURN) free.set(coinKey(coin), { coin });
      }
      this.#recent.push(tx);
      if (this.#recent.length > MAX_REMEMBERED) this.#recent.shift();
    }
    return transactions;
  }

  #again(free: ReadonlyMap<string, RawSpend>): Transaction | undefined {
    const tx = this.#recent[this.#random.below(MAX_REMEMBERED)];
    const fits = tx?.inputs.every(({ prevTxid, prevIndex }) => free.has(coinKey({ txid: prevTxid, index: prevIndex })));
    return fits === true ? tx : undefined;
  }

  #fresh(free: ReadonlyMap<string, RawSpend>): Transaction | undefined {
    const keys = [...free.keys()];
    if (keys.length === 0) return undefined;
    // The newest are at the end: they are spent as often as all others together.
    const recent = keys.slice(-5);
    const wanted = 1 + this.#random.below(MAX_SPENDS);
    const chosen = new Set(
      Array.from({ length: wanted }, () => this.pick(this.#random.below(2) === 0 ? keys : recent)),
    );
    const spends = [...chosen].flatMap((key) => free.get(key) ?? []);
    return rawTx(spends, this.#outputs(spends.reduce((sum, { coin }) => sum + coin.output.value, 0n)));
  }

  /** What is left over is the fee. */
  #outputs(total: bigint): TxOutput[] {
    let left = total;
    return Array.from({ length: 1 + this.#random.below(MAX_OUTPUTS) }, () => {
      const value = (left * BigInt(this.#random.below(101))) / 100n;
      left -= value;
      const isBurnt = this.#random.below(10) === 0;
      return { value, scriptPubKey: isBurnt ? Uint8Array.of(Op.OP_RETURN) : ANYONE_CAN_SPEND };
    });
  }

  #spoil(options: BlockOptions, parent: ModelBlock, fault: Fault): BlockOptions {
    const { transactions = [] } = options;
    const height = parent.height + 1;
    const adding = (...more: readonly Transaction[]): BlockOptions => ({
      ...options,
      transactions: [...transactions, ...more],
    });
    const young = parent.builder.coin(parent.height - this.#random.below(50));
    const nothing = [{ value: 0n, scriptPubKey: ANYONE_CAN_SPEND }];
    switch (fault) {
      case 'amount':
        return { ...options, transactions: [], coinbaseValue: subsidyAt(height) + 1n };
      case 'missing':
        return adding(rawTx([{ coin: this.#missing(parent, transactions) }], nothing));
      case 'immature':
        return adding(rawTx([{ coin: young }], nothing));
      case 'twice': {
        const coin = this.#mature(parent);
        return { ...options, transactions: [rawTx([{ coin }]), rawTx([{ coin }], nothing)] };
      }
      case 'script':
        return {
          ...options,
          transactions: [rawTx([{ coin: this.#mature(parent), scriptSig: Uint8Array.of(Op.OP_RETURN) }])],
        };
      case 'height':
        return { ...options, mutateTransactions: withCoinbaseInput({ scriptSig: Uint8Array.of(Op.OP_0, Op.OP_0) }) };
    }
  }

  /** A coin of another branch, or one that was spent. */
  #missing(parent: ModelBlock, transactions: readonly Transaction[]): RawSpend['coin'] {
    const own = transactions.map((tx) => toHex(tx.txidBytes));
    const outpoints = [...this.#model.outpoints];
    for (;;) {
      const [key, outpoint] = this.pick(outpoints);
      if (parent.coins?.has(key) || own.some((txid) => key.startsWith(txid))) continue;
      return { ...outpoint, output: { value: 0n, scriptPubKey: ANYONE_CAN_SPEND } };
    }
  }

  /** There is one: nobody could spend the youngest before. */
  #mature(parent: ModelBlock): RawSpend['coin'] {
    for (const [key, coin] of parent.coins ?? []) {
      const outpoint = this.#model.outpoints.get(key);
      if (outpoint !== undefined && isMature(coin, parent.height + 1)) return { ...outpoint, output: coin.output };
    }
    throw new Error('no coin is left to spend');
  }
}

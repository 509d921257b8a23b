/**
 * A naive chain: every block it was ever shown, with the whole UTXO set behind each. It knows the rules that
 * `reorg-model-blocks.ts` breaks, and which block is the best: most work, then the first that was complete.
 */
import assert from 'node:assert/strict';
import type { Coin, OutPoint } from '#chain';
import type { Block, BlockHash, Transaction } from '#primitives';
import { toHex } from '#util';
import type { ChainBuilder } from '../support/chain-builder.ts';

export type ModelCoins = ReadonlyMap<string, Coin>;

export type ModelBlock = {
  readonly block: Block;
  readonly hash: BlockHash;
  readonly height: number;
  readonly parent: ModelBlock | undefined;
  /** Stands on this block. */
  readonly builder: ChainBuilder;
  /** What is unspent behind it; undefined if it or an ancestor breaks a rule. */
  readonly coins: ModelCoins | undefined;
  /** Keys of the coins that it makes or spends. */
  readonly touched: readonly string[];
  /** Its body was taken. */
  isStored: boolean;
  /** When it and all its ancestors were stored. Equal: in an order that is not known. */
  sequence: number | undefined;
  /** Told to be invalid, or built on such a block. */
  isFlagged: boolean;
};

const MATURITY = 100;
const HALVING = 150;
const OP_RETURN = 0x6a;
/** Smaller than any sequence given later. */
const BEFORE_ALL = -1;

export function coinKey(outpoint: OutPoint): string {
  return `${toHex(outpoint.txid)}:${outpoint.index}`;
}

export class ReorgModel {
  readonly blocks = new Map<BlockHash, ModelBlock>();
  /** Every output of every block, spent or not. */
  readonly outpoints = new Map<string, OutPoint>();
  readonly #children = new Map<ModelBlock, ModelBlock[]>();
  #sequence = 0;

  constructor(genesis: ChainBuilder) {
    const { block, hash } = genesis.at(0);
    this.blocks.set(hash, {
      ...{ block, hash, height: 0, parent: undefined, builder: genesis, coins: new Map(), touched: [] },
      ...{ isStored: true, sequence: BEFORE_ALL, isFlagged: false },
    });
  }

  get(hash: BlockHash): ModelBlock {
    const known = this.blocks.get(hash);
    assert(known !== undefined, `the model has no block ${hash}`);
    return known;
  }

  /** The block on which the builder stands, on `parent`. `breaksRule`: whatever its transactions are. */
  add(parent: ModelBlock, builder: ChainBuilder, breaksRule: boolean): ModelBlock {
    const { block, hash, height } = builder.tip;
    const coins = parent.coins === undefined || breaksRule ? undefined : coinsBehind(parent.coins, block, height);
    const made = {
      block,
      hash,
      height,
      parent,
      builder,
      coins,
      touched: [...createdBy(block).map((outpoint) => this.#register(outpoint)), ...spentBy(block).map(coinKey)],
      isStored: false,
      sequence: undefined,
      isFlagged: false,
    };
    this.blocks.set(hash, made);
    return made;
  }

  #register(outpoint: OutPoint): string {
    const key = coinKey(outpoint);
    this.outpoints.set(key, outpoint);
    return key;
  }

  /** The body was stored: it, and what waited for it, is complete if its parent is. */
  stored(block: ModelBlock): void {
    const { parent } = block;
    if (block.isStored || parent === undefined) return;
    block.isStored = true;
    this.#children.set(parent, [...(this.#children.get(parent) ?? []), block]);
    if (parent.sequence === undefined) return;
    const queue = [block];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      next.sequence = ++this.#sequence;
      queue.push(...(this.#children.get(next) ?? []));
    }
  }

  /** The body was lost in a crash, and so were those that came later. */
  lost(block: ModelBlock): void {
    const { parent } = block;
    block.isStored = false;
    block.sequence = undefined;
    if (parent !== undefined)
      this.#children.set(
        parent,
        (this.#children.get(parent) ?? []).filter((b) => b !== block),
      );
  }

  /** After a restart nobody knows which block came first; only that those up to `first` came before all others. */
  forgetOrder(first: readonly ModelBlock[]): void {
    this.#sequence++;
    for (const block of this.blocks.values()) if (block.sequence !== undefined) block.sequence = this.#sequence;
    for (const block of first) block.sequence = BEFORE_ALL;
  }

  /** The blocks that may be the tip: one, unless the order of several is not known. */
  best(): ModelBlock[] {
    let best: ModelBlock[] = [];
    for (const block of this.blocks.values()) {
      if (block.sequence === undefined || block.coins === undefined || block.isFlagged) continue;
      const order = compare(block, best[0]);
      if (order > 0) best = [block];
      else if (order === 0) best.push(block);
    }
    return best;
  }

  /** `tip` is the best block; if others could be it as well, it came before them. */
  settle(tip: ModelBlock): void {
    const best = this.best();
    const names = best.map(({ height, hash }) => `${height} ${hash}`);
    assert.ok(best.includes(tip), `the tip is ${tip.height} ${tip.hash}, the model has ${names.join(' or ')}`);
    if (best.length > 1) tip.sequence = BEFORE_ALL;
  }

  /** All blocks above the height, on every branch. */
  above(height: number): ModelBlock[] {
    return [...this.blocks.values()].filter((block) => block.height > height);
  }

  /** The block and all that build on it. */
  family(block: ModelBlock): ModelBlock[] {
    return [...this.blocks.values()].filter((each) => isAncestor(block, each));
  }
}

function createdBy(block: Block): OutPoint[] {
  return block.transactions.flatMap((tx) => tx.outputs.map((_, index) => ({ txid: tx.txidBytes, index })));
}

function spentBy(block: Block): OutPoint[] {
  const inputs = block.transactions.flatMap((tx) => (tx.isCoinbase ? [] : tx.inputs));
  return inputs.map(({ prevTxid, prevIndex }) => ({ txid: prevTxid, index: prevIndex }));
}

/** The block itself is one. */
export function isAncestor(block: ModelBlock, of: ModelBlock): boolean {
  let walk: ModelBlock | undefined = of;
  while (walk !== undefined && walk.height > block.height) walk = walk.parent;
  return walk === block;
}

export function ancestors(block: ModelBlock): ModelBlock[] {
  const line: ModelBlock[] = [];
  for (let walk: ModelBlock | undefined = block; walk !== undefined; walk = walk.parent) line.push(walk);
  return line;
}

/** Every block has the same work. */
function compare(a: ModelBlock, b: ModelBlock | undefined): number {
  if (b === undefined || a.height !== b.height) return a.height - (b?.height ?? -1);
  return (b.sequence ?? 0) - (a.sequence ?? 0);
}

function coinsBehind(before: ModelCoins, block: Block, height: number): ModelCoins | undefined {
  const coins = new Map(before);
  let fees = 0n;
  for (const tx of block.transactions) {
    const fee = tx.isCoinbase ? 0n : spend(coins, tx, height);
    if (fee === undefined) return undefined;
    fees += fee;
    for (const [index, output] of tx.outputs.entries()) {
      if (output.scriptPubKey[0] === OP_RETURN) continue;
      coins.set(coinKey({ txid: tx.txidBytes, index }), { output, height, isCoinbase: tx.isCoinbase });
    }
  }
  const claimed = block.transactions[0]?.outputs.reduce((sum, { value }) => sum + value, 0n) ?? 0n;
  return claimed > subsidyAt(height) + fees ? undefined : coins;
}

export function subsidyAt(height: number): bigint {
  return 50_0000_0000n >> BigInt(Math.floor(height / HALVING));
}

export function isMature(coin: Coin, height: number): boolean {
  return !coin.isCoinbase || height - coin.height >= MATURITY;
}

/** The fee, or undefined when a rule is broken. Every coin is free to spend, but only by an empty script. */
function spend(coins: Map<string, Coin>, tx: Transaction, height: number): bigint | undefined {
  let fee = -tx.outputs.reduce((sum, { value }) => sum + value, 0n);
  for (const { prevTxid, prevIndex, scriptSig } of tx.inputs) {
    const key = coinKey({ txid: prevTxid, index: prevIndex });
    const coin = coins.get(key);
    if (coin === undefined || !isMature(coin, height) || scriptSig.length > 0) return undefined;
    coins.delete(key);
    fee += coin.output.value;
  }
  return fee < 0n ? undefined : fee;
}

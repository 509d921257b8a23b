/**
 * What a chain of the builder allows, recomputed from its first block each time, by the text of the rules and not by the
 * program's own functions: unspent outputs, lock times, relative locks (BIP68, BIP113), maturity of coinbases.
 */
import { type Transaction, type TxInput, txidFromBytes } from '#primitives';
import type { ChainBuilder } from '../../support/chain-builder.ts';

export const outpoint = ({ prevTxid, prevIndex }: TxInput): string => `${txidFromBytes(prevTxid)}:${prevIndex}`;

type Coin = { readonly height: number; readonly isCoinbase: boolean };

const MATURITY = 100;
const LOCK_IS_TIME = 500_000_000;
const FINAL = 0xffffffff;
const NO_RELATIVE_LOCK = 0x80000000;
const RELATIVE_TIME = 0x00400000;

/** A block on the tip that is being filled, or the mempool, which is the same to the rules. */
export class NextBlock {
  readonly #builder: ChainBuilder;
  readonly #unspent = new Map<string, Coin>();
  readonly #height: number;

  constructor(builder: ChainBuilder) {
    this.#builder = builder;
    this.#height = builder.height + 1;
    builder.blocks.forEach((block, at) => {
      for (const tx of block.transactions) this.#apply(tx, at + 1);
    });
  }

  /** Takes the transaction if it may stand here, behind those that were taken before. */
  take(tx: Transaction): boolean {
    const coins = tx.inputs.map((input) => this.#unspent.get(outpoint(input)));
    const allowed =
      this.#isFinal(tx) && tx.inputs.every((input, at) => this.#maySpend(input, coins[at], tx.version >= 2));
    if (allowed) this.#apply(tx, this.#height);
    return allowed;
  }

  /** Takes as many as may stand here, in whatever order they fit. */
  takeAll(txs: Iterable<Transaction>): Set<Transaction> {
    const left = new Set(txs);
    const taken = new Set<Transaction>();
    for (let size = -1; size !== taken.size; ) {
      size = taken.size;
      for (const tx of left) {
        if (!this.take(tx)) continue;
        left.delete(tx);
        taken.add(tx);
      }
    }
    return taken;
  }

  #apply(tx: Transaction, height: number): void {
    if (!tx.isCoinbase) for (const input of tx.inputs) this.#unspent.delete(outpoint(input));
    tx.outputs.forEach((_, index) => {
      this.#unspent.set(`${tx.txid}:${index}`, { height, isCoinbase: tx.isCoinbase });
    });
  }

  #isFinal({ lockTime, inputs }: Transaction): boolean {
    if (lockTime === 0 || inputs.every(({ sequence }) => sequence === FINAL)) return true;
    return lockTime < (lockTime < LOCK_IS_TIME ? this.#height : this.#medianTime(this.#height - 1));
  }

  #maySpend({ sequence }: TxInput, coin: Coin | undefined, hasRelativeLocks: boolean): boolean {
    if (coin === undefined) return false;
    if (coin.isCoinbase && this.#height - coin.height < MATURITY) return false;
    if (!hasRelativeLocks || sequence >= NO_RELATIVE_LOCK) return true;
    const units = sequence % 0x10000;
    if (Math.floor(sequence / RELATIVE_TIME) % 2 === 0) return coin.height + units <= this.#height;
    return this.#medianTime(coin.height - 1) + units * 512 <= this.#medianTime(this.#height - 1);
  }

  #medianTime(height: number): number {
    const from = Math.max(0, height - 10);
    const times = Array.from({ length: height - from + 1 }, (_, at) => this.#builder.view(from + at).time);
    return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  }
}

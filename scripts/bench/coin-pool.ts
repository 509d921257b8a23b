/** Unspent coins in the order of their age, spent at ages as in real blocks: half within hours, the rest at any time. */
import { assert, type Random } from '#util';

const RECENT_BLOCKS = 10;

export class CoinPool<Coin> {
  readonly #random: Random;
  /** By block, the newest last. */
  #recent: Coin[][] = [[]];
  readonly #old: Coin[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** The coins of a transaction in the block that is being made. */
  add(coins: readonly Coin[]): void {
    this.#recent.at(-1)?.push(...coins);
  }

  nextBlock(): void {
    this.#recent.push([]);
    if (this.#recent.length <= RECENT_BLOCKS) return;
    for (const coin of this.#recent.shift() ?? []) this.#old.push(coin);
  }

  /** Takes out one coin: half of the time one of the last blocks', else one of the older. There must be one. */
  take(): Coin {
    const recent = this.#recent.filter((coins) => coins.length > 0);
    const isRecent = this.#old.length === 0 || (recent.length > 0 && this.#random.below(2) === 0);
    assert(!isRecent || recent.length > 0, 'the pool is not empty');
    const from = isRecent ? recent[this.#random.below(recent.length)] : this.#old;
    assert(from !== undefined, 'there is a block of that index');
    // The last one fills the gap: the order does not matter.
    const at = this.#random.below(from.length);
    const coin = from[at];
    const last = from.pop();
    assert(coin !== undefined && last !== undefined, 'the block has coins left');
    if (at < from.length) from[at] = last;
    return coin;
  }
}

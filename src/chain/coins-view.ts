/** The coins as one block in the making sees them: changes pile up here and reach the cache only by `commit`. */

import type { CoinKey, CoinsCache } from './coins-cache.ts';
import type { Coin } from './port.ts';

type Change = {
  /** Undefined: spent. */
  readonly coin: Coin | undefined;
  /** The cache below holds an unspent coin under this key. */
  readonly inBase: boolean;
  /** The cache below may hold one that nobody looked for. */
  readonly mayExist: boolean;
};

export class CoinsView {
  readonly #base: CoinsCache;
  readonly #changes = new Map<CoinKey, Change>();

  constructor(base: CoinsCache) {
    this.#base = base;
  }

  get(key: CoinKey): Coin | undefined {
    const change = this.#changes.get(key);
    return change === undefined ? this.#base.get(key) : change.coin;
  }

  /** Takes the coin out and gives it; undefined if there is none. */
  spend(key: CoinKey): Coin | undefined {
    const change = this.#changes.get(key);
    const coin = change === undefined ? this.#base.get(key) : change.coin;
    if (coin === undefined) return undefined;
    if (change === undefined || change.inBase || change.mayExist) {
      this.#changes.set(key, { coin: undefined, inBase: change?.inBase ?? true, mayExist: change?.mayExist ?? false });
    } else {
      // Born and spent in the same block: nobody below ever hears of it.
      this.#changes.delete(key);
    }
    return coin;
  }

  /** `mayExist`: the cache below may hold an unspent coin under this key, which this one replaces. */
  add(key: CoinKey, coin: Coin, mayExist: boolean): void {
    const inBase = this.#changes.get(key)?.inBase ?? false;
    this.#changes.set(key, { coin, inBase, mayExist });
  }

  /** Applies everything to the cache. The view is empty afterwards. */
  commit(): void {
    for (const [key, { coin, inBase, mayExist }] of this.#changes) {
      if (coin !== undefined) this.#base.add(key, coin, mayExist || inBase);
      else if (inBase || this.#base.get(key) !== undefined) this.#base.spend(key);
    }
    this.#changes.clear();
  }
}

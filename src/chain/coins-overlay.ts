/** Changes to the coins that nobody else sees, in memory only: to take blocks back and connect them again on trial. */
import type { CoinsCache, CoinsView } from './coins-cache.ts';
import { outpointText } from './tx-coins.ts';

/** What an entry weighs besides the coin: the key, and the map around both. */
const ENTRY_BYTES = 150;

export class CoinsOverlay implements CoinsView {
  readonly #base: Pick<CoinsCache, 'read'>;
  /** Undefined: spent. */
  readonly #changes = new Map<string, Uint8Array | undefined>();
  #bytes = 0;

  /** The base must stay as it is. */
  constructor(base: Pick<CoinsCache, 'read'>) {
    this.#base = base;
  }

  /** An upper bound of the memory taken. */
  get bytes(): number {
    return this.#bytes;
  }

  has(txid: Uint8Array, index: number): boolean {
    return this.#read(txid, index) !== undefined;
  }

  add(txid: Uint8Array, index: number, coin: Uint8Array): Uint8Array | undefined {
    const replaced = this.#read(txid, index);
    this.#change(txid, index, coin.slice());
    return replaced;
  }

  spend(txid: Uint8Array, index: number): Uint8Array | undefined {
    const coin = this.#read(txid, index);
    if (coin !== undefined) this.#change(txid, index, undefined);
    return coin;
  }

  #read(txid: Uint8Array, index: number): Uint8Array | undefined {
    const key = outpointText(txid, index);
    return this.#changes.has(key) ? this.#changes.get(key) : this.#base.read(txid, index);
  }

  #change(txid: Uint8Array, index: number, coin: Uint8Array | undefined): void {
    this.#changes.set(outpointText(txid, index), coin);
    this.#bytes += ENTRY_BYTES + (coin?.length ?? 0);
  }
}

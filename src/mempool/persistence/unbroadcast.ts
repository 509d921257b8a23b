/** Which transactions mempool.dat calls unbroadcast. */
import type { Txid } from '#primitives';
import type { PoolObserver } from '../observer.ts';
import type { Pool } from '../pool.ts';

/** Transactions of this node's own user that no peer is known to have. All of them are in the pool. */
export class Unbroadcast {
  readonly #txids = new Set<Txid>();
  readonly #pool: Pick<Pool, 'byTxid'>;
  readonly observer: PoolObserver = { left: ({ txid }) => this.delete(txid) };

  constructor(pool: Pick<Pool, 'byTxid'>) {
    this.#pool = pool;
  }

  /** False when it is not in the pool, be it not any more. */
  add(txid: Txid): boolean {
    const isHere = this.#pool.byTxid(txid) !== undefined;
    if (isHere) this.#txids.add(txid);
    return isHere;
  }

  delete(txid: Txid): void {
    this.#txids.delete(txid);
  }

  get size(): number {
    return this.#txids.size;
  }

  list(): Txid[] {
    return [...this.#txids];
  }
}

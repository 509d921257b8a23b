/** What mempool.dat holds beside the transactions: the unbroadcast ones, and fee deltas. */
import type { Sats, Txid } from '#primitives';
import type { PoolObserver } from '../observer.ts';
import type { Pool } from '../pool.ts';

/** Transactions of this node's own user that no peer is known to have. All of them are in the pool. */
export class Unbroadcast {
  readonly #txids = new Set<Txid>();
  readonly #pool: Pick<Pool, 'byTxid'>;
  readonly observer: PoolObserver = { left: ({ tx }) => this.delete(tx.txid) };

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

  list(): Txid[] {
    return [...this.#txids];
  }
}

/** More than any operator sets by hand; those that come after are dropped. */
const MAX_FEE_DELTAS = 10_000;

/** Core's mapDeltas. Carried from file to file, so that none is lost; nothing ranks by them yet. */
export class FeeDeltas {
  readonly #byTxid = new Map<Txid, Sats>();
  readonly observer: PoolObserver = {
    left: ({ tx }, reason) => {
      if (reason === 'block') this.#byTxid.delete(tx.txid);
    },
  };

  set(txid: Txid, feeDelta: Sats): void {
    if (this.#byTxid.size < MAX_FEE_DELTAS || this.#byTxid.has(txid)) this.#byTxid.set(txid, feeDelta);
  }

  get(txid: Txid): Sats {
    return this.#byTxid.get(txid) ?? 0n;
  }

  /** Of transactions of which `has` says no. */
  others(has: (txid: Txid) => boolean): Map<Txid, Sats> {
    return new Map([...this.#byTxid].filter(([txid]) => !has(txid)));
  }
}

/**
 * What the operator adds to the fees of single transactions, or takes from them, so that they rank higher or lower
 * here: Core's prioritisetransaction and mapDeltas. Nobody pays it and no peer sees it: minimum fees, replacement,
 * eviction and the choice for blocks go by the modified fee; what is reported, relayed and learned from by the base fee.
 * Kept for transactions that are not in the pool too, until a block confirms or contradicts them.
 * Bound: `MAX_FEE_DELTAS`; those that come after are refused.
 */
import type { Sats, Txid } from '#primitives';
import type { Pool } from './pool.ts';

/** More than any operator sets by hand. */
const MAX_FEE_DELTAS = 10_000;
/** Of the signed 64 bits that mempool.dat has for one. */
const MAX_FEE_DELTA = (1n << 63n) - 1n;
const MIN_FEE_DELTA = -(1n << 63n);

export class FeeDeltas {
  readonly #byTxid = new Map<Txid, Sats>();
  readonly #pool: Pick<Pool, 'setFeeDelta'>;

  constructor(pool: Pick<Pool, 'setFeeDelta'>) {
    this.#pool = pool;
  }

  get size(): number {
    return this.#byTxid.size;
  }

  /** Core's PrioritiseTransaction: adds to what was set before. False when there is no room for another one. */
  add(txid: Txid, feeDelta: Sats): boolean {
    if (!this.#byTxid.has(txid) && this.#byTxid.size >= MAX_FEE_DELTAS) return false;
    const sum = saturated(this.get(txid) + feeDelta);
    if (sum === 0n) this.#byTxid.delete(txid);
    else this.#byTxid.set(txid, sum);
    this.#pool.setFeeDelta(txid, sum);
    return true;
  }

  get(txid: Txid): Sats {
    return this.#byTxid.get(txid) ?? 0n;
  }

  /** Of a transaction that is not in the pool and cannot come back (Core's ClearPrioritisation). */
  forget(txid: Txid): void {
    this.#byTxid.delete(txid);
  }

  all(): ReadonlyMap<Txid, Sats> {
    return this.#byTxid;
  }

  /** Of transactions of which `has` says no. */
  others(has: (txid: Txid) => boolean): Map<Txid, Sats> {
    return new Map([...this.#byTxid].filter(([txid]) => !has(txid)));
  }
}

function saturated(value: Sats): Sats {
  if (value > MAX_FEE_DELTA) return MAX_FEE_DELTA;
  return value < MIN_FEE_DELTA ? MIN_FEE_DELTA : value;
}

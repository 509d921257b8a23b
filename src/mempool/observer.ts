/** Who wants to hear what enters and leaves the pool: one place, told synchronously, in the order of the changes. */
import type { PackedTransaction, Sats, Txid } from '#primitives';

/** Core's MemPoolRemovalReason. */
export type RemovalReason = 'expiry' | 'sizelimit' | 'reorg' | 'block' | 'conflict' | 'replaced';

export type ObservedEntry = Pick<PackedTransaction, 'wtxid' | 'size' | 'raw' | 'tx'> & {
  readonly txid: Txid;
  readonly fee: Sats;
  readonly vsize: number;
  readonly parents: ReadonlySet<unknown>;
};

/** How a transaction came in. */
export type Entrance = {
  /** Height of the tip that it was checked against. */
  readonly height: number;
  /** It comes back from a disconnected block. */
  readonly fromBlock: boolean;
  /** It was let in for what others of its package pay. */
  readonly inPackage: boolean;
};

/** Observers must not throw and must not change the pool. `sequence`: the number of the event (Core's mempool_sequence). */
export type PoolObserver = {
  /** It was let in, and room was made for it. */
  readonly entered?: (entry: ObservedEntry, how: Entrance, sequence: number) => void;
  readonly left?: (entry: ObservedEntry, reason: RemovalReason, sequence: number) => void;
  /** After everything that the block confirms or contradicts has left; `confirmed` in the block's order. */
  readonly blockConnected?: (height: number, confirmed: readonly ObservedEntry[]) => void;
};

export class PoolObservers {
  readonly #observers: PoolObserver[] = [];
  #sequence = 1;

  /** The number that the next event will have: each that enters or leaves counts, for whatever reason. */
  get sequence(): number {
    return this.#sequence;
  }

  /** For as long as the pool lives. */
  add(observer: PoolObserver): void {
    this.#observers.push(observer);
  }

  entered(entry: ObservedEntry, how: Entrance): void {
    const sequence = this.#sequence++;
    for (const observer of this.#observers) observer.entered?.(entry, how, sequence);
  }

  left(entry: ObservedEntry, reason: RemovalReason): void {
    const sequence = this.#sequence++;
    for (const observer of this.#observers) observer.left?.(entry, reason, sequence);
  }

  blockConnected(height: number, confirmed: readonly ObservedEntry[]): void {
    for (const observer of this.#observers) observer.blockConnected?.(height, confirmed);
  }
}

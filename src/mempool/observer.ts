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

/** Observers must not throw and must not change the pool. */
export type PoolObserver = {
  /** It was let in, and room was made for it. */
  readonly entered?: (entry: ObservedEntry, how: Entrance) => void;
  readonly left?: (entry: ObservedEntry, reason: RemovalReason) => void;
  /** After everything that the block confirms or contradicts has left; `confirmed` in the block's order. */
  readonly blockConnected?: (height: number, confirmed: readonly ObservedEntry[]) => void;
};

export class PoolObservers implements Required<PoolObserver> {
  readonly #observers: PoolObserver[] = [];

  /** For as long as the pool lives. */
  add(observer: PoolObserver): void {
    this.#observers.push(observer);
  }

  entered(entry: ObservedEntry, how: Entrance): void {
    for (const observer of this.#observers) observer.entered?.(entry, how);
  }

  left(entry: ObservedEntry, reason: RemovalReason): void {
    for (const observer of this.#observers) observer.left?.(entry, reason);
  }

  blockConnected(height: number, confirmed: readonly ObservedEntry[]): void {
    for (const observer of this.#observers) observer.blockConnected?.(height, confirmed);
  }
}

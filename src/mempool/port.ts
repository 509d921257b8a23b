/** What the rest of the node sees of the mempool. */
import type { ChainChange } from '#chain';
import type { ValidationFailure } from '#consensus';
import type { BlockHash, Sats, Transaction, Txid, Wtxid } from '#primitives';
import type { MempoolEntry } from './pool.ts';

/** Codes are Core's reject reasons. */
export type MempoolVerdict =
  | { readonly kind: 'accepted'; readonly fee: Sats; readonly vsize: number }
  /** In the mempool or in the chain already. */
  | { readonly kind: 'duplicate'; readonly code: string }
  /** `bad-txns-inputs-missingorspent`: the parents that neither the chain nor the mempool has, each once. */
  | { readonly kind: 'missing-inputs'; readonly parents: readonly Txid[] }
  /** Not wanted here or not now; another node may think otherwise: nobody is to blame. */
  | { readonly kind: 'policy'; readonly code: string; readonly debug?: string }
  /** Can never be valid. */
  | { readonly kind: 'consensus'; readonly failure: ValidationFailure }
  /** Not looked at: too much is waiting, or the node is closing. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Who brought a transaction: this node's own user, or a peer's id. */
export type TxOrigin = 'local' | (string & {});

export type MempoolStats = {
  /** Transactions. */
  readonly count: number;
  /** Virtual bytes of all. */
  readonly vsize: number;
  /** Estimated bytes of memory; what `maxBytes` bounds. */
  readonly usage: number;
  readonly maxBytes: number;
  readonly totalFee: Sats;
};

export type Mempool = AsyncDisposable & {
  /**
   * Checks a transaction and keeps it. Calls are decided one at a time in their order; when too many wait the newest
   * is refused as `unavailable`. Never rejects on bad data. The transaction's bytes must not change.
   */
  readonly submit: (tx: Transaction, origin: TxOrigin) => Promise<MempoolVerdict>;
  /** By txid, or by wtxid. */
  readonly get: (id: Txid | Wtxid) => MempoolEntry | undefined;
  readonly has: (id: Txid | Wtxid) => boolean;
  /** The entry that spends output `index` of `txid` (32 bytes, internal order). */
  readonly spender: (txid: Uint8Array, index: number) => MempoolEntry | undefined;
  /** In the order of arrival. Do not hold the iterator over an await. */
  readonly entries: () => IterableIterator<MempoolEntry>;
  /** All transactions as of now: what a compact block is rebuilt from (BIP152). An array of the caller's own. */
  readonly snapshotForShortIds: () => Transaction[];
  readonly stats: () => MempoolStats;
  /** The block that the content agrees with; undefined while a change of the chain is being worked in. */
  readonly syncedTip: () => BlockHash | undefined;
  /**
   * Follows the chain: confirmed and conflicting transactions leave, those of disconnected blocks come back. To be
   * awaited by the chain's observer before the next change.
   */
  readonly chainChanged: (change: ChainChange) => Promise<void>;
};

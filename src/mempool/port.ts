/** What the rest of the node sees of the mempool. */
import type { ChainChange } from '#chain';
import type { ValidationFailure } from '#consensus';
import type { HistogramFigures } from '#meter';
import type { BlockHash, Sats, Transaction, Txid, Wtxid } from '#primitives';
import type { FeeEstimator } from './fee-estimator/estimator.ts';
import type { EstimateMode } from './fee-estimator/smart-fee.ts';
import type { PoolObserver } from './observer.ts';
import type { MempoolOptions } from './options.ts';
import type { FileSource } from './persistence/read-file.ts';
import type { MempoolEntry } from './pool-entry.ts';

export type AcceptedVerdict = {
  readonly kind: 'accepted';
  readonly fee: Sats;
  readonly vsize: number;
  /** Of packages and dry runs. */
  readonly effective?: EffectiveFee;
  /** What left for it; undefined for nothing. */
  readonly replaced?: readonly Txid[];
};

/** The rate that a transaction was judged by, and with whom it paid that. */
export type EffectiveFee = {
  /** With this node's deltas, rounded down. */
  readonly satPerKvb: bigint;
  readonly wtxids: readonly Wtxid[];
};

/** Codes are Core's reject reasons. */
export type MempoolVerdict =
  | AcceptedVerdict
  /** In the mempool or in the chain already. */
  | { readonly kind: 'duplicate'; readonly code: string }
  /** `bad-txns-inputs-missingorspent`: the parents that neither the chain nor the mempool has, each once. */
  | { readonly kind: 'missing-inputs'; readonly parents: readonly Txid[] }
  /**
   * Not wanted here or not now; another node may think otherwise: nobody is to blame. `reconsiderable`: only the fee
   * was too low, so a child that pays for it can bring it in (Core's TX_RECONSIDERABLE).
   */
  | { readonly kind: 'policy'; readonly code: string; readonly debug?: string; readonly reconsiderable?: true }
  /** Can never be valid. */
  | { readonly kind: 'consensus'; readonly failure: ValidationFailure }
  /** Not looked at: too much is waiting, or the node is closing. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Why a package as such was refused: Core's reject reason. `transaction failed`: the verdicts of the two say why. */
export type PackageFailure = { readonly code: string; readonly debug?: string };

/** Of a parent and its child (Core's PackageMempoolAcceptResult). */
export type PackageVerdict = {
  /** Undefined when both are in the mempool. */
  readonly failure?: PackageFailure;
  /** Undefined when the package itself was malformed. */
  readonly parent?: MempoolVerdict;
  readonly child?: MempoolVerdict;
};

/** What would become of transactions. */
export type DryRun = {
  /** Of the package as such; `transaction failed`: the verdicts say why. */
  readonly failure?: PackageFailure;
  /** In the order of the transactions; undefined where an earlier failure left one undecided. */
  readonly verdicts: readonly (MempoolVerdict | undefined)[];
};

export type LoadOptions = {
  /** Whether everything counts as having come just now. Default: false, each keeps its time. */
  readonly usesCurrentTime?: boolean;
  /** Whether the file's fee deltas are added, and its unbroadcast transactions announced anew. Default: true. */
  readonly appliesFeeDeltas?: boolean;
  readonly appliesUnbroadcast?: boolean;
};

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
  /** Submissions refused since the start because too many waited. */
  readonly refusedBusy: number;
};

/** Since the start. */
export type MempoolFigures = {
  /** By Core's reject reason, of scripts without what failed in them; dry runs left out. */
  readonly refused: Readonly<Record<string, number>>;
  /** From the turn of a submission to its verdict. */
  readonly decideSeconds: HistogramFigures;
  /** Submissions that wait for their turn or are looked at. */
  readonly waiting: number;
  /** Own transactions that no peer is known to have. */
  readonly unbroadcast: number;
};

/** The answer of Core's estimatesmartfee. */
export type SmartFeeEstimate = {
  /** sat per 1000 vbytes. */
  readonly feerate?: number;
  readonly errors?: readonly string[];
  /** The target that the answer holds for. */
  readonly blocks: number;
};

/** What became of the transactions of a file. */
export type LoadCounts = {
  readonly accepted: number;
  readonly failed: number;
  /** Too old to be tried. */
  readonly expired: number;
  readonly alreadyThere: number;
  /** Waiting for their first broadcast. */
  readonly unbroadcast: number;
};

export type Mempool = AsyncDisposable & {
  /**
   * Checks a transaction and keeps it. Calls are decided one at a time in their order; when too many wait the newest
   * is refused as `unavailable`. Never rejects on bad data. The transaction's bytes must not change.
   */
  readonly submit: (tx: Transaction, origin: TxOrigin) => Promise<MempoolVerdict>;
  /**
   * A parent that alone pays too little, and a child that pays for both (Core 28's one-parent-one-child packages).
   * Waits in the same queue. Either may be in the mempool already.
   */
  readonly submitPackage: (parent: Transaction, child: Transaction, origin: TxOrigin) => Promise<PackageVerdict>;
  /**
   * Several parents that alone pay too little, and a child that pays for all: Core's submitpackage, for the own user.
   * `besides`: other parents of the child, that came with it and are in the mempool. Verdicts of parents, then child.
   */
  readonly submitParents: (
    parents: readonly Transaction[],
    child: Transaction,
    besides: readonly Txid[],
  ) => Promise<DryRun>;
  /**
   * Core's testmempoolaccept: all checks and scripts, and nothing is kept. Several (at most 25, parents first) may spend
   * each other's outputs but replace nothing. Waits in the same queue.
   */
  readonly testAccept: (txs: readonly Transaction[]) => Promise<DryRun>;
  /**
   * Core's prioritisetransaction: ranks a transaction as if it paid so much more (or less), whether it is here or may come.
   * Adds to what was set before; false when 10,000 others are set already.
   */
  readonly prioritise: (txid: Txid, feeDelta: Sats) => boolean;
  /** All that was set so, also of what is not here. */
  readonly prioritised: () => ReadonlyMap<Txid, Sats>;
  /** By txid, or by wtxid. */
  readonly get: (id: Txid | Wtxid) => MempoolEntry | undefined;
  readonly has: (id: Txid | Wtxid) => boolean;
  /** The entry that spends output `index` of `txid` (32 bytes, internal order). */
  readonly spender: (txid: Uint8Array, index: number) => MempoolEntry | undefined;
  /** In the order of arrival. Do not hold the iterator over an await. */
  readonly entries: () => IterableIterator<MempoolEntry>;
  readonly stats: () => MempoolStats;
  /** What is refused, and why; how long that takes. Numbers that are kept: asking is cheap. */
  readonly figures: () => MempoolFigures;
  /** Another number after each change of the content or of a fee delta. */
  readonly version: () => number;
  /** The number that the next to enter or leave will have (Core's mempool_sequence). */
  readonly sequence: () => number;
  readonly options: MempoolOptions;
  /**
   * The fee rate with which a transaction should be confirmed within so many blocks; targets are 1 to
   * `fees.highestTargetTracked('long')`.
   */
  readonly estimateSmartFee: (confTarget: number, mode: EstimateMode) => SmartFeeEstimate;
  /** What that answer is made of. */
  readonly fees: Pick<
    FeeEstimator,
    'estimateRawFee' | 'highestTargetTracked' | 'flushUnconfirmed' | 'encode' | 'load' | 'bestSeenHeight'
  >;
  /** Own transactions that no peer is known to have. */
  readonly unbroadcast: () => Txid[];
  /** A peer has it. */
  readonly markBroadcast: (txid: Txid) => void;
  /** The content as it is now, as Core's mempool.dat, in parts. `key`: 8 random bytes. */
  readonly save: (key: Uint8Array) => Iterable<Uint8Array>;
  /**
   * Submits what such a file holds; what expired is left out, the others keep their time. Rejects when the signal aborts,
   * when the mempool closes, and with NodeError where the file is damaged; what came before stays.
   */
  readonly load: (source: FileSource, signal: AbortSignal, options?: LoadOptions) => Promise<LoadCounts>;
  /** What a transaction must pay now, sat per 1000 virtual bytes: more than the relay minimum after evictions. */
  readonly minFeeSatPerKvb: () => number;
  /** What it must pay however empty the mempool is. */
  readonly minRelayFeeSatPerKvb: number;
  /** Hears what enters and leaves, and why, for as long as the mempool lives. */
  readonly observe: (observer: PoolObserver) => void;
  /** The block that the content agrees with; undefined while a change of the chain is being worked in. */
  readonly syncedTip: () => BlockHash | undefined;
  /**
   * Follows the chain: confirmed and conflicting transactions leave, those of disconnected blocks come back. To be
   * awaited by the chain's observer before the next change.
   */
  readonly chainChanged: (change: ChainChange) => Promise<void>;
};

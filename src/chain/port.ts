/** What the rest of the node sees of the chain. */
import type { NetworkParams, ValidationFailure } from '#consensus';
import type { Block, BlockHash, BlockHeader, TxOutput } from '#primitives';
import type { FilePosition } from '#store';
import type { ChainFigures } from './meter.ts';

/** A header that passed its checks, in its place in the tree. */
export type HeaderEntry = {
  readonly hash: BlockHash;
  readonly height: number;
  readonly header: BlockHeader;
  /** Total work from genesis to here. */
  readonly chainWork: bigint;
  /** BIP113 median of this and the ten headers before, Unix seconds. */
  readonly medianTimePast: number;
};

/** An unspent output. */
export type Coin = {
  readonly output: TxOutput;
  readonly height: number;
  readonly isCoinbase: boolean;
};

export type OutPoint = {
  /** 32 bytes, internal order. */
  readonly txid: Uint8Array;
  readonly index: number;
};

export type HeadersVerdict =
  /** `last` is the entry of the last header given; `added` counts the new ones. */
  | { readonly kind: 'accepted'; readonly last: HeaderEntry; readonly added: number }
  /** The header at `index` failed; those before it were accepted, unless the whole was refused for its little work. */
  | { readonly kind: 'rejected'; readonly index: number; readonly failure: ValidationFailure };

export type BlockVerdict =
  /** Checked in full and part of the active chain. */
  | { readonly kind: 'connected'; readonly entry: HeaderEntry }
  /** Stored; not (yet) on the active chain: less work, or an ancestor's body is missing. */
  | { readonly kind: 'stored'; readonly entry: HeaderEntry }
  | { readonly kind: 'duplicate'; readonly entry: HeaderEntry }
  | { readonly kind: 'invalid'; readonly failure: ValidationFailure };

export type ConnectedBlock = { readonly entry: HeaderEntry; readonly block: Block };

/** One step of the active chain: first `disconnected` (tip downwards), then `connected` (upwards). */
export type ChainChange = {
  readonly disconnected: readonly ConnectedBlock[];
  readonly connected: readonly ConnectedBlock[];
  readonly tip: HeaderEntry;
  /** Whether the tip is the best block; false while the chain is on its way there. */
  readonly isSettled: boolean;
};

export type ChainObserver = {
  /** Awaited before the next change is made: order is guaranteed, slowness is felt. */
  readonly changed?: (change: ChainChange) => Promise<void> | void;
  /** A stored block proved invalid when it was connected (it may have arrived long before). */
  readonly blockInvalid?: (hash: BlockHash, failure: ValidationFailure) => void;
  /** Bodies of the active chain below this height are about to be removed. */
  readonly pruned?: (lowestStoredHeight: number) => void;
};

/** Which hashes of the coins are computed: nearly all of the time goes into `muhash`. */
export type UtxoHashKind = 'hash_serialized_3' | 'muhash';

export type UtxoStatsOptions = {
  /** Default: both. */
  readonly hashes?: readonly UtxoHashKind[];
  readonly signal?: AbortSignal;
};

/** gettxoutsetinfo's fields, as Core computes them. */
export type UtxoStats = {
  readonly height: number;
  readonly bestBlock: BlockHash;
  readonly txouts: number;
  /** Transactions with at least one unspent output. */
  readonly transactions: number;
  readonly totalAmount: bigint;
  /** Core's measure of size that no database changes. */
  readonly bogoSize: number;
  /** Hex as Core shows it; empty if it was not asked for. */
  readonly hashSerialized3: string;
  readonly muhash: string;
};

export type CoinScanOptions = {
  readonly matches: (scriptPubKey: Uint8Array) => boolean;
  /** Hears now and then how much is done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
};

export type CoinScan = {
  readonly height: number;
  readonly bestBlock: BlockHash;
  /** Coins looked at. */
  readonly txouts: number;
  /** Those that match, in the order of the store's keys. */
  readonly coins: readonly (readonly [OutPoint, Coin])[];
};

/** The end of a branch, with Core's names: getchaintips. */
export type ChainTip = {
  readonly entry: HeaderEntry;
  /** Blocks between the active chain and this one, itself included; 0 for the tip. */
  readonly branchLength: number;
  readonly status: 'active' | 'valid-fork' | 'valid-headers' | 'headers-only' | 'invalid';
};

export type VerifyChainOptions = {
  /** Core's -checklevel, 0 to 4. */
  readonly level: number;
  /** Blocks from the tip down; 0: all. */
  readonly depth: number;
  readonly signal?: AbortSignal;
};

/** Core's VerifyDBResult: only `success` says that all was checked that was asked for. */
export type ChainVerification = {
  readonly result: 'success' | 'corrupted' | 'skipped-l3-checks' | 'skipped-missing-blocks';
  /** Blocks that were looked at. */
  readonly blocks: number;
  readonly detail?: string;
};

/** What takes long while a chain is opened: `done` of `total`, bytes of block files or heights. */
export type OpenProgress = {
  readonly what: 'reading headers' | 'indexing blocks' | 'counting transactions' | 'connecting blocks';
  readonly done: number;
  readonly total: number;
};

/** Reads. All synchronous ones answer from memory (coins: cache, then the store). */
export type ChainReader = {
  readonly params: NetworkParams;
  /** The last connected block. */
  readonly tip: () => HeaderEntry;
  /** The valid header with most work; its body may be missing. */
  readonly bestHeader: () => HeaderEntry;
  readonly getHeader: (hash: BlockHash) => HeaderEntry | undefined;
  /** The ancestor of `entry` at `height` (itself included). O(log n). */
  readonly ancestor: (entry: HeaderEntry, height: number) => HeaderEntry;
  /** The connected block at `height`, if the active chain reaches it. */
  readonly activeAt: (height: number) => HeaderEntry | undefined;
  /** Hashes from `from` (default: best header) back to genesis, dense then exponential; at most 101 (Core's LocatorEntries). */
  readonly locator: (from?: HeaderEntry) => BlockHash[];
  /**
   * Active-chain headers behind the first locator hash that is on the active chain (genesis if none), up to and
   * including `stop`, at most `max`.
   */
  readonly headersAfter: (locator: readonly BlockHash[], stop: BlockHash | undefined, max: number) => BlockHeader[];
  /** Whether the body is stored. */
  readonly hasBlock: (hash: BlockHash) => boolean;
  /** Whether the block or one of its ancestors is known to be invalid. */
  readonly isInvalid: (hash: BlockHash) => boolean;
  /** The stored bytes of a block, as received. */
  readonly readBlock: (hash: BlockHash) => Promise<Uint8Array | undefined>;
  /** Where the body is stored; undefined if it is not. */
  readonly blockPosition: (hash: BlockHash) => FilePosition | undefined;
  /** Bytes of a stored block from `offset` on, fewer where its file ends. Nothing is checked. Throws NodeError. */
  readonly readBlockPart: (position: FilePosition, offset: number, length: number) => Promise<Uint8Array>;
  /**
   * The coins that the block spent when it was connected, by transaction (the coinbase left out) and input. Undefined if
   * it never was, or if they were pruned; genesis spent none. Throws NodeError.
   */
  readonly readUndo: (hash: BlockHash) => Promise<readonly (readonly Coin[])[] | undefined>;
  /** Transactions in the block (Core's nTx); 0 if its body never was here. */
  readonly txCount: (hash: BlockHash) => number;
  /** Transactions of the active chain up to a height (Core's nChainTx). */
  readonly totalTxCount: (height: number) => number | undefined;
  /** The tip and the ends of all other branches, highest first. Looks at every header. */
  readonly chainTips: () => ChainTip[];
  /** From this height to the tip the body of every block of the active chain is stored; 0 until some were pruned. */
  readonly lowestStoredHeight: () => number;
  /**
   * What block and undo files may take when old ones are removed (or were), bytes; undefined: all are kept;
   * MANUAL_PRUNE_BYTES: only `pruneTo` removes any.
   */
  readonly pruneTargetBytes: () => number | undefined;
  readonly getCoin: (outpoint: OutPoint) => Coin | undefined;
  /** Walks the whole UTXO set (flushes first); slow on a large chain, which goes on meanwhile. Throws the signal's reason. */
  readonly utxoStats: (options?: UtxoStatsOptions) => Promise<UtxoStats>;
  /** The same walk, looking for scripts. */
  readonly scanCoins: (options: CoinScanOptions) => Promise<CoinScan>;
  /** Bytes of the coins' database (gettxoutsetinfo's disk_size). */
  readonly coinsSizeOnDisk: () => Promise<number>;
  /** Bytes of the block and undo files (getblockchaininfo's size_on_disk). */
  readonly sizeOnDisk: () => Promise<number>;
};

/** What the operator can tell a running chain. */
export type ChainControl = {
  /**
   * Treats the block as invalid (Core's invalidateblock): leaves it and its descendants, and moves to the best other
   * block. False if there is no such block, or it is genesis. Throws NodeError `PRUNED`, and changes nothing, when the
   * blocks to leave were pruned.
   */
  readonly invalidateBlock: (hash: BlockHash) => Promise<boolean>;
  /**
   * Takes that, and any failure of the block, its ancestors and descendants, back (Core's reconsiderblock). Throws
   * NodeError `PRUNED` when the way to the block leads over pruned ones; the tip stays then.
   */
  readonly reconsiderBlock: (hash: BlockHash) => Promise<boolean>;
  /**
   * Treats the block as the first that came of those with its work (Core's preciousblock). Not remembered over a
   * restart. False if there is no such block.
   */
  readonly preciousBlock: (hash: BlockHash) => Promise<boolean>;
  /**
   * Removes files whose blocks all lie at or below the height, as far as pruning may ever go (Core's pruneblockchain).
   * Gives the lowest height that is still stored. Throws NodeError `BAD_CONFIG` where all blocks are kept.
   */
  readonly pruneTo: (height: number) => Promise<number>;
  /** Core's verifychain. From level 3 on the chain stands still meanwhile. Throws the signal's reason, and NodeError. */
  readonly verify: (options: VerifyChainOptions) => Promise<ChainVerification>;
  /**
   * Whether the block could be the next one if it had its proof of work (Core's TestBlockValidity): undefined, or why not.
   * Nothing is kept. `inconclusive-not-best-prevblk` where it does not build on the tip.
   */
  readonly checkProposal: (block: Block) => Promise<ValidationFailure | undefined>;
  /** Writes all state to disk. */
  readonly flush: () => Promise<void>;
};

export type Chain = AsyncDisposable &
  ChainReader &
  ChainControl & {
    /**
     * Checks headers (each must build on a known one) and adds them to the tree. Synchronous, no scripts, no disk wait.
     * With `minimumWork` (of headers that a peer sent: `antiDosWorkThreshold`) new headers must form one chain, and none
     * is added unless that chain ends with so much work (`header-low-work`). Local sources are trusted in this.
     */
    readonly submitHeaders: (
      headers: readonly BlockHeader[],
      options?: { readonly minimumWork?: bigint },
    ) => HeadersVerdict;
    /**
     * Takes a block with a known parent header: checks, stores, and moves the active chain to the most work.
     * Several calls at once are taken in order and keep the verifier busy: the scripts of one block run while the next
     * is checked. Throws NodeError on operational failure (the block is not marked invalid); `PRUNED` for a block of a
     * heavier chain that cannot be moved to, because what would have to be disconnected was pruned.
     */
    readonly submitBlock: (block: Block) => Promise<BlockVerdict>;
    /** Returns a function that removes the observer. */
    readonly observe: (observer: ChainObserver) => () => void;
    /** What connecting costs. Of numbers that are kept: asking is cheap. */
    readonly figures: () => ChainFigures;
    /**
     * Undefined unless a submitted block is being worked on that would be the tip; resolves when that is over: what can wait,
     * waits. Never rejects.
     */
    readonly newestDecided: () => Promise<void> | undefined;
    /** Resolves when every submitBlock so far is decided and the best block is the tip; never rejects. */
    readonly idle: () => Promise<void>;
  };

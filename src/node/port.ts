/** What embedders, the command line and (later) RPC see of a node. */
import type {
  ChainChange,
  ChainControl,
  ChainReader,
  HeaderEntry,
  HeadersVerdict,
  OpenProgress,
  ReindexKind,
} from '#chain';
import type { NetworkParams } from '#consensus';
import type { Indexes, IndexSelection } from '#indexes';
import type { BlockTemplate, DryRun, EstimateMode, LoadCounts, LoadOptions, Mempool, MempoolOptions } from '#mempool';
import type { NetStatus, PeerIdText, PeerInfo, ReachOptions } from '#net';
import type { Block, BlockHash, BlockHeader, Transaction, Txid } from '#primitives';
import type { SyncStatus } from '#sync';
import type { Clock, Logger, Random } from '#util';
import type { BlockOrigin } from './block-origins.ts';
import type { RebuildStats } from './block-rebuilder.ts';
import type { NodeFigures } from './figures.ts';
import type { NodePeers } from './operator.ts';
import type { TxRelayStats } from './tx-ingest.ts';
import type { UploadStatus } from './upload-target.ts';

export type NodeOptions = {
  readonly params: NetworkParams;
  /** The top data directory; the network's own folder is made below it. */
  readonly datadir: string;
  /** Multiaddrs to listen on; port 0 takes a free one; empty listens nowhere. */
  readonly listen: readonly string[];
  /** Multiaddrs (with /p2p/ id) of nodes to find others by; added to the network's own seeds. */
  readonly bootstrap: readonly string[];
  /** Multiaddrs of peers to stay connected with. */
  readonly connect: readonly string[];
  /** Private network, proxy, relay, NAT, local discovery: none by default. */
  readonly reach?: Partial<ReachOptions>;
  /** Connections in all, both directions. */
  readonly maxPeers: number;
  /** How many outbound peers to hold. */
  readonly targetOutbound: number;
  /** A map of addresses to autonomous systems in Bitcoin Core's format (its -asmap); undefined: by prefix. */
  readonly asmapFile?: string | undefined;
  /** Bytes of coins kept in memory before they are written. */
  readonly dbCacheBytes: number;
  /** Threads that check scripts: 0 (default) for as many as there are cores, 1 for the main thread (Core's -par). */
  readonly scriptThreads?: number;
  /**
   * Transactions whose scripts are known to pass, so that a block of them runs none; default 100,000, some 100 bytes each
   * (what Core's -maxsigcachesize is for). The mempool has results of its own, see its `maxScriptResults`.
   */
  readonly scriptCacheEntries?: number;
  /** What is kept beside the coins; nothing by default. */
  readonly indexes?: IndexSelection;
  /** Bytes to upload in 24 hours, above which blocks older than a week are not served; 0 (default): no limit. */
  readonly maxUploadBytes?: number;
  /**
   * What block and undo files may take before old ones are removed, bytes; 0 (default) keeps all, MANUAL_PRUNE_BYTES
   * (of the chain) removes them only when told to.
   */
  readonly pruneBytes?: number;
  /** Block and undo files of 64 KiB, for tests of pruning (Core's -fastprune). */
  readonly hasSmallFiles?: boolean;
  /** Whether the mempool is saved at the end and loaded at the start (default: true; Core's -persistmempool). */
  readonly persistMempool?: boolean;
  /** What differs from the mempool's defaults, which are Core's. */
  readonly mempool?: Partial<MempoolOptions>;
  /** Builds the coins, or index and coins, anew from the block files. */
  readonly reindex?: ReindexKind | undefined;
  /** Mean of the random time before a transaction is announced, milliseconds; default 1000, 0 announces at once. */
  readonly trickleMs?: number;
  /** Whether compact blocks carry what peers may lack (default: true); off to measure what that saves. */
  readonly prefillsBlocks?: boolean;
  /** Whether peers are asked what their mempools hold (default: true); off to measure what gossip brings alone. */
  readonly syncsMempool?: boolean;
  /** libp2p in a worker thread (default) or in this one. */
  readonly netThread: 'worker' | 'main';
};

export type NodeDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The node met a bug or lost a part of itself and must be disposed; called at most a few times. */
  readonly onFatal?: (error: unknown) => void;
  /** Hears of a long opening of the data directory. */
  readonly onOpening?: (progress: OpenProgress) => void;
  /** Ends such an opening: `createNode` rejects with `ABORTED`, and the next one goes on. */
  readonly signal?: AbortSignal;
};

export type NodeStatus = {
  readonly network: string;
  readonly tip: HeaderEntry;
  readonly sync: SyncStatus;
  readonly net: NetStatus;
  readonly mempool: { readonly count: number; readonly bytes: number; readonly refusedBusy: number };
  /** Transactions whose parents are missing, and ids that peers are asked for. */
  readonly txRelay: TxRelayStats;
  readonly upload: UploadStatus;
  /** Delay between the last gossiped block's first arrival and its connection, ms. */
  readonly lastBlockDelayMs: number | undefined;
  /** How the bodies of gossiped blocks came. */
  readonly announcedBlocks: RebuildStats;
};

export type SubmitResult =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'duplicate' }
  /** Core's reject reason. */
  | { readonly kind: 'rejected'; readonly code: string };

export type TxSubmitResult = SubmitResult & { readonly txid?: Txid };

/** Of the package: `accepted` when both are in the mempool now, `duplicate` when both were before. And of each. */
export type PackageSubmitResult = SubmitResult & { readonly parent?: TxSubmitResult; readonly child?: TxSubmitResult };

export type MiningOptions = {
  readonly scriptPubKey: Uint8Array;
  /** Least time between the times of two blocks, milliseconds; 0 leaves the pace to the proof of work. */
  readonly minIntervalMs: number;
};

/** The mempool as users see it. What it hears of the chain, and its end, are the node's affair. */
export type NodeMempool = Omit<Mempool, 'chainChanged' | typeof Symbol.asyncDispose>;

/** What is kept of the mempool over a restart. */
export type NodeMempoolFile = {
  /** Whether the file of the last run was read, or could not be (Core's GetLoadTried). */
  readonly isLoaded: () => boolean;
  /** Writes it now, and gives its path. Throws NodeError. */
  readonly save: () => Promise<string>;
  /** Takes in another file of this form (Core's importmempool). Throws NodeError. */
  readonly import: (path: string, options: LoadOptions) => Promise<LoadCounts>;
};

/** `version`: the mempool's when it was made. */
export type CurrentTemplate = { readonly template: BlockTemplate; readonly version: number };

/** For miners outside, and for test chains. */
export type NodeMining = {
  /** The next block for who pays by himself, at most 5 seconds older than the mempool (getblocktemplate). */
  readonly current: () => CurrentTemplate;
  /** The next block with the transactions of now; its coinbase pays `scriptPubKey`. */
  readonly template: (scriptPubKey: Uint8Array) => BlockTemplate;
  /** The next block with just these transactions; the coinbase claims the subsidy alone. Nothing is checked. */
  readonly assemble: (scriptPubKey: Uint8Array, transactions: readonly Transaction[]) => Block;
  /** Of the last template made: weight with what was set aside, and transactions without the coinbase. */
  readonly lastTemplate: () => { readonly weight: number; readonly transactions: number } | undefined;
  /** Tries nonces, on this thread; undefined when so many hashes did not do. Throws the signal's reason, and NodeError `BAD_CONFIG`. */
  readonly solve: (
    block: Block,
    options: { readonly maxHashes: number; readonly signal: AbortSignal },
  ) => Promise<Block | undefined>;
  /** Adds a header to the tree (Core's submitheader). */
  readonly submitHeader: (header: BlockHeader) => HeadersVerdict;
};

export type PeerEvent =
  | { readonly kind: 'joined'; readonly peer: PeerInfo }
  | { readonly kind: 'left'; readonly id: PeerIdText; readonly reason: string };

export type StarlingNode = AsyncDisposable & {
  readonly chain: ChainReader & ChainControl;
  readonly indexes: Indexes;
  /** Who is connected, who shall be, and who must stay out. */
  readonly peers: NodePeers;
  readonly mempool: NodeMempool;
  readonly mempoolFile: NodeMempoolFile;
  readonly mining: NodeMining;
  readonly status: () => Promise<NodeStatus>;
  /** What its parts count, for metrics. Cheap, but of no use to a person. */
  readonly figures: () => Promise<NodeFigures>;
  /** Checks a serialised transaction, keeps it and announces it, unless told not to: peers that ask get it then too. */
  readonly submitTransaction: (raw: Uint8Array, options?: { readonly announce: boolean }) => Promise<TxSubmitResult>;
  /**
   * Checks a serialised parent that alone pays too little together with a child that pays for both, keeps them and
   * announces them (Core's submitpackage, for one parent). Each is tried alone first: one may get in without the other.
   */
  readonly submitPackage: (parent: Uint8Array, child: Uint8Array) => Promise<PackageSubmitResult>;
  /**
   * Core's submitpackage: a child behind all of its unconfirmed parents. Each is tried alone first; one parent that pays too
   * little then gets in with the child. `transaction failed`: the verdicts say why. What got in is announced.
   */
  readonly submitFamily: (txs: readonly Transaction[]) => Promise<DryRun>;
  /** Checks a serialised block, connects it if it has the most work, and announces it. */
  readonly submitBlock: (raw: Uint8Array) => Promise<SubmitResult>;
  /** A block on the tip from the mempool that pays `scriptPubKey`, mined on this thread (regtest-like difficulty only). */
  readonly mineBlock: (scriptPubKey: Uint8Array, signal?: AbortSignal) => Promise<SubmitResult>;
  /**
   * Mines block after block in a thread of its own, until disposed or until the node is. Not while it is behind its peers, nor without a
   * peer where some were named to find. Throws NodeError `BAD_CONFIG` where a thread cannot meet the difficulty.
   */
  readonly mine: (options: MiningOptions) => AsyncDisposable;
  /** What fee rate to pay to be confirmed within so many blocks (Core's estimatesmartfee). */
  readonly estimateSmartFee: (confTarget: number, mode: EstimateMode) => ReturnType<Mempool['estimateSmartFee']>;
  /**
   * Called when the phase of the sync or its reason changes, and at most once a second while heights move. Returns a
   * function that removes the listener.
   */
  readonly onSync: (listener: (status: SyncStatus) => void) => () => void;
  /** Whether the node is still on its way to the tip: latched, so that it ends once (Core's IsInitialBlockDownload). */
  readonly isInitialDownload: () => boolean;
  /** Called with each change of the chain, before the mempool hears of it. Must not throw. Returns what removes it. */
  readonly onChainChanging: (listener: (change: ChainChange) => void) => () => void;
  /** Called with each change of the chain, after the mempool followed. Must not throw. Returns what removes it. */
  readonly onChainChanged: (listener: (change: ChainChange) => void) => () => void;
  /** Called after each change of the tip. Returns a function that removes the listener. */
  readonly onTip: (listener: (tip: HeaderEntry) => void) => () => void;
  /** Called for each transaction that enters the mempool, in the same step. Must not throw. Returns what removes it. */
  readonly onTransaction: (listener: (tx: Transaction) => void) => () => void;
  /** Called when a peer is connected, and when it is gone. Must not throw. Returns what removes it. */
  readonly onPeer: (listener: (event: PeerEvent) => void) => () => void;
  /**
   * Called when gossip tells of a recent block, with each peer that did, perhaps more than once; the first is the one that we
   * heard of it by. Must not throw. Returns what removes it.
   */
  readonly onBlockNews: (listener: (hash: BlockHash, peer: PeerIdText) => void) => () => void;
  /** How the body of a recent block came; undefined for what sync found by itself, and what is longer ago. */
  readonly blockOrigin: (hash: BlockHash) => BlockOrigin | undefined;
};

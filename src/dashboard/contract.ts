/**
 * What the server of the dashboard and its page say to each other. Types alone and no imports: both the node and the browser
 * compile this file.
 *
 * Everything is JSON. Units are in the names: `Ms` after `at` is Unix milliseconds, `Seconds` after `time` Unix seconds as headers
 * carry them; amounts are satoshis, all below 2^53. What is not known is `null`, never left out, so that a patch can say it.
 * Lists have the bounds that stand beside them.
 *
 * `GET /feed` is a stream of server-sent events, named by the keys of `FeedEvents`. `state` comes first and holds everything
 * that a page draws at once; whoever connects again gets it again and forgets what it had. Then come the others, gathered for
 * `state.gatherMs`. A reader that does not read is dropped.
 */

export type FeedEvents = {
  readonly state: FeedState;
  /** Replaces the one before. At most one each `gatherMs`, when something in it changed. */
  readonly overview: Overview;
  readonly blocks: BlocksDelta;
  /** Replaces the one before. At most one a second. */
  readonly mempool: Mempool;
  readonly peers: PeersDelta;
  /** One a second while somebody reads. */
  readonly bandwidth: BandwidthDelta;
  readonly logs: LogsDelta;
};

export type FeedEventName = keyof FeedEvents;

export type FeedState = {
  /** The node's clock when this was made: what a page needs to show ages by its own. */
  readonly atMs: number;
  readonly gatherMs: number;
  readonly overview: Overview;
  /** Newest first, `MAX_BLOCKS` (50) at most. */
  readonly blocks: readonly BlockRow[];
  readonly mempool: Mempool;
  /** Longest connected first. */
  readonly peers: readonly PeerRow[];
  readonly bandwidth: Bandwidth;
  /** Oldest first, 500 at most. */
  readonly logs: readonly LogLine[];
};

// ---------------------------------------------------------------------------------------------------------- overview

export type Overview = {
  /** Core's name of the network: main, test, testnet4, signet, regtest; of one's own network its name. */
  readonly chain: string;
  /** BIP14 form, /Starling:0.1.0/. */
  readonly userAgent: string;
  readonly startedAtMs: number;
  readonly self: Self;
  readonly tip: Tip;
  readonly sync: SyncState;
  /** Core's initialblockdownload. */
  readonly isInitialDownload: boolean;
  /** null where the difficulty never changes. */
  readonly retarget: Retarget | null;
  /** Work of the last 120 blocks a second (Core's getnetworkhashps); null with fewer than two blocks. */
  readonly networkHashesPerSecond: number | null;
  readonly peers: { readonly inbound: number; readonly outbound: number; readonly isNetworkActive: boolean };
  /** Of all sockets since the start, with framing and encryption. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly knownAddresses: number;
  /** Bodies below this height were removed; null where all are kept. */
  readonly prunedBelowHeight: number | null;
  /** Core's names of the indexes that are kept: txindex, basic block filter index, coinstatsindex. */
  readonly indexes: readonly string[];
  /** How bodies of announced blocks came, since the start. */
  readonly announcedBlocks: {
    readonly withoutRoundTrip: number;
    readonly withRoundTrip: number;
    readonly whole: number;
  };
};

export type Self = {
  /** base58 libp2p peer id. */
  readonly peerId: string;
  /** Multiaddrs, 16 at most. */
  readonly listenAddresses: readonly string[];
  readonly reachability: 'direct' | 'relayed' | 'unverified' | 'none';
};

export type Tip = {
  readonly height: number;
  readonly hash: string;
  readonly timeSeconds: number;
  readonly medianTimeSeconds: number;
  /** When this node connected it; null for the one that it started with. */
  readonly connectedAtMs: number | null;
  readonly difficulty: number;
  /** 64 hex digits. */
  readonly chainWork: string;
};

export type SyncState = {
  readonly phase: 'waiting-for-peers' | 'headers' | 'blocks' | 'at-tip' | 'stalled';
  /** One line, empty if there is nothing to say. */
  readonly reason: string;
  readonly height: number;
  readonly headerHeight: number;
  /** 0 to 1. */
  readonly progress: number;
  readonly blocksPerSecond: number;
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | null;
};

export type Retarget = {
  /** The first height with a new difficulty. */
  readonly nextHeight: number;
  readonly blocksLeft: number;
  readonly intervalBlocks: number;
  /**
   * New difficulty by old, were blocks to go on at the pace of this interval: 1.05 is 5 per cent harder; within the
   * rule's 0.25 to 4. null at the beginning of an interval.
   */
  readonly estimatedRatio: number | null;
  /** When the last block of the interval would come at that pace. */
  readonly estimatedAtMs: number | null;
};

// ------------------------------------------------------------------------------------------------------------ blocks

export type BlocksDelta = {
  /** New rows, and whole rows in which something changed; by `hash`. Keep the list ordered by height, newest first. */
  readonly changed: readonly BlockRow[];
  /** Hashes of blocks that left the active chain, or the end of the list. */
  readonly removed: readonly string[];
};

/** A block of the active chain. */
export type BlockRow = {
  readonly height: number;
  readonly hash: string;
  readonly timeSeconds: number;
  readonly txCount: number;
  /** These become known a moment later than the row, once the body was looked at; null until then, and where it was pruned. */
  readonly sizeBytes: number | null;
  readonly weight: number | null;
  readonly feesSats: number | null;
  /** 10th, 25th, 50th, 75th, 90th percentile by weight, sat per vbyte (Core's feerate_percentiles). */
  readonly feeratePercentiles: readonly number[] | null;
  /** When this node connected it; null for blocks before its start. */
  readonly connectedAtMs: number | null;
  /** When a peer first told of it; null where gossip did not, as for blocks mined here or fetched by sync. */
  readonly firstHeardAtMs: number | null;
  /** Who told of it and how long after the first, in that order; 128 at most. The first has `delayMs` 0. */
  readonly announcements: readonly BlockAnnouncement[];
  /** How its body came: put together from the mempool, the same with a question to a peer, as a whole, or made here. */
  readonly origin: 'rebuilt' | 'rebuilt-with-round-trip' | 'whole' | 'own' | null;
};

export type BlockAnnouncement = { readonly peerId: string; readonly delayMs: number };

// ----------------------------------------------------------------------------------------------------------- mempool

export type Mempool = {
  readonly txCount: number;
  readonly vsizeBytes: number;
  /** Memory, and what bounds it. */
  readonly usageBytes: number;
  readonly maxBytes: number;
  readonly totalFeeSats: number;
  /** What a transaction must pay now to be taken. */
  readonly minFeerateSatPerVb: number;
  /** Since the start. */
  readonly enteredCount: number;
  readonly leftCount: number;
  /** By a transaction's own fee rate, lowest first, without gaps; the same buckets for as long as the node runs. */
  readonly histogram: readonly FeerateBucket[];
  /** The next block first, 8 at most; empty while nothing waits. May lag behind the counts by some seconds. */
  readonly projectedBlocks: readonly ProjectedBlock[];
  /** Newest first, 10 at most. */
  readonly latest: readonly MempoolTx[];
};

export type FeerateBucket = {
  /** At least so much; the bucket ends where the next one begins, the last one nowhere. */
  readonly fromSatPerVb: number;
  readonly txCount: number;
  readonly vsizeBytes: number;
};

export type ProjectedBlock = {
  readonly txCount: number;
  readonly vsizeBytes: number;
  readonly feesSats: number;
  /** Of the packages that it would be made of. */
  readonly minFeerateSatPerVb: number;
  readonly medianFeerateSatPerVb: number;
  readonly maxFeerateSatPerVb: number;
  /** False: as the miner's template has it. True: read off the histogram. */
  readonly isEstimate: boolean;
};

export type MempoolTx = {
  readonly txid: string;
  readonly vsizeBytes: number;
  readonly feeSats: number;
  readonly enteredAtMs: number;
};

// ------------------------------------------------------------------------------------------------------------- peers

/** To be applied in the order left, joined, changed: one that left may have come back. */
export type PeersDelta = {
  /** New ones, whole. */
  readonly joined: readonly PeerRow[];
  /** Of known ones just what changed. */
  readonly changed: readonly PeerPatch[];
  readonly left: readonly { readonly id: string; readonly reason: string }[];
};

export type PeerPatch = { readonly id: string } & Partial<PeerRow>;

export type PeerRow = {
  /** base58 libp2p peer id. */
  readonly id: string;
  /** Multiaddr of the other end. */
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  /** What the connection is for. */
  readonly kind: 'inbound' | 'full-relay' | 'block-only' | 'feeler' | 'manual' | 'query';
  /** Which protocols it speaks is open; no valid hello came yet; it counts. */
  readonly phase: 'identifying' | 'announced' | 'confirmed';
  /** As it calls itself: text of a stranger, 100 characters at most. */
  readonly agent: string;
  readonly connectedAtMs: number;
  /** Round trip of the last ping, and the shortest. */
  readonly latencyMs: number | null;
  readonly minLatencyMs: number | null;
  /** Gossipsub's; below 0 only for offences and for messages that were rejected. */
  readonly gossipScore: number;
  /** For offences, faded by now: 60 disconnect, 100 ban. */
  readonly penaltyPoints: number;
  /** The highest header that it proved to have, else the height that it claims. */
  readonly height: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly streams: number;
  /** Gossip topics in whose mesh with us it is (grafted): `block`, `tx`. */
  readonly meshTopics: readonly string[];
  readonly isRelayed: boolean;
  readonly isManual: boolean;
  readonly isSeed: boolean;
  readonly relaysTransactions: boolean;
  /** When it last told of a block first, and brought a transaction that was taken. */
  readonly lastBlockAtMs: number | null;
  readonly lastTxAtMs: number | null;
};

// --------------------------------------------------------------------------------------------------------- bandwidth

export type Bandwidth = {
  /** libp2p protocol ids; only appended to, 64 at most. */
  readonly protocols: readonly string[];
  /** Oldest first, 300 at most. Not made while nobody reads, so there may be gaps in time. */
  readonly samples: readonly BandwidthSample[];
};

export type BandwidthDelta = { readonly protocols: readonly string[]; readonly sample: BandwidthSample };

export type BandwidthSample = {
  /** The end of the span that it is of. */
  readonly atMs: number;
  /** What streams carried before encryption, each at the place of its protocol in `protocols`; missing ends are 0. */
  readonly inBytesPerSecond: readonly number[];
  readonly outBytesPerSecond: readonly number[];
};

// -------------------------------------------------------------------------------------------------------------- logs

export type LogsDelta = {
  readonly lines: readonly LogLine[];
  /** So many more were written and are in `debug.log` alone. */
  readonly leftOut: number;
};

export type LogLine = {
  /** Counts up by one. */
  readonly number: number;
  readonly atMs: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly module: string | null;
  /** Message and fields, `peer connected id=… address=…`; control characters are escaped; 600 characters at most. */
  readonly text: string;
};

// --------------------------------------------------------------------------------------------------------------- API
//
// GET /api/block/HASH_OR_HEIGHT?page=0  -> BlockAnswer
// GET /api/tx/TXID?block=HASH           -> TxAnswer; `block`, which may be left out, is the block to look in: without a transaction
//                                          index only the mempool and the newest blocks are searched
// GET /api/search?q=TEXT                -> SearchAnswer
// GET /api/peer/ID                      -> PeerAnswer
//
// Other statuses than 200 carry ApiFailure: 400 (what was asked makes no sense), 404 (not here: the text says why and what would
// be needed), 429 (too many requests: wait a second), 503 (busy or stopping).

export type ApiFailure = { readonly error: string };

/** `block` has the names and values of Core's getblock without `tx`. */
export type BlockAnswer = {
  readonly block: RpcBlock;
  /** null where the coins that it spent are not known (pruned, never connected). */
  readonly feesSats: number | null;
  readonly subsidySats: number;
  readonly page: number;
  readonly pageCount: number;
  /** In the block's order, 50 a page. */
  readonly transactions: readonly BlockTx[];
  readonly firstHeardAtMs: number | null;
  readonly announcements: readonly BlockAnnouncement[];
};

export type RpcBlock = {
  readonly hash: string;
  /** -1 for a block that is not on the active chain. */
  readonly confirmations: number;
  readonly height: number;
  readonly version: number;
  readonly versionHex: string;
  readonly merkleroot: string;
  readonly time: number;
  readonly mediantime: number;
  readonly nonce: number;
  readonly bits: string;
  readonly difficulty: number;
  readonly chainwork: string;
  readonly nTx: number;
  readonly previousblockhash?: string;
  readonly nextblockhash?: string;
  readonly strippedsize: number;
  readonly size: number;
  readonly weight: number;
};

export type BlockTx = {
  readonly txid: string;
  readonly vsizeBytes: number;
  readonly inputCount: number;
  readonly outputCount: number;
  readonly outputSats: number;
  /** null for the coinbase, and where the coins that it spent are not known. */
  readonly feeSats: number | null;
  readonly isCoinbase: boolean;
};

export type TxAnswer = {
  /**
   * Names and values of Core's getrawtransaction, without `hex`; 200 of `vin` and of `vout` at most, texts of 2,000 characters
   * at most, cut ones end with `…`.
   */
  readonly tx: RpcTransaction;
  readonly inputCount: number;
  readonly outputCount: number;
  readonly feeSats: number | null;
  /** Where it was found. null: in the mempool. */
  readonly block: {
    readonly hash: string;
    readonly height: number;
    readonly timeSeconds: number;
    readonly confirmations: number;
  } | null;
  /** null: in a block. */
  readonly mempool: {
    readonly enteredAtMs: number;
    readonly ancestorCount: number;
    readonly descendantCount: number;
    readonly isReplaceable: boolean;
    /** Mempool transactions that it spends from, and that spend from it; 25 at most. */
    readonly depends: readonly string[];
    readonly spentBy: readonly string[];
  } | null;
};

export type RpcTransaction = {
  readonly txid: string;
  readonly hash: string;
  readonly version: number;
  readonly size: number;
  readonly vsize: number;
  readonly weight: number;
  readonly locktime: number;
  readonly vin: readonly RpcInput[];
  readonly vout: readonly RpcOutput[];
};

export type RpcInput = {
  /** Hex, of a coinbase alone; then there is no `txid`. */
  readonly coinbase?: string;
  readonly txid?: string;
  readonly vout?: number;
  readonly scriptSig?: { readonly asm: string; readonly hex: string };
  readonly txinwitness?: readonly string[];
  /** The coin that it spends, where all of the transaction's are known. `value` is in bitcoins; `height` 2147483647: in the mempool. */
  readonly prevout?: {
    readonly generated: boolean;
    readonly height: number;
    readonly value: number;
    readonly scriptPubKey: RpcScriptPubKey;
  };
  readonly sequence: number;
};

export type RpcOutput = {
  /** Bitcoins. */
  readonly value: number;
  readonly n: number;
  readonly scriptPubKey: RpcScriptPubKey;
};

export type RpcScriptPubKey = {
  readonly asm: string;
  readonly desc?: string;
  readonly hex: string;
  readonly address?: string;
  readonly type: string;
};

export type SearchAnswer =
  | { readonly kind: 'block'; readonly hash: string; readonly height: number }
  | { readonly kind: 'tx'; readonly txid: string }
  | { readonly kind: 'peer'; readonly id: string }
  /** `reason` says it to the person who searched. */
  | { readonly kind: 'nothing'; readonly reason: string };

export type PeerAnswer = {
  readonly peer: PeerRow;
  /** The part of the internet it is in; null for local addresses. */
  readonly netgroup: string | null;
  /** libp2p protocol ids, 64 at most. */
  readonly protocols: readonly string[];
  /** What streams carried, before encryption. */
  readonly bytesByProtocol: readonly {
    readonly protocol: string;
    readonly bytesIn: number;
    readonly bytesOut: number;
  }[];
  readonly lastSentAtMs: number | null;
  readonly lastReceivedAtMs: number | null;
  /** What its hellos said of itself; nothing of it is proved. null before the first. */
  readonly claims: {
    readonly startHeight: number;
    readonly tipHeight: number;
    readonly lowestHeightServed: number;
    /** Core's names: NETWORK, WITNESS, … */
    readonly services: readonly string[];
    readonly userAgent: string;
    readonly revision: number;
    readonly feeFilterSatPerKvb: number;
    readonly timeOffsetSeconds: number;
  } | null;
};

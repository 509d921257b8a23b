/** What sync needs of the rest of the node, and what it offers. Plain functions: it never sees the network itself. */
import type { Chain, HeaderEntry } from '#chain';
import type { ValidationFailure } from '#consensus';
import type { BlockHash, BlockHeader } from '#primitives';
import type { OffenceName } from '#protocol';
import type { Clock, Logger, Random } from '#util';
import type { SyncFigures } from './figures.ts';

/** How the network names a peer (base58 text); only compared here. */
export type PeerId = string;

/** The part of the chain that sync uses. */
export type SyncChain = Pick<
  Chain,
  | 'ancestor'
  | 'bestHeader'
  | 'getHeader'
  | 'hasBlock'
  | 'isInvalid'
  | 'locator'
  | 'observe'
  | 'params'
  | 'submitBlock'
  | 'submitHeaders'
  | 'tip'
>;

/** One answer to a request for blocks. The receiver owns the bytes; undefined means that the peer does not have it. */
export type BlockItem = { readonly hash: BlockHash; readonly bytes: Uint8Array | undefined };

export type SyncDeps = {
  readonly chain: SyncChain;
  /**
   * Asks for headers behind `locator`. Rejects when the exchange fails or `signal` aborts; a `code` of `TIMEOUT` on the
   * error means that the peer went silent.
   */
  readonly requestHeaders: (
    peer: PeerId,
    locator: readonly BlockHash[],
    stop: BlockHash | undefined,
    signal: AbortSignal,
  ) => Promise<readonly BlockHeader[]>;
  /** Asks for bodies; they come in the order asked, with back-pressure. Throws like `requestHeaders`. */
  readonly requestBlocks: (peer: PeerId, hashes: readonly BlockHash[], signal: AbortSignal) => AsyncIterable<BlockItem>;
  /** Reports what a peer did wrong in an exchange. */
  readonly charge: (peer: PeerId, offence: OffenceName, detail: string) => void;
  /** Reports that what a peer itself sent failed a rule; the node's judge finds the offence, or none. */
  readonly judge: (peer: PeerId, what: 'block' | 'headers', failure: ValidationFailure) => void;
  /** Ends a connection that is of no use, without blame. */
  readonly disconnect: (peer: PeerId, reason: string) => void;
  /** The peer was the first to show a header that leads further than our tip. */
  readonly onNews?: (peer: PeerId) => void;
  /** Called once with a bug (a broken invariant): sync has stopped itself, the node should stop too. */
  readonly fatal: (error: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

/** What a peer says of itself in hello. Nothing of it is believed until headers show it. */
export type PeerClaim = {
  readonly tipHash: BlockHash;
  readonly tipHeight: number;
  readonly tipChainWork: bigint;
  /** Bodies below this height are not asked of it. */
  readonly lowestHeightServed: number;
};

export type SyncPeer = PeerClaim & {
  readonly isOutbound: boolean;
  /** The operator asked for it: it is never disconnected for being of little use. */
  readonly isManual?: boolean;
};

export type SyncPhase = 'waiting-for-peers' | 'headers' | 'blocks' | 'at-tip' | 'stalled';

export type SyncStatus = {
  readonly phase: SyncPhase;
  /** Why it stalls or waits, or what it does that the heights do not show; empty otherwise. */
  readonly reason: string;
  readonly height: number;
  readonly headerHeight: number;
  /** 0 .. 1 by headers' heights; while headers are fetched, their share of the height that peers claim (of the way twice, if they are downloaded twice). */
  readonly progress: number;
  readonly blocksPerSecond: number;
  readonly bytesPerSecond: number;
  /** Undefined while unknown. */
  readonly secondsLeft: number | undefined;
  readonly peers: number;
};

export type Sync = AsyncDisposable & {
  /** A peer said a valid hello. */
  readonly peerReady: (peer: PeerId, info: SyncPeer) => void;
  /** A later hello of the same peer. */
  readonly peerUpdated: (peer: PeerId, claim: PeerClaim) => void;
  readonly peerGone: (peer: PeerId) => void;
  /**
   * The peer announced a block (gossip). If the header is known, its body is left to the caller for a moment (it may be
   * rebuilt from the mempool); if not, the peer is asked for the headers in between.
   */
  readonly headerAnnounced: (peer: PeerId, announced: BlockHash | BlockHeader) => void;
  /** The body of an announced block could not be rebuilt: fetch it now, first from `peers`, soon from a second one. */
  readonly blockWanted: (hash: BlockHash, peers: readonly PeerId[]) => void;
  /** The header with most work that the peer is known to have. */
  readonly knownHeader: (peer: PeerId) => HeaderEntry | undefined;
  /** Heights of the blocks that the peer was asked for and has not sent. */
  readonly blocksOwed: (peer: PeerId) => readonly number[];
  readonly status: () => SyncStatus;
  readonly figures: () => SyncFigures;
  /**
   * Calls `listener` when phase or reason change, and at most once a second while heights move. Returns a function
   * that removes the listener.
   */
  readonly onStatus: (listener: (status: SyncStatus) => void) => () => void;
};

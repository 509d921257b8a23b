/** What the rules about connections need of the network: facts about each connection, and three things to do. Plain data. */
import type { PeerAddress } from '../addrman/entry.ts';
import type { ConnectionKind, PeerIdText } from '../port.ts';

/** What we open on purpose, as Core's ConnectionType. */
export type OutboundKind = Exclude<ConnectionKind, 'inbound' | 'query'>;

/** A connection that is open. Times are of the monotonic clock; -Infinity for never. */
export type ConnectionFacts = {
  readonly id: PeerIdText;
  readonly kind: ConnectionKind;
  /** The other end's multiaddr without /p2p/ id. */
  readonly address: string;
  /** Undefined for local addresses, which are in no group. */
  readonly group: string | undefined;
  /** It has shown that it speaks for our network, and the node knows it. */
  readonly isAdmitted: boolean;
  /** It answered a valid hello. */
  readonly isConfirmed: boolean;
  readonly isManual: boolean;
  readonly openedMs: number;
  readonly minPingMs: number | undefined;
  /** It was the first to tell of a block that led on. */
  readonly lastBlockMs: number;
  /** It brought a transaction that we took. */
  readonly lastTxMs: number;
  /** It wants transactions. */
  readonly relaysTransactions: boolean;
  /** It is one of the few that showed a chain as good as ours. */
  readonly hasGoodChain: boolean;
};

/** Several addresses of one peer, each without /p2p/ id. */
export type DialTarget = { readonly id: PeerIdText; readonly addresses: readonly string[] };

export type Wire = {
  /** Oldest first. */
  readonly connections: () => readonly ConnectionFacts[];
  /**
   * Opens a connection of this kind; one that a DHT query left open becomes it. Resolves to whether there is one, after
   * a bounded time. Never rejects.
   */
  readonly dial: (target: DialTarget, kind: OutboundKind) => Promise<boolean>;
  readonly close: (peer: PeerIdText, reason: string) => void;
};

/** What is needed of the address manager. */
export type Addresses = {
  readonly size: { readonly tried: number; readonly fresh: number };
  readonly select: (wish: {
    readonly newOnly: boolean;
    readonly isWanted: (peer: PeerAddress) => boolean;
  }) => PeerAddress | undefined;
  readonly selectTriedCollision: () => PeerAddress | undefined;
  readonly resolveCollisions: () => void;
  readonly attempt: (peer: PeerAddress, countFailure: boolean) => void;
  /** It answered a valid hello over a connection that we chose to open. */
  readonly good: (peer: PeerAddress) => void;
  /** It was alive until now. */
  readonly connected: (id: PeerIdText) => void;
  /** Unix milliseconds of the last try; 0 for never. */
  readonly lastTryMs: (peer: PeerAddress) => number;
};

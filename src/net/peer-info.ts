/** A peer as the rest of the node sees it. Plain data. */

/** base58 text of a libp2p peer id. */
export type PeerIdText = string;

/**
 * What a connection is for. `full-relay`, `block-only` and `feeler` are opened by our own choice; `manual` the operator asked
 * for; `query` libp2p opened for a DHT query, and it is closed again soon. Over a block-only connection we neither send nor
 * ask for transactions or addresses; a feeler is closed once the peer has answered hello.
 */
export type ConnectionKind = 'inbound' | 'full-relay' | 'block-only' | 'feeler' | 'manual' | 'query';

export type PeerInfo = {
  readonly id: PeerIdText;
  /** Multiaddr of the other end. */
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  /** A `query` may become `full-relay` later, nothing else changes. */
  readonly kind: ConnectionKind;
  /** Over a third node, within its limits: no blocks can be had from this peer. It may leave and come back without. */
  readonly isRelayed: boolean;
  /** Unix milliseconds. */
  readonly connectedAt: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Round trip of the last ping. */
  readonly latencyMs: number | undefined;
  readonly agent: string;
  /** Asked for by --connect: never banned, always redialled. */
  readonly isManual: boolean;
  /** One of the configured or default seeds. */
  readonly isSeed: boolean;
};

/** A confirmed peer and how it stands with us. */
export type PeerStatus = PeerInfo & {
  /** For its offences, faded by now; `reputation.ts` says what follows from how many. */
  readonly penaltyPoints: number;
  /** Gossipsub's. Below 0 only for offences and for messages that were rejected. */
  readonly gossipScore: number;
};

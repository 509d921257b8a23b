/**
 * The network port: plain data only (bytes, ids, numbers), so that libp2p can run in its own worker thread.
 * Two implementations, in-process and worker, pass one compliance suite. `net` checks sizes, counts, deadlines
 * and quotas by the rows of `protocol`; it knows no message by name and decodes nothing.
 */
import type { OffenceName, StreamName, TopicName } from '#protocol';
import type { OperatorPeers, Standing } from './operator-port.ts';
import type { PeerIdText, PeerInfo, PeerStatus } from './peer-info.ts';

export type { ConnectionKind, PeerIdText, PeerInfo, PeerStatus } from './peer-info.ts';

/** 0 ok, 1 invalid request, 2 server error, 3 not found, 4 busy or rate limited. */
export type ResponseStatus = 0 | 1 | 2 | 3 | 4;

/** One frame of a response. Whoever asked owns the bytes; whoever serves keeps theirs, but must not change them any more. */
export type ResponseFrame = {
  readonly status: ResponseStatus;
  readonly payload: Uint8Array;
  /**
   * Set by a server for bytes that nobody else holds or will use: their memory may then be given to another thread
   * without a copy. Saves about half a millisecond for a block of 1 MB.
   */
  readonly isExclusive?: boolean;
};

/**
 * What becomes of a gossip message after the node has looked at it. `acceptAfterMs`: good, to be passed on after so
 * long (at most MAX_GOSSIP_HOLD_MS, beyond which gossipsub has forgotten it).
 */
export type GossipVerdict = 'accept' | 'ignore' | 'reject' | { readonly acceptAfterMs: number };

/** Gossipsub keeps a message that is being validated for ten heartbeats of a second. */
export const MAX_GOSSIP_HOLD_MS = 8_000;

export type GossipMessage = {
  readonly topic: TopicName;
  readonly data: Uint8Array;
  /** The peer that handed it to us (not its author). */
  readonly from: PeerIdText;
};

/** What the node answers: all but what is about addresses, which this module does. */
export type NodeStreamName = Exclude<StreamName, 'peers'>;

/** What the node supplies. Handlers may be slow: queues in front of them are bounded and drop as their rows say. */
export type NetHandlers = {
  readonly peerConnected: (peer: PeerInfo) => void;
  readonly peerDisconnected: (id: PeerIdText, reason: string) => void;
  /**
   * Answers one request of a peer that was announced. Frames are sent with back-pressure; the signal aborts and the
   * iterable is closed when the peer goes away or stalls. A handler that throws answers status 2.
   */
  readonly serve: (
    name: NodeStreamName,
    from: PeerIdText,
    request: Uint8Array,
    signal: AbortSignal,
  ) => AsyncIterable<ResponseFrame>;
  readonly gossip: (message: GossipMessage) => Promise<GossipVerdict>;
  /**
   * Another peer sent the same as a message whose verdict is open, or was such that the topic `hearsCopies` still; `data` is
   * its beginning. Of each peer once a message.
   */
  readonly gossipCopy?: (message: GossipMessage) => void;
};

/** Why a request failed; thrown by the iterator of `request`. */
export type RequestErrorCode =
  | 'ABORTED'
  | 'DISCONNECTED'
  | 'PROTOCOL_VIOLATION'
  | 'STREAM_RESET'
  | 'TIMEOUT'
  | 'TOO_MANY_STREAMS'
  | 'UNSUPPORTED_PROTOCOL';

/** How we heard of an address. */
export type SourceKind = 'manual' | 'seed' | 'dht' | 'provider' | 'record' | 'identify' | 'mdns' | 'inbound';

/** What came of a kind of source. */
export type SourceQuality = {
  readonly kind: SourceKind;
  /** Addresses that were new to us, since the start. */
  readonly heard: number;
  /** How many of its addresses are hearsay now, and how many have answered a call. */
  readonly fresh: number;
  readonly tried: number;
  /** Addresses that answered for the first time, since the start. */
  readonly succeeded: number;
};

/**
 * How others can reach us: at an address that was verified, by a relay, perhaps (no address is verified), or not at all,
 * since we listen nowhere.
 */
export type Reachability = 'direct' | 'relayed' | 'unverified' | 'none';

export type NetStatus = {
  readonly peerId: PeerIdText;
  /** Multiaddrs with peer id that others can dial. */
  readonly listenAddresses: readonly string[];
  readonly reachability: Reachability;
  /** Confirmed ones. */
  readonly peers: readonly PeerStatus[];
  readonly knownAddresses: number;
  readonly addressSources: readonly SourceQuality[];
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Open connections, and the open streams on all of them. */
  readonly connections: number;
  readonly streams: number;
  readonly gossip: GossipCounts;
  /** False while the operator keeps the network switched off. */
  readonly isActive: boolean;
  readonly standing: Standing;
};

/** Messages that peers sent, since the start. */
export type GossipCounts = {
  /** Copies counted. */
  readonly received: number;
  /** Heard of for the first time. */
  readonly fresh: number;
  /** Of those, how many found the queue in front of the node full, so that one was dropped. */
  readonly dropped: number;
};

/**
 * `block`: the first to tell of a block with more work than our tip. `tx`: brought a transaction that we took. `chain`: one
 * of the few outbound peers that are kept for having shown a chain as good as ours.
 */
export type Usefulness = 'block' | 'tx' | 'chain';

export type ChainNews = {
  /** The first sync has ended. */
  readonly isSynced: boolean;
  /** No block came for so long that our peers may be hiding one. */
  readonly isTipStale: boolean;
};

export type Net = AsyncDisposable & {
  readonly peerId: PeerIdText;
  readonly status: () => Promise<NetStatus>;
  /**
   * Sends one request on a stream of its own (or the row's long-lived one) and gives the response's frames as they
   * arrive, with back-pressure, ending at the explicit end frame. Leaving the loop early resets the stream.
   * Throws RequestError. The peer must be connected.
   */
  readonly request: (
    peer: PeerIdText,
    name: StreamName,
    request: Uint8Array,
    signal: AbortSignal,
  ) => AsyncIterable<ResponseFrame>;
  /**
   * Hands a message to gossipsub; gives the number of peers that it was sent to (0 is no error). The message counts as
   * seen even then: publishing it again sends nothing.
   */
  readonly publish: (topic: TopicName, data: Uint8Array) => Promise<number>;
  /** Charges a peer. The one way to lower its standing; may disconnect and ban it. `detail` is for the log. */
  readonly charge: (peer: PeerIdText, offence: OffenceName, detail: string) => void;
  /** Ends the connection without blame. */
  readonly disconnect: (peer: PeerIdText, reason: string) => void;
  /**
   * The peer answered a valid hello of our network: it counts as a peer, its address is worth keeping. To be called again
   * when a later hello says otherwise about transactions.
   */
  readonly confirmPeer: (peer: PeerIdText, relaysTransactions: boolean) => void;
  /** What a peer was good for: decides on who keeps its place. */
  readonly noteUseful: (peer: PeerIdText, what: Usefulness) => void;
  /** To be called at each look at the tip, some minutes apart, and when the first sync has ended: decides on extra peers. */
  readonly noteChain: (news: ChainNews) => void;
  /** What an operator asks and decides. */
  readonly peers: OperatorPeers;
};

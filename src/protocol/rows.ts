/**
 * The shape of what a peer can say: one row a stream protocol, one row a gossip topic. `net` registers, bounds,
 * meters, times out and names by rows alone; handler types derive from the tables. Rows are immutable.
 */

/**
 * Bytes to value and back. Stateless.
 * `encode` gives fresh bytes that the caller owns, or a view of what the value already holds (raw blocks and
 * transactions); it trusts its caller and asserts the bounds.
 * `decode` throws DecodeError on anything that is not exactly one value inside the bounds. What it allocates is
 * bounded by the length of `bytes`; byte fields are views of `bytes`, which must not change.
 */
export type Codec<T> = {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
};

/** What a codec decodes to: `Decoded<typeof streams.headers.request>`, `Decoded<(typeof topics)[Name]['codec']>`. */
export type Decoded<C> = C extends Codec<infer T> ? T : never;

/** Outer limits of one exchange, milliseconds. A caller may give up earlier by its own signal. */
export type StreamTimeouts = {
  /** From the request being sent to the first byte of the response. */
  readonly firstFrameMs: number;
  /** Longest pause between two bytes of the response, and longest wait for a reader who takes none. */
  readonly progressMs: number;
  /** The whole exchange. */
  readonly totalMs: number;
};

/** A token bucket per peer and protocol: `burst` units at most, refilled by `perSecond`. */
export type Quota = {
  readonly burst: number;
  readonly perSecond: number;
};

export type StreamRow<Request, Item> = {
  /** The major version in the protocol id. */
  readonly version: number;
  readonly request: Codec<Request>;
  /** The payload of one `ok` frame. */
  readonly response: Codec<Item>;
  readonly maxRequestBytes: number;
  /** Payload of one response frame, status byte not counted. */
  readonly maxFrameBytes: number;
  /** How many frames (the end frame not counted) may answer these request bytes. Cheap; safe on garbage; at least 1. */
  maxFrames(request: Uint8Array): number;
  /** Payloads of all frames of a response together. */
  readonly maxResponseBytes: number;
  readonly timeouts: StreamTimeouts;
  /**
   * In flight from one peer. Twice the outbound cap: the two ends do not see a stream close at the same moment, and
   * an honest peer must not be refused for that.
   */
  readonly maxInboundStreams: number;
  /** In flight to one peer. */
  readonly maxOutboundStreams: number;
  /** Work units of a request, from its raw bytes. Cheap; safe on garbage; at least 1. Taken before it is served. */
  cost(request: Uint8Array): number;
  /**
   * Work units of each payload byte of the response, taken as it is sent. May bring the bucket below zero: the
   * response goes on, the next request waits or is answered `busy`.
   */
  readonly costPerByte: number;
  readonly quota: Quota;
};

/** Gossipsub's topic score parameters, by gossipsub's own names, so that `net` hands them over as they are. */
export type TopicScore = {
  readonly topicWeight: number;
  readonly timeInMeshWeight: number;
  /** Milliseconds. */
  readonly timeInMeshQuantum: number;
  readonly timeInMeshCap: number;
  readonly firstMessageDeliveriesWeight: number;
  readonly firstMessageDeliveriesDecay: number;
  readonly firstMessageDeliveriesCap: number;
  readonly meshMessageDeliveriesWeight: number;
  readonly meshMessageDeliveriesDecay: number;
  readonly meshMessageDeliveriesCap: number;
  readonly meshMessageDeliveriesThreshold: number;
  /** Milliseconds. */
  readonly meshMessageDeliveriesWindow: number;
  /** Milliseconds. */
  readonly meshMessageDeliveriesActivation: number;
  readonly meshFailurePenaltyWeight: number;
  readonly meshFailurePenaltyDecay: number;
  readonly invalidMessageDeliveriesWeight: number;
  readonly invalidMessageDeliveriesDecay: number;
};

export type TopicRow<T> = {
  /** The major version in the topic id. */
  readonly version: number;
  readonly codec: Codec<T>;
  readonly maxBytes: number;
  /** Messages waiting for the node. A message dropped here is reported to gossipsub as ignored. */
  readonly queue: {
    readonly length: number;
    readonly drop: 'newest' | 'oldest';
    /** Messages with the node at once, out of the queue. */
    readonly atOnce: number;
  };
  /** 32 bytes, the same for the same content on every node. Synchronous; safe on garbage. */
  messageId(data: Uint8Array): Uint8Array;
  readonly score: TopicScore;
  /**
   * Accept is reported no earlier than this after arrival, for messages large enough for IDONTWANT (`net` sets that
   * size). IDONTWANT saves copies only when there is a pause between receiving a message and passing it on.
   */
  readonly holdAcceptMs?: number;
  /** What we publish goes to all peers of the topic, not only to those of the mesh. */
  readonly floodPublish?: boolean;
  /**
   * Messages are passed on together, at times so far apart. They share an RPC then, and whoever sends one meanwhile is not
   * sent it.
   */
  readonly gatherMs?: number;
  /** The node is told who else sends a message. */
  readonly hearsCopies?: CopyTerms;
};

export type CopyTerms = {
  /** Also of a message that it accepted; else it is told while it judges, and of what it ignored. */
  readonly ofAccepted: boolean;
  /** So many first bytes of a copy come along. */
  readonly maxBytes: number;
};

/**
 * The compact size in front of a request, as a number in 1 .. max. Never throws: garbage counts as what its bytes
 * say, within the range. Only for budgets; the codec judges the bytes.
 */
export function leadingCount(bytes: Uint8Array, max: number): number {
  const [first = 0, low = 0, high = 0] = bytes;
  const count = first < 0xfd ? first : first === 0xfd ? low + high * 256 : max;
  return Math.min(Math.max(count, 1), max);
}

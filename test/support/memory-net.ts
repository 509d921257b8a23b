/**
 * The `Net` port in memory: many nodes in one process, on the clock that is given. Links have latency, bandwidth and
 * loss of gossip; nodes can be cut off or lied to (`tamper`). Rows, quotas, time limits, offences and bans are those
 * of the real network module; discovery is not simulated: nodes dial whom they were told of.
 */
import type {
  GossipMessage,
  GossipVerdict,
  Net,
  NetHandlers,
  NetStatus,
  NetTuning,
  PeerIdText,
  PeerInfo,
  ResponseFrame,
} from '#net';
import { type OperatorPeers, RequestError } from '#net';
import { type OffenceName, type StreamName, streams, type TopicName } from '#protocol';
import { type Clock, nullLogger, type Random, sleep, type TimerHandle, toHex } from '#util';
import { BoundedMap } from '../../src/net/bounded-map.ts';
import { Deadline } from '../../src/net/deadline.ts';
import { openJsonFile } from '../../src/net/json-file.ts';
import { DEFAULT_TUNING } from '../../src/net/options.ts';
import { Reputation } from '../../src/net/reputation.ts';
import { streamLimits, topicLimits } from '../../src/net/rows.ts';
import { TokenBuckets } from '../../src/net/token-bucket.ts';
import { MemoryExchange } from './memory-exchange.ts';
import { memoryOperatorPeers, type Target } from './memory-operator.ts';

export type Link = {
  /** One way. */
  readonly latencyMs: number;
  readonly bytesPerSecond: number;
  /** Share of gossip messages that get lost, 0 .. 1 (streams are reliable: there, loss is latency). */
  readonly gossipLoss: number;
};

export type MemoryNetworkOptions = {
  readonly clock: Clock;
  readonly random: Random;
  /** Default: immediate and lossless. Asked once for each connection and direction. */
  readonly link?: (from: PeerIdText, to: PeerIdText) => Link;
  /** Changes, or by `undefined` drops, a response frame on its way. */
  readonly tamper?: (frame: ResponseFrame, from: PeerIdText, to: PeerIdText) => ResponseFrame | undefined;
};

export type MemoryNodeOptions = {
  readonly name: string;
  readonly bootstrap?: readonly string[];
  readonly seeds?: readonly string[];
  readonly connect?: readonly string[];
  readonly maxPeers?: number;
  readonly targetOutbound?: number;
  readonly tuning?: Partial<NetTuning>;
};

const INSTANT: Link = { latencyMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, gossipLoss: 0 };
const MAX_SEEN_MESSAGES = 10_000;
/** Bytes of one response on their way through the latency of a link. */
const MAX_FLYING_BYTES = 1 << 22;

export class MemoryNetwork {
  readonly clock: Clock;
  readonly random: Random;
  readonly link: (from: PeerIdText, to: PeerIdText) => Link;
  readonly tamper: NonNullable<MemoryNetworkOptions['tamper']>;
  readonly #nodes = new Map<PeerIdText, MemoryNode>();
  #isSeparated: (a: PeerIdText, b: PeerIdText) => boolean = () => false;
  #created = 0;

  constructor(options: MemoryNetworkOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.link = options.link ?? (() => INSTANT);
    this.tamper = options.tamper ?? ((frame) => frame);
  }

  async create(options: MemoryNodeOptions, handlers: NetHandlers): Promise<Net> {
    const id = `memory${++this.#created}${options.name.replace(/\W/g, '')}`;
    const tuning = { ...DEFAULT_TUNING, ...options.tuning };
    const reputation = await Reputation.open(this.clock, nullLogger, openJsonFile(undefined, nullLogger), tuning);
    const node = new MemoryNode(this, id, options, tuning, handlers, reputation);
    this.#nodes.set(id, node);
    node.start();
    return node;
  }

  /** Breaks all connections between separated nodes, and lets none be made, until called again. */
  separate(isSeparated: (a: PeerIdText, b: PeerIdText) => boolean): void {
    this.#isSeparated = isSeparated;
    for (const node of this.#nodes.values()) node.dropWhere((other) => isSeparated(node.peerId, other));
  }

  /** The node that listens there, if it can be reached. */
  reach(from: PeerIdText, id: PeerIdText): MemoryNode | undefined {
    return this.#isSeparated(from, id) ? undefined : this.#nodes.get(id);
  }

  remove(id: PeerIdText): void {
    this.#nodes.delete(id);
  }
}

/** One end of a connection, as its node sees it. */
type End = {
  readonly info: PeerInfo;
  readonly remote: MemoryNode;
  readonly link: Link;
  /** When the way out is free again. */
  freeAtMs: number;
  isConfirmed: boolean;
  confirmTimer: TimerHandle | undefined;
  bytesIn: number;
  bytesOut: number;
  readonly exchanges: Set<MemoryExchange>;
  readonly asked: Map<StreamName, number>;
};

class MemoryNode implements Net {
  readonly peerId: PeerIdText;
  readonly #network: MemoryNetwork;
  readonly #options: Required<Pick<MemoryNodeOptions, 'name' | 'maxPeers' | 'targetOutbound'>>;
  readonly #tuning: NetTuning;
  readonly #handlers: NetHandlers;
  readonly #reputation: Reputation;
  readonly #buckets: TokenBuckets;
  readonly #ends = new Map<PeerIdText, End>();
  readonly #targets: Target[];
  readonly #seen = new Set<string>();
  /** Messages whose verdict is open, with who sent them. */
  readonly #judging = new Map<string, Set<PeerIdText>>();
  readonly #decided = new BoundedMap<string, Set<PeerIdText>>(MAX_SEEN_MESSAGES);
  readonly #timers = new Set<TimerHandle>();
  readonly peers: OperatorPeers;
  #isActive = true;
  #isStopped = false;

  constructor(
    network: MemoryNetwork,
    id: PeerIdText,
    options: MemoryNodeOptions,
    tuning: NetTuning,
    handlers: NetHandlers,
    reputation: Reputation,
  ) {
    this.#network = network;
    this.peerId = id;
    this.#options = {
      name: options.name,
      maxPeers: options.maxPeers ?? 16,
      targetOutbound: options.targetOutbound ?? 4,
    };
    this.#tuning = tuning;
    this.#handlers = handlers;
    this.#reputation = reputation;
    this.#buckets = new TokenBuckets(network.clock);
    const target = (address: string, isManual: boolean, isSeed: boolean): Target => {
      return { id: address.split('/').at(-1) ?? '', address, isManual, isSeed, failures: 0 };
    };
    this.#targets = [
      ...(options.connect ?? []).map((address) => target(address, true, false)),
      ...[...(options.bootstrap ?? []), ...(options.seeds ?? [])].map((address) => target(address, false, true)),
    ];
    this.peers = memoryOperatorPeers({
      clock: network.clock,
      reputation,
      ends: this.#ends,
      targets: this.#targets,
      dialSoon: (added) => this.#later(0, () => this.#dial(added)),
      dialNow: (wanted) => this.#ends.has(wanted.id) || this.#connect(wanted),
      disconnect: this.disconnect,
      setActive: (isActive) => {
        this.#isActive = isActive;
        for (const peer of isActive ? [] : [...this.#ends.keys()]) this.disconnect(peer, 'the network is switched off');
      },
    });
  }

  start(): void {
    for (const target of this.#targets) this.#later(0, () => this.#dial(target));
  }

  status = async (): Promise<NetStatus> => {
    const ends = [...this.#ends.values()];
    return {
      peerId: this.peerId,
      listenAddresses: [`/memory/0/p2p/${this.peerId}`],
      reachability: 'direct',
      peers: ends
        .filter((end) => end.isConfirmed)
        .map(({ info, bytesIn, bytesOut }) => {
          return { ...info, bytesIn, bytesOut, penaltyPoints: this.#reputation.points(info.id), gossipScore: 0 };
        }),
      knownAddresses: this.#targets.length,
      addressSources: [],
      bytesIn: ends.reduce((sum, end) => sum + end.bytesIn, 0),
      bytesOut: ends.reduce((sum, end) => sum + end.bytesOut, 0),
      connections: ends.length,
      streams: 0,
      gossip: { received: 0, fresh: 0, dropped: 0 },
      isActive: this.#isActive,
      standing: this.#reputation.standing(),
    };
  };

  request = (
    peer: PeerIdText,
    name: StreamName,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncIterable<ResponseFrame> => this.#ask(peer, name, request, signal);

  publish = async (topic: TopicName, data: Uint8Array): Promise<number> => {
    this.#isNew(topic, data);
    return this.#spread(topic, data, undefined);
  };

  charge = (peer: PeerIdText, offence: OffenceName, detail: string): void => {
    const isManual = this.#ends.get(peer)?.info.isManual ?? false;
    if (this.#reputation.charge(peer, undefined, offence, isManual) === 'noted') return;
    this.disconnect(peer, `${offence}: ${detail}`);
  };

  disconnect = (peer: PeerIdText, reason: string): void => {
    const remote = this.#ends.get(peer)?.remote;
    this.#close(peer, reason);
    if (remote !== undefined) remote.#close(this.peerId, 'the peer closed the connection');
  };

  confirmPeer = (peer: PeerIdText): void => {
    const end = this.#ends.get(peer);
    if (end === undefined) return;
    end.isConfirmed = true;
    end.confirmTimer?.cancel();
  };

  noteUseful = (): void => {};

  noteChain = (): void => {};

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#network.remove(this.peerId);
    for (const timer of this.#timers) timer.cancel();
    this.dropWhere(() => true);
    await this.#reputation.close();
  }

  dropWhere(isMeant: (peer: PeerIdText) => boolean): void {
    for (const [peer, { remote }] of [...this.#ends]) {
      if (!isMeant(peer)) continue;
      this.#close(peer, 'the connection was lost');
      remote.#close(this.peerId, 'the connection was lost');
    }
  }

  /** Dials and, when that fails or the peer goes away, dials again later: twice as late each time. */
  async #dial(target: Target): Promise<void> {
    if (!this.#targets.includes(target)) return;
    const outbound = [...this.#ends.values()].filter((end) => end.info.direction === 'outbound').length;
    const isWanted = target.isManual || outbound < this.#options.targetOutbound;
    if (!this.#isStopped && isWanted && !this.#ends.has(target.id)) {
      const { latencyMs } = this.#network.link(this.peerId, target.id);
      // A connection takes about two round trips.
      if (latencyMs > 0) await sleep(this.#network.clock, 4 * latencyMs);
      if (this.#connect(target)) target.failures = 0;
    }
    const { backoffFirstMs, backoffLastMs } = this.#tuning;
    this.#later(Math.min(backoffLastMs, backoffFirstMs * 2 ** target.failures), () => this.#dial(target));
    target.failures += this.#ends.has(target.id) ? 0 : 1;
  }

  #connect(target: Target): boolean {
    const remote = this.#network.reach(this.peerId, target.id);
    if (remote === undefined || remote === this || this.#isStopped) return false;
    if (!this.#admits(remote.peerId) || !remote.#admits(this.peerId)) return false;
    this.#open(remote, 'outbound', target);
    remote.#open(this, 'inbound');
    for (const [node, other] of [[remote, this] as const, [this, remote] as const]) {
      const info = node.#ends.get(other.peerId)?.info;
      if (info !== undefined) node.#handlers.peerConnected(info);
    }
    return true;
  }

  #admits(peer: PeerIdText): boolean {
    if (!this.#isActive || this.#ends.has(peer) || this.#reputation.isPeerBanned(peer)) return false;
    return this.#ends.size < this.#options.maxPeers;
  }

  #open(remote: MemoryNode, direction: PeerInfo['direction'], target?: Target): void {
    const { clock } = this.#network;
    const link = this.#network.link(this.peerId, remote.peerId);
    const info: PeerInfo = {
      id: remote.peerId,
      address: `/memory/0/p2p/${remote.peerId}`,
      direction,
      isRelayed: false,
      kind: kindOf(direction, target),
      connectedAt: clock.now(),
      bytesIn: 0,
      bytesOut: 0,
      latencyMs: 2 * link.latencyMs,
      agent: remote.#options.name,
      // Who is tried once is dialled as the operator's peers are, but is none of them.
      isManual: target?.isManual === true && this.#targets.includes(target),
      isSeed: target?.isSeed ?? false,
    };
    this.#ends.set(remote.peerId, {
      info,
      remote,
      link,
      freeAtMs: 0,
      isConfirmed: false,
      confirmTimer: clock.after(this.#tuning.confirmTimeoutMs, () => this.disconnect(info.id, 'not confirmed')),
      bytesIn: 0,
      bytesOut: 0,
      exchanges: new Set(),
      asked: new Map(),
    });
  }

  #close(peer: PeerIdText, reason: string): void {
    const end = this.#ends.get(peer);
    if (end === undefined) return;
    this.#ends.delete(peer);
    end.confirmTimer?.cancel();
    for (const exchange of end.exchanges) exchange.fail(new RequestError('DISCONNECTED', 'the connection closed'));
    this.#handlers.peerDisconnected(peer, reason);
  }

  async *#ask(
    peer: PeerIdText,
    name: StreamName,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<ResponseFrame> {
    if (signal.aborted) throw new RequestError('ABORTED', 'given up');
    const end = this.#ends.get(peer);
    if (end === undefined) throw new RequestError('DISCONNECTED', 'the peer is not connected');
    const row = streamLimits(name);
    const open = end.asked.get(name) ?? 0;
    if (open >= row.maxOutboundStreams) throw new RequestError('TOO_MANY_STREAMS', `${open} ${name} streams are open`);
    end.asked.set(name, open + 1);
    const exchange = new MemoryExchange();
    end.exchanges.add(exchange);
    const onAbort = (): void => exchange.fail(new RequestError('ABORTED', 'given up'));
    signal.addEventListener('abort', onAbort);
    const { firstFrameMs, progressMs, totalMs } = row.timeouts;
    const deadline = new Deadline(this.#network.clock, firstFrameMs, totalMs, (what) =>
      exchange.fail(new RequestError('TIMEOUT', `the time for the ${what} ran out`)),
    );
    try {
      void end.remote.#serve(exchange, this, name, request);
      deadline.run();
      let frames = 0;
      for (let frame = await exchange.read(); frame !== undefined; frame = await exchange.read()) {
        frames += 1;
        if (frames > row.maxFrames(request))
          throw this.#violation(peer, 'protocol-violation', `${name}: ${frames} frames`);
        if (frame.payload.length > row.maxFrameBytes) throw this.#violation(peer, 'oversized-frame', name);
        deadline.progress(progressMs);
        deadline.stop();
        yield frame;
        deadline.run();
      }
    } finally {
      deadline.stop();
      signal.removeEventListener('abort', onAbort);
      exchange.fail(new RequestError('ABORTED', 'the reader left'));
      end.exchanges.delete(exchange);
      end.asked.set(name, (end.asked.get(name) ?? 1) - 1);
    }
  }

  #violation(peer: PeerIdText, offence: OffenceName, detail: string): RequestError {
    this.charge(peer, offence, detail);
    return new RequestError('PROTOCOL_VIOLATION', detail);
  }

  /** The server's side of an exchange. */
  async #serve(exchange: MemoryExchange, asker: MemoryNode, name: StreamName, request: Uint8Array): Promise<void> {
    const { quota, cost, costPerByte } = streamLimits(name);
    const key = `${asker.peerId} ${name}`;
    const { signal } = exchange.serverGone;
    const { clock } = this.#network;
    const { latencyMs } = this.#network.link(this.peerId, asker.peerId);
    let arrival: Promise<void> = Promise.resolve();
    let flyingBytes = 0;
    // Sending takes the bandwidth; what is under way arrives a latency later, while more is sent.
    const send = async (frame: ResponseFrame): Promise<void> => {
      const changed = this.#network.tamper(frame, this.peerId, asker.peerId);
      if (changed === undefined) return;
      const { length } = changed.payload;
      await this.#carry(asker.peerId, length);
      flyingBytes += length;
      const landed = latencyMs > 0 ? sleep(clock, latencyMs) : Promise.resolve();
      arrival = Promise.all([arrival, landed]).then(async () => {
        await exchange.write(changed);
        flyingBytes -= length;
      });
      if (latencyMs === 0 || flyingBytes > MAX_FLYING_BYTES) await arrival;
    };
    try {
      await asker.#carry(this.peerId, request.length);
      if (latencyMs > 0) await sleep(clock, latencyMs);
      if (!this.#buckets.take(key, quota, cost(request))) await send({ status: 4, payload: new Uint8Array(0) });
      else {
        const answer = name === 'peers' ? noRecords() : this.#handlers.serve(name, asker.peerId, request, signal);
        const frames = answer[Symbol.asyncIterator]();
        signal.addEventListener('abort', () => void frames.return?.()?.catch(() => {}), { once: true });
        for (;;) {
          const next = await exchange.unlessGone(frames.next());
          if (next === undefined || next.done === true) break;
          this.#buckets.spend(key, quota, next.value.payload.length * costPerByte);
          await send(next.value);
        }
      }
    } catch {
      await send({ status: 2, payload: new Uint8Array(0) });
    }
    await arrival;
    exchange.complete();
  }

  /** Takes the link to a peer for as long as the bytes need. At once when the connection is gone. */
  async #carry(peer: PeerIdText, bytes: number): Promise<void> {
    const end = this.#ends.get(peer);
    if (end === undefined) return;
    const { clock } = this.#network;
    const nowMs = clock.monotonicMs();
    end.freeAtMs = Math.max(nowMs, end.freeAtMs) + (bytes / end.link.bytesPerSecond) * 1000;
    end.bytesOut += bytes;
    const there = end.remote.#ends.get(this.peerId);
    if (there !== undefined) there.bytesIn += bytes;
    if (end.freeAtMs > nowMs) await sleep(clock, end.freeAtMs - nowMs);
  }

  /** True once a message. */
  #isNew(topic: TopicName, data: Uint8Array): boolean {
    const id = messageKey(topic, data);
    if (this.#seen.has(id)) return false;
    const [oldest] = this.#seen;
    if (this.#seen.size >= MAX_SEEN_MESSAGES && oldest !== undefined) this.#seen.delete(oldest);
    this.#seen.add(id);
    return true;
  }

  #spread(topic: TopicName, data: Uint8Array, from: PeerIdText | undefined): number {
    let sent = 0;
    for (const [peer, end] of this.#ends) {
      if (peer === from) continue;
      sent += 1;
      const isLost = this.#network.random.below(1_000_000) < end.link.gossipLoss * 1_000_000;
      if (!isLost) void this.#tell(peer, end, topic, data.slice());
    }
    return sent;
  }

  async #tell(peer: PeerIdText, end: End, topic: TopicName, data: Uint8Array): Promise<void> {
    await this.#carry(peer, data.length);
    if (end.link.latencyMs > 0) await sleep(this.#network.clock, end.link.latencyMs);
    await end.remote.#heard(topic, data, this.peerId);
  }

  async #heard(topic: TopicName, data: Uint8Array, from: PeerIdText): Promise<void> {
    if (!this.#ends.has(from)) return;
    if (!this.#isNew(topic, data)) {
      const id = messageKey(topic, data);
      const senders = this.#judging.get(id) ?? this.#decided.get(id);
      const { hearsCopies } = topicLimits(topic);
      if (senders === undefined || senders.has(from) || hearsCopies === undefined) return;
      senders.add(from);
      this.#handlers.gossipCopy?.({ topic, data: data.subarray(0, hearsCopies.maxBytes), from });
      return;
    }
    if (data.length > topicLimits(topic).maxBytes) {
      this.charge(from, 'oversized-frame', topic);
      return;
    }
    const message: GossipMessage = { topic, data, from };
    const id = messageKey(topic, data);
    const verdict = await this.#judged(id, message);
    if (verdict === 'ignore' || verdict === 'reject' || this.#isStopped) return;
    if (verdict === 'accept') this.#spread(topic, data, from);
    else this.#later(verdict.acceptAfterMs, () => void this.#spread(topic, data, from));
  }

  async #judged(id: string, message: GossipMessage): Promise<GossipVerdict> {
    const senders = new Set([message.from]);
    this.#judging.set(id, senders);
    try {
      const verdict = await this.#handlers.gossip(message);
      const isHeardOn = verdict !== 'reject' && topicLimits(message.topic).hearsCopies?.ofAccepted === true;
      if (verdict === 'ignore' || isHeardOn) this.#decided.set(id, senders);
      return verdict;
    } finally {
      this.#judging.delete(id);
    }
  }

  #later(delayMs: number, fn: () => Promise<void> | void): void {
    if (this.#isStopped) return;
    const timer = this.#network.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      void fn();
    });
    this.#timers.add(timer);
  }
}

function kindOf(direction: PeerInfo['direction'], target: Target | undefined): PeerInfo['kind'] {
  if (direction === 'inbound') return 'inbound';
  return target?.isManual === true ? 'manual' : 'full-relay';
}

function messageKey(topic: TopicName, data: Uint8Array): string {
  return `${topic} ${toHex(topicLimits(topic).messageId(data))}`;
}

/** Peers here are told whom to dial. */
async function* noRecords(): AsyncGenerator<ResponseFrame> {
  yield { status: 0, payload: streams.peers.response.encode([]) };
}

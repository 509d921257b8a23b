/**
 * Gossip between gossipsub and the node. Gossipsub has no back-pressure, so a bounded queue a topic stands in front
 * of the node, and what it drops is reported as ignored. Each peer's traffic is metered (`gossip-reader.ts`); who floods, or
 * falls to the graylist by rejected messages, is charged to our reputation, since gossipsub's own scores neither disconnect
 * nor survive a reconnection.
 */
import type { GossipSub, GossipsubMessage } from '@libp2p/gossipsub';
import { TopicValidatorResult } from '@libp2p/gossipsub';
import type { PeerId } from '@libp2p/interface';
import { type OffenceName, type TopicName, topicId } from '#protocol';
import { assert, type Clock, errorText, type Logger, type TimerHandle } from '#util';
import { BoundedMap } from './bounded-map.ts';
import { hideTopic } from './gossip-block-only.ts';
import type { Rpc } from './gossip-control.ts';
import { GossipGather } from './gossip-gather.ts';
import { boundMemory } from './gossip-memory.ts';
import { type ReaderDeps, readRpcs } from './gossip-reader.ts';
import { mergeSends } from './gossip-sends.ts';
import { IDONTWANT_MIN_BYTES, type TopicIds } from './gossip-settings.ts';
import {
  type GossipCounts,
  type GossipVerdict,
  MAX_GOSSIP_HOLD_MS,
  type NetHandlers,
  type PeerIdText,
} from './port.ts';
import { topicLimits, topicNames } from './rows.ts';

/** Good messages that wait to be passed on. Beyond it they are passed on at once. */
const MAX_HELD = 4_096;
/**
 * Decided messages whose copies are still heard, the oldest forgotten: of ignored ones, since their first sender may have gone
 * before it gave what it announced, and gossipsub keeps quiet about what it has seen. Some minutes' worth.
 */
const MAX_DECIDED = 4_096;
/** gossipsub's MessageStatus. */
const DUPLICATE = 'duplicate';

type Result = Extract<GossipVerdict, string>;
const RESULT: Readonly<Record<Result, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
};

export type GossipDeps = {
  readonly network: string;
  readonly pubsub: GossipSub;
  readonly clock: Clock;
  readonly log: Logger;
  readonly deliver: NetHandlers['gossip'];
  readonly deliverCopy: NetHandlers['gossipCopy'] | undefined;
  readonly isAnnounced: (peer: PeerIdText) => boolean;
  /** No transactions go over its connection. */
  readonly isBlockOnly: (peer: PeerIdText) => boolean;
  readonly charge: (peer: PeerIdText, offence: OffenceName, detail: string) => void;
};

/** A message whose verdict is open. */
type Waiting = {
  readonly id: string;
  readonly topic: TopicName;
  readonly from: PeerIdText;
  readonly data: Uint8Array;
  readonly arrivedAt: number;
};
type Queue = { readonly waiting: Waiting[]; withNode: number };
type RawMessage = { readonly topic: string; readonly data?: Uint8Array };

/** What gossipsub has at run time beyond its declared interface. Checked when we start. */
type GossipInternals = {
  reportMessageValidationResult: (id: string, from: string, result: TopicValidatorResult) => void;
  readonly handleReceivedRpc: (from: PeerId, rpc: Rpc) => Promise<void>;
  publish: (
    topic: string,
    data: Uint8Array,
    options: { readonly floodPublish: boolean },
  ) => ReturnType<GossipSub['publish']>;
  /** Peer ids by topic id. */
  readonly mesh: ReadonlyMap<string, ReadonlySet<PeerIdText>>;
  /** Gives `duplicate` as the code of what was seen before. */
  validateReceivedMessage: (
    from: PeerId,
    message: RawMessage,
  ) => Promise<{ readonly code: string; readonly msgIdStr?: string }>;
};

export class Gossip {
  readonly #deps: GossipDeps;
  readonly #internals: GossipInternals;
  readonly #names: TopicIds;
  readonly #queues = new Map<TopicName, Queue>(topicNames.map((name) => [name, { waiting: [], withNode: 0 }]));
  /** The peers that sent a message, by gossipsub's id. As many as wait in the queues or are with the node. */
  readonly #open = new Map<string, Set<PeerIdText>>();
  readonly #decided = new BoundedMap<string, Set<PeerIdText>>(MAX_DECIDED);
  readonly #held = new Set<TimerHandle>();
  readonly #gathers: ReadonlyMap<TopicName, GossipGather>;
  #isStopped = false;
  #received = 0;
  #fresh = 0;
  #dropped = 0;

  constructor(deps: GossipDeps) {
    this.#deps = deps;
    this.#gathers = gathersOf(deps.clock, (id, from, verdict) => this.#report(id, from, verdict));
    this.#internals = internalsOf(deps.pubsub);
    this.#names = topicIds(deps.network);
    deps.pubsub.addEventListener('gossipsub:message', (event) => this.#onMessage(event.detail));
    hideTopic(deps.pubsub, topicId(deps.network, 'tx'), deps.isBlockOnly);
    this.#read();
    this.#watchCopies();
    mergeSends(deps.pubsub);
  }

  /** Joins all topics. */
  start(): void {
    for (const id of this.#names.keys()) this.#deps.pubsub.subscribe(id);
  }

  stop(): void {
    this.#isStopped = true;
    for (const queue of this.#queues.values()) queue.waiting.length = 0;
    for (const timer of this.#held) timer.cancel();
    this.#held.clear();
    for (const gather of this.#gathers.values()) gather.stop();
  }

  /** Gossipsub's score of a peer. */
  scoreOf(peer: PeerIdText): number {
    return scoreOf(this.#deps.pubsub, peer);
  }

  /** Topics in whose mesh the peer is: what it sends there comes to us at once, and the other way round. */
  meshTopicsOf(peer: PeerIdText): TopicName[] {
    const { mesh } = this.#internals;
    return [...this.#names].filter(([id]) => mesh.get(id)?.has(peer)).map(([, name]) => name);
  }

  counts(): GossipCounts {
    return { received: this.#received, fresh: this.#fresh, dropped: this.#dropped };
  }

  /** Number of peers that the message was sent to. */
  async publish(topic: TopicName, data: Uint8Array): Promise<number> {
    const { maxBytes, floodPublish = false } = topicLimits(topic);
    assert(data.length <= maxBytes, `a ${topic} message of ${data.length} bytes`);
    const id = topicId(this.#deps.network, topic);
    const { recipients } = await this.#internals.publish(id, data, { floodPublish });
    return recipients.length;
  }

  #onMessage(event: GossipsubMessage): void {
    this.#fresh += 1;
    const topic = this.#names.get(event.msg.topic);
    const from = event.propagationSource.toString();
    const queue = topic === undefined ? undefined : this.#queues.get(topic);
    if (topic === undefined || queue === undefined || this.#isStopped || !this.#deps.isAnnounced(from)) {
      this.#decided.set(event.msgId, new Set([from]));
      this.#report(event.msgId, from, 'ignore');
      return;
    }
    const { data } = event.msg;
    const row = topicLimits(topic);
    if (data.length > row.maxBytes) {
      this.#deps.charge(from, 'oversized-frame', `${topic} message of ${data.length} bytes`);
      this.#report(event.msgId, from, 'reject');
      return;
    }
    const message: Waiting = { id: event.msgId, topic, from, data, arrivedAt: this.#deps.clock.monotonicMs() };
    if (queue.waiting.length >= row.queue.length) {
      this.#dropped += 1;
      const dropped = row.queue.drop === 'newest' ? message : queue.waiting.shift();
      if (dropped !== undefined) this.#report(dropped.id, dropped.from, 'ignore');
      if (dropped === message) return;
    }
    queue.waiting.push(message);
    this.#open.set(message.id, new Set([from]));
    this.#pump(topic, queue);
  }

  #pump(topic: TopicName, queue: Queue): void {
    while (queue.withNode < topicLimits(topic).queue.atOnce) {
      const message = queue.waiting.shift();
      if (message === undefined) return;
      queue.withNode += 1;
      void this.#judge(message).finally(() => {
        queue.withNode -= 1;
        this.#pump(topic, queue);
      });
    }
  }

  async #judge({ topic, data, from, id, arrivedAt }: Waiting): Promise<void> {
    let verdict: GossipVerdict = 'ignore';
    try {
      verdict = await this.#deps.deliver({ topic, data, from });
    } catch (error) {
      this.#deps.log.error('a gossip message could not be judged', { topic, error: errorText(error) });
    }
    const senders = this.#open.get(id);
    this.#open.delete(id);
    if (this.#isStopped) return;
    const isHeardOn = verdict === 'ignore' || (verdict !== 'reject' && topicLimits(topic).hearsCopies?.ofAccepted);
    if (isHeardOn && senders !== undefined) this.#decided.set(id, senders);
    if (verdict === 'ignore' || verdict === 'reject') {
      this.#report(id, from, verdict);
      return;
    }
    const rowHoldMs = data.length >= IDONTWANT_MIN_BYTES ? (topicLimits(topic).holdAcceptMs ?? 0) : 0;
    const leftMs = arrivedAt + rowHoldMs - this.#deps.clock.monotonicMs();
    const askedMs = verdict === 'accept' ? 0 : verdict.acceptAfterMs;
    const longestMs = arrivedAt + MAX_GOSSIP_HOLD_MS - this.#deps.clock.monotonicMs();
    const afterMs = Math.min(Math.max(leftMs, askedMs), longestMs);
    const gather = this.#gathers.get(topic);
    if (gather === undefined) this.#acceptAfter(afterMs, id, from);
    else gather.add(id, from, Math.max(0, afterMs), arrivedAt);
  }

  #acceptAfter(ms: number, id: string, from: PeerIdText): void {
    if (ms <= 0 || this.#held.size >= MAX_HELD) {
      this.#report(id, from, 'accept');
      return;
    }
    const timer = this.#deps.clock.after(ms, () => {
      this.#held.delete(timer);
      this.#report(id, from, 'accept');
    });
    this.#held.add(timer);
  }

  #report(id: string, from: PeerIdText, verdict: Result): void {
    this.#open.delete(id);
    this.#internals.reportMessageValidationResult(id, from, RESULT[verdict]);
  }

  /**
   * Gossipsub tells of the first sender only. Who sends the same while it is judged, or after it was ignored, can be asked
   * for what it announces; who tells of a block later than others shows how blocks travel.
   */
  #watchCopies(): void {
    const validate = this.#internals.validateReceivedMessage.bind(this.#deps.pubsub);
    this.#internals.validateReceivedMessage = async (peer, raw) => {
      const result = await validate(peer, raw);
      const id = result.msgIdStr ?? '';
      if (result.code === DUPLICATE) this.#copied(peer.toString(), raw, this.#open.get(id) ?? this.#decided.get(id));
      return result;
    };
  }

  #copied(from: PeerIdText, { topic, data }: RawMessage, senders: Set<PeerIdText> | undefined): void {
    const name = this.#names.get(topic);
    if (senders === undefined || name === undefined || data === undefined) return;
    const { hearsCopies } = topicLimits(name);
    if (hearsCopies === undefined) return;
    if (this.#isStopped || senders.has(from) || !this.#deps.isAnnounced(from)) return;
    senders.add(from);
    this.#deps.deliverCopy?.({ topic: name, data: data.subarray(0, hearsCopies.maxBytes), from });
  }

  /** Counts, and forgets what gossipsub would remember for too long. */
  #read(): void {
    const forgetSurplus = boundMemory(this.#deps.pubsub);
    const { clock, log, charge } = this.#deps;
    const handle: ReaderDeps['handle'] = async (from, rpc) => {
      this.#received += rpc.messages.length;
      await this.#internals.handleReceivedRpc(from, rpc);
      forgetSurplus();
    };
    readRpcs(this.#deps.pubsub, { clock, log, charge, handle });
  }
}

function gathersOf(
  clock: Clock,
  report: ConstructorParameters<typeof GossipGather>[2],
): ReadonlyMap<TopicName, GossipGather> {
  return new Map(
    topicNames.flatMap((name) => {
      const { gatherMs } = topicLimits(name);
      return gatherMs === undefined ? [] : [[name, new GossipGather(clock, gatherMs, report)] as const];
    }),
  );
}

/** Topic ids of a network by their rows' names. */
export function topicIds(network: string): TopicIds {
  return new Map(topicNames.map((name) => [topicId(network, name), name]));
}

function internalsOf(pubsub: GossipSub): GossipInternals {
  const internals = pubsub as unknown as Partial<GossipInternals>;
  assert(typeof internals.reportMessageValidationResult === 'function', 'gossipsub reports no validation results');
  assert(typeof internals.handleReceivedRpc === 'function', 'gossipsub hides its RPC handler');
  assert(typeof internals.validateReceivedMessage === 'function', 'gossipsub hides its check of messages');
  assert(internals.mesh instanceof Map, 'gossipsub hides its meshes');
  return internals as GossipInternals;
}

/** Gossipsub's score of a peer; 0 if it does not tell. */
export function scoreOf(pubsub: GossipSub, id: PeerIdText): number {
  if (!('score' in pubsub)) return 0;
  const { score } = pubsub as { readonly score: unknown };
  if (typeof score !== 'object' || score === null || !('score' in score) || typeof score.score !== 'function') return 0;
  const value: unknown = score.score(id);
  return typeof value === 'number' ? value : 0;
}

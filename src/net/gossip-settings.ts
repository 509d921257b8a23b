/** How gossipsub is set up: our rows, no signatures, nothing unbounded, scores that bite. Figures: see the README. */
import { createHash } from 'node:crypto';
import type { GossipsubOpts, Message } from '@libp2p/gossipsub';
import type { TopicName } from '#protocol';
import type { PeerIdText } from './port.ts';
import { topicLimits } from './rows.ts';

/** Scores at which gossipsub itself turns away from a peer. We disconnect it at the graylist. */
export const GRAYLIST_SCORE = -150;
export const MESSAGE_ID_BYTES = 20;
/** From this size on peers tell each other not to send what they have: see `holdAcceptMs` of the topic rows. */
export const IDONTWANT_MIN_BYTES = 4096;
/** Four times the largest message. Go's bound; ours never sends more at once (`mergeSends`). */
/** How long gossipsub knows a message again. */
export const SEEN_TTL_MS = 600_000;
const MAX_RPC_BYTES = 1 << 20;
/** Of 4,096 bytes and more there are few; gossipsub keeps the ids of ten heartbeats. */
const MAX_IDONTWANTS = 64;
const MAX_QUEUED_OUT_BYTES = 8 << 20;

/** Topic ids as on the wire, by their rows' names. */
export type TopicIds = ReadonlyMap<string, TopicName>;

export type GossipSettings = {
  readonly topics: TopicIds;
  /** 0 for the blameless, negative for the others. */
  readonly reputationOf: (peer: PeerIdText) => number;
  /** Many nodes on one host are normal there, and no Sybil attack. */
  readonly exemptIps: readonly string[];
};

export function gossipSettings(settings: GossipSettings): Partial<GossipsubOpts> {
  const { topics, reputationOf, exemptIps } = settings;
  return {
    globalSignaturePolicy: 'StrictNoSign',
    fallbackToFloodsub: false,
    asyncValidation: true,
    // One RPC for all peers could not carry what `mergeSends` puts together for each.
    batchPublish: false,
    floodPublish: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    allowedTopics: [...topics.keys()],
    D: 8,
    Dlo: 6,
    Dhi: 12,
    Dscore: 4,
    Dout: 3,
    Dlazy: 6,
    heartbeatInterval: 1_000,
    runOnLimitedConnection: true,
    mcacheLength: 10,
    mcacheGossip: 3,
    seenTTL: SEEN_TTL_MS,
    gossipsubIWantFollowupMs: 12_000,
    msgIdFn: (message: Message) => messageId(message, topics),
    msgIdToStrFn: (id: Uint8Array) => Buffer.from(id).toString('base64'),
    maxInboundDataLength: MAX_RPC_BYTES,
    maxOutboundBufferSize: MAX_QUEUED_OUT_BYTES,
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    idontwantMinDataSize: IDONTWANT_MIN_BYTES,
    idontwantMaxMessages: MAX_IDONTWANTS,
    tagMeshPeers: false,
    scoreThresholds: {
      gossipThreshold: -50,
      publishThreshold: -100,
      graylistThreshold: GRAYLIST_SCORE,
      acceptPXThreshold: 1e9,
      opportunisticGraftThreshold: 1,
    },
    scoreParams: {
      topics: Object.fromEntries([...topics].map(([id, name]) => [id, topicLimits(name).score])),
      topicScoreCap: 50,
      appSpecificScore: reputationOf,
      appSpecificWeight: 1,
      IPColocationFactorThreshold: 4,
      IPColocationFactorWeight: -10,
      IPColocationFactorWhitelist: new Set(exemptIps),
      behaviourPenaltyWeight: -10,
      behaviourPenaltyThreshold: 6,
      behaviourPenaltyDecay: 0.99,
      decayInterval: 1_000,
      decayToZero: 0.01,
    },
  };
}

/**
 * The first 20 bytes of SHA-256 over the topic id, a zero byte and the row's own id. The topic must count: the same
 * bytes under another topic would otherwise be remembered as seen and keep the real message out.
 */
export function messageId(message: Pick<Message, 'topic' | 'data'>, topics: TopicIds): Uint8Array {
  const name = topics.get(message.topic);
  const content = name === undefined ? message.data : topicLimits(name).messageId(message.data);
  const hash = createHash('sha256').update(message.topic).update(Uint8Array.of(0)).update(content).digest();
  // A copy: so small an array lies in the heap, while a view keeps the hash's own memory outside of it.
  return new Uint8Array(hash.subarray(0, MESSAGE_ID_BYTES));
}

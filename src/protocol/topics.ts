/** Every gossip topic, one row each. A new one is a codec in `messages/`, a row here, a handler in `node/ingest.ts`. */
import { sha256 } from '#crypto';
import { BLOCK_HEADER_BYTES } from '#primitives';
import { compactBlock, MAX_COMPACT_BLOCK_BYTES } from './messages/compact-block.ts';
import { MAX_TX_MESSAGE_BYTES, txMessage, txMessageId } from './messages/gossip-tx.ts';
import type { TopicRow, TopicScore } from './rows.ts';

const row = <T>(fields: TopicRow<T>): TopicRow<T> => Object.freeze(fields);

export const topics = Object.freeze({
  block: row({
    version: 1,
    codec: compactBlock,
    maxBytes: MAX_COMPACT_BLOCK_BYTES,
    // 8 MiB at most. The newest announcement says most about where the chain is; headers bring what was dropped.
    queue: { length: 32, drop: 'oldest', atOnce: 32 },
    // Over the content, not the block hash alone: a bogus body under a real header must not keep the good one out.
    messageId: sha256,
    score: topicScore(1, -100),
    // For large compact forms. This node sends none.
    holdAcceptMs: 60,
    // A kilobyte at most, in ten minutes: what we have found, or moved to, everybody shall hear of first hand.
    floodPublish: true,
    // By how much later each peer told of a block is known so.
    hearsCopies: { ofAccepted: true, maxBytes: BLOCK_HEADER_BYTES },
  }),

  tx: row({
    version: 1,
    codec: txMessage,
    maxBytes: MAX_TX_MESSAGE_BYTES,
    // 8 MiB at most. Parents come before their children: under load the first come are worth most.
    // At once: entries wait for their bodies there. The mempool has room for as many of one peer.
    queue: { length: 2048, drop: 'newest', atOnce: 512 },
    messageId: txMessageId,
    score: topicScore(0.5, -20),
    gatherMs: 250,
    // Each can be asked for what an entry announces.
    hearsCopies: { ofAccepted: false, maxBytes: MAX_TX_MESSAGE_BYTES },
  }),
});

export type TopicName = keyof typeof topics;

/**
 * Rewards stay small: at most 3 for time in the mesh and 10 for first deliveries, times `topicWeight`. The square of
 * the rejected messages times `invalidWeight` decides: two rejected blocks or four rejected transactions bring a
 * score to the graylist at -150. Mesh delivery is not scored: with one block in ten minutes it says nothing about a
 * peer's diligence.
 */
function topicScore(topicWeight: number, invalidWeight: number): TopicScore {
  return Object.freeze({
    topicWeight,
    timeInMeshWeight: 0.01,
    timeInMeshQuantum: 1000,
    timeInMeshCap: 300,
    firstMessageDeliveriesWeight: 0.1,
    firstMessageDeliveriesDecay: 0.98,
    firstMessageDeliveriesCap: 100,
    meshMessageDeliveriesWeight: 0,
    meshMessageDeliveriesDecay: 0.5,
    meshMessageDeliveriesCap: 1,
    meshMessageDeliveriesThreshold: 1,
    meshMessageDeliveriesWindow: 10,
    meshMessageDeliveriesActivation: 5000,
    meshFailurePenaltyWeight: 0,
    meshFailurePenaltyDecay: 0.5,
    invalidMessageDeliveriesWeight: invalidWeight,
    invalidMessageDeliveriesDecay: 0.99,
  });
}

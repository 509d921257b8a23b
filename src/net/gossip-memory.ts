/**
 * What gossipsub remembers of messages it has seen: it forgets by time alone (ids after ten minutes, who delivered what
 * after two), so that a flood of 2,000 messages a second, which a single peer may send, takes hundreds of megabytes. Here
 * it forgets by number as well, the oldest first.
 * Who repeats a message that was forgotten is heard once more, and the node knows it or does not want it again.
 */
import type { GossipSub } from '@libp2p/gossipsub';
import { assert } from '#util';

/** Ten minutes of ten times what Bitcoin's network has. Some 150 bytes each. */
const MAX_SEEN = 50_000;
/** Far more than wait for a verdict (at most 2,048 in a queue, 512 with the node, 4,096 to be passed on). Some 400 bytes each. */
const MAX_DELIVERIES = 20_000;

/** What gossipsub has at run time beyond its declared interface. Maps are in the order of arrival. */
type Internals = {
  readonly seenCache: { readonly entries: Map<string, unknown> };
  readonly score: {
    readonly deliveryRecords: {
      readonly records: Map<string, unknown>;
      /** One for each record, the oldest at the front. */
      readonly queue: { readonly shift: () => { readonly msgId: string } | undefined };
    };
  };
};

/** Gives what forgets the surplus; to be called after each RPC. */
export function boundMemory(pubsub: GossipSub, maxSeen = MAX_SEEN, maxDeliveries = MAX_DELIVERIES): () => void {
  const { seenCache, score } = pubsub as unknown as Internals;
  assert(seenCache?.entries instanceof Map, 'gossipsub hides what it has seen');
  const { records, queue } = score?.deliveryRecords ?? {};
  assert(records instanceof Map && typeof queue?.shift === 'function', 'gossipsub hides who delivered what');
  return () => {
    for (const id of seenCache.entries.keys()) {
      if (seenCache.entries.size <= maxSeen) break;
      seenCache.entries.delete(id);
    }
    while (records.size > maxDeliveries) {
      const oldest = queue.shift();
      if (oldest === undefined) break;
      records.delete(oldest.msgId);
    }
  };
}

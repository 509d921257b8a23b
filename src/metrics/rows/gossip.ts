/** Gossip by topic. */
import type { MetricRow } from '../row.ts';
import { mapLabels } from '../row.ts';

export const GOSSIP_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_gossip_messages_total',
    help: 'Gossip messages that peers sent, copies counted',
    type: 'counter',
    unit: 'count',
    labels: ['topic'],
    read: ({ counted }) => mapLabels(counted.net.gossip.topics, ({ received }) => received),
  },
  {
    name: 'starling_gossip_duplicates_total',
    help: 'Gossip messages that were copies of one seen before',
    type: 'counter',
    unit: 'count',
    labels: ['topic'],
    read: ({ counted }) => mapLabels(counted.net.gossip.topics, ({ duplicates }) => duplicates),
  },
  {
    name: 'starling_gossip_verdicts_total',
    help: 'Gossip messages by what became of them: passed on, ignored, or blamed on their sender',
    type: 'counter',
    unit: 'count',
    labels: ['topic', 'verdict'],
    read: ({ counted }) =>
      mapLabels(counted.net.gossip.topics, ({ accepted: accept, ignored: ignore, rejected: reject }) => {
        return { accept, ignore, reject };
      }),
  },
  {
    name: 'starling_gossip_dropped_messages_total',
    help: 'Gossip messages that were dropped because the queue in front of the node was full',
    type: 'counter',
    unit: 'count',
    labels: ['topic'],
    read: ({ counted }) => mapLabels(counted.net.gossip.topics, ({ dropped }) => dropped),
  },
  {
    name: 'starling_gossip_published_total',
    help: 'Gossip messages of our own',
    type: 'counter',
    unit: 'count',
    labels: ['topic'],
    read: ({ counted }) => mapLabels(counted.net.gossip.topics, ({ published }) => published),
  },
  {
    name: 'starling_gossip_waiting_messages',
    help: 'Gossip messages in the queue in front of the node',
    type: 'gauge',
    unit: 'count',
    labels: ['topic'],
    read: ({ counted }) => mapLabels(counted.net.gossip.topics, ({ waiting }) => waiting),
  },
  {
    name: 'starling_gossip_judged_messages',
    help: 'Gossip messages that the node looks at or waits with',
    type: 'gauge',
    unit: 'count',
    labels: ['topic'],
    read: ({ counted }) => mapLabels(counted.net.gossip.topics, ({ withNode }) => withNode),
  },
  {
    name: 'starling_gossip_verdict_seconds',
    help: 'From the first arrival of a gossip message to the verdict on it',
    type: 'histogram',
    unit: 'seconds',
    labels: ['topic'],
    read: ({ counted }) => mapLabels(counted.net.gossip.topics, ({ verdictSeconds }) => verdictSeconds),
  },
  {
    name: 'starling_gossip_mesh_peers',
    help: 'Peers in the mesh of a topic: each sends us what it hears, and gets what we hear',
    type: 'gauge',
    unit: 'count',
    labels: ['topic'],
    read: ({ counted }) => mapLabels(counted.net.gossip.topics, ({ meshPeers }) => meshPeers),
  },
  {
    name: 'starling_gossip_topic_peers',
    help: 'Peers that have joined a topic',
    type: 'gauge',
    unit: 'count',
    labels: ['topic'],
    read: ({ counted }) => mapLabels(counted.net.gossip.topics, ({ subscribers }) => subscribers),
  },
  {
    name: 'starling_gossip_control_total',
    help: 'What control messages of gossip carried: ids, grafts, prunes',
    type: 'counter',
    unit: 'count',
    labels: ['direction', 'kind'],
    read: ({ counted }) => counted.net.gossip.control,
  },
  {
    name: 'starling_gossip_lowest_score',
    help: 'The worst of the scores that gossip gives our peers',
    type: 'gauge',
    unit: 'count',
    read: ({ status }) => lowest(status.net.peers.map(({ gossipScore }) => gossipScore)),
  },
];

function lowest(scores: readonly number[]): number | undefined {
  return scores.length === 0 ? undefined : Math.min(...scores);
}

/**
 * What the page knows of the node: the feed's first state with everything that came after. Pure.
 * Invariant: no list grows without a bound, however long the page stays open or hidden.
 */
import type {
  BlockRow,
  BlocksDelta,
  FeedEventName,
  FeedEvents,
  FeedState,
  Mempool,
  PeerRow,
  PeersDelta,
} from '../contract.ts';

export type FeedEvent = {
  readonly [Name in FeedEventName]: { readonly name: Name; readonly data: FeedEvents[Name] };
}[FeedEventName];

export type MempoolPoint = { readonly atMs: number; readonly txCount: number; readonly enteredCount: number };

export type Feed = FeedState & {
  /** The node's clock less ours. */
  readonly clockOffsetMs: number;
  /** Since the page connected; oldest first. */
  readonly mempoolHistory: readonly MempoolPoint[];
  /** Log lines that the node did not send. */
  readonly logsLeftOut: number;
};

const MAX_BLOCKS = 50;
const MAX_SAMPLES = 300;
const MAX_LOG_LINES = 2_000;
/** More than a node has connections by far. */
const MAX_PEERS = 5_000;

/** `nowMs`: our clock. What comes before the first state says nothing. */
export function applyEvent(feed: Feed | undefined, event: FeedEvent, nowMs: number): Feed | undefined {
  if (event.name === 'state') return begin(event.data, nowMs);
  if (feed === undefined) return undefined;
  switch (event.name) {
    case 'overview':
      return { ...feed, overview: event.data };
    case 'blocks':
      return { ...feed, blocks: mergeBlocks(feed.blocks, event.data) };
    case 'mempool':
      return withMempool(feed, event.data, nowMs);
    case 'peers':
      return { ...feed, peers: mergePeers(feed.peers, event.data) };
    case 'bandwidth': {
      const { protocols, sample } = event.data;
      return { ...feed, bandwidth: { protocols, samples: appended(feed.bandwidth.samples, [sample], MAX_SAMPLES) } };
    }
    case 'logs': {
      const { lines, leftOut } = event.data;
      const logs = appended(feed.logs, lines, MAX_LOG_LINES);
      return { ...feed, logs, logsLeftOut: feed.logsLeftOut + leftOut };
    }
  }
}

function begin(state: FeedState, nowMs: number): Feed {
  const first = { ...state, clockOffsetMs: state.atMs - nowMs, mempoolHistory: [], logsLeftOut: 0 };
  return withMempool(first, state.mempool, nowMs);
}

function withMempool(feed: Feed, mempool: Mempool, nowMs: number): Feed {
  const { txCount, enteredCount } = mempool;
  const point = { atMs: nowMs + feed.clockOffsetMs, txCount, enteredCount };
  return { ...feed, mempool, mempoolHistory: appended(feed.mempoolHistory, [point], MAX_SAMPLES) };
}

function appended<T>(list: readonly T[], more: readonly T[], max: number): readonly T[] {
  return [...list, ...more].slice(-max);
}

export function mergeBlocks(blocks: readonly BlockRow[], { changed, removed }: BlocksDelta): readonly BlockRow[] {
  const gone = new Set([...removed, ...changed.map(({ hash }) => hash)]);
  return [...changed, ...blocks.filter(({ hash }) => !gone.has(hash))]
    .sort((a, b) => b.height - a.height)
    .slice(0, MAX_BLOCKS);
}

export function mergePeers(peers: readonly PeerRow[], { joined, changed, left }: PeersDelta): readonly PeerRow[] {
  const byId = new Map(peers.map((peer) => [peer.id, peer]));
  for (const { id } of left) byId.delete(id);
  for (const peer of joined) byId.set(peer.id, peer);
  for (const patch of changed) {
    const peer = byId.get(patch.id);
    if (peer !== undefined) byId.set(patch.id, { ...peer, ...patch });
  }
  return [...byId.values()].slice(0, MAX_PEERS);
}

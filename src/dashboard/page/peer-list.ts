/** The table of peers: its columns' order, and what a search finds. Pure. */
import type { PeerRow } from '../contract.ts';

export type SortKey = 'address' | 'direction' | 'agent' | 'latency' | 'score' | 'height' | 'in' | 'out' | 'connected';

export type Sort = { readonly key: SortKey; readonly isDescending: boolean };

/** What is not known is `null` and stands last, either way. */
const VALUES: Readonly<Record<SortKey, (peer: PeerRow) => string | number | null>> = {
  address: ({ address }) => address,
  direction: ({ direction, kind }) => `${direction} ${kind}`,
  agent: ({ agent }) => agent,
  latency: ({ latencyMs }) => latencyMs,
  score: ({ gossipScore, penaltyPoints }) => gossipScore - penaltyPoints,
  height: ({ height }) => height,
  in: ({ bytesIn }) => bytesIn,
  out: ({ bytesOut }) => bytesOut,
  connected: ({ connectedAtMs }) => -connectedAtMs,
};

export function sortPeers(peers: readonly PeerRow[], { key, isDescending }: Sort): PeerRow[] {
  const value = VALUES[key];
  const sign = isDescending ? -1 : 1;
  return peers.toSorted((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === null || right === null) return left === right ? byId(a, b) : left === null ? 1 : -1;
    return left === right ? byId(a, b) : left < right ? -sign : sign;
  });
}

/** Rows that are equal keep their places while figures change. */
const byId = (a: PeerRow, b: PeerRow): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** All words have to occur. */
export function filterPeers(peers: readonly PeerRow[], text: string): readonly PeerRow[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return peers;
  return peers.filter(({ id, address, agent, direction, kind, meshTopics }) => {
    const all = [id, address, agent, direction, kind, ...meshTopics].join(' ').toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

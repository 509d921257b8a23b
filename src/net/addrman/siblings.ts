/**
 * How many addresses one peer may have, and how many peers one host and port: otherwise whoever invents either could
 * fill buckets with them, or make every node call one victim. A limit must not be a lock: neither can who comes first
 * keep out who comes later. What the peer said itself goes before hearsay, and of equals whichever source group has
 * most of the places gives one up. Only an attacker with as many groups as there are places holds them all, until
 * three calls have failed. Pure.
 */
import { type AddressSource, type Entry, isTerrible } from './entry.ts';

export const MAX_ADDRESSES_PER_PEER = 4;
/** Ids behind one host and port: honest are one, and the new one of a node that lost its key. */
export const MAX_PEERS_PER_HOST_PORT = 8;

export type Verdict = { readonly isAdmitted: boolean; readonly displaced?: Entry };

type Rank = (source: AddressSource, group: string) => number;
export type Limit = { readonly max: number; readonly rankOf: Rank };

/** The peer's own word counts: signed, or said over its connection. */
const OF_PEER: Limit = {
  max: MAX_ADDRESSES_PER_PEER,
  rankOf: ({ kind }) => {
    if (kind === 'manual' || kind === 'seed') return 2;
    return kind === 'record' || kind === 'identify' || kind === 'inbound' ? 1 : 0;
  },
};

/** Anybody can sign that he lives at another's address: what counts is whether he spoke from there. */
const OF_HOST_PORT: Limit = {
  max: MAX_PEERS_PER_HOST_PORT,
  rankOf: ({ kind, group: told }, group) => {
    if (kind === 'manual' || kind === 'seed') return 2;
    return (kind === 'identify' || kind === 'inbound') && told === group ? 1 : 0;
  },
};

export const limits = { ofPeer: OF_PEER, ofHostPort: OF_HOST_PORT } as const;

/** Whether an address that `source` told of may stand beside these, and which of them goes for it. */
export function admit(
  siblings: readonly Entry[],
  arrival: { readonly group: string; readonly source: AddressSource },
  { max, rankOf }: Limit,
  nowMs: number,
): Verdict {
  if (siblings.length < max) return { isAdmitted: true };
  const rumours = siblings.filter((entry) => !entry.isTried);
  const rank = rankOf(arrival.source, arrival.group);
  const rankOfEntry = (entry: Entry): number => rankOf(firstSource(entry), entry.group);
  const displaced =
    rumours.find((entry) => isTerrible(entry, nowMs)) ??
    rumours.find((entry) => rankOfEntry(entry) < rank) ??
    fromFullestGroup(
      rumours.filter((entry) => rankOfEntry(entry) === rank),
      arrival.source.group,
    );
  return displaced === undefined ? { isAdmitted: false } : { isAdmitted: true, displaced };
}

/** One of the source group with most entries, if that still has no fewer than the arrival's group afterwards. */
function fromFullestGroup(entries: readonly Entry[], arrivalGroup: string): Entry | undefined {
  const counts = new Map<string, number>();
  for (const entry of entries) {
    const { group } = firstSource(entry);
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  const most = Math.max(0, ...counts.values());
  if (most < (counts.get(arrivalGroup) ?? 0) + 2) return undefined;
  return entries.find((entry) => counts.get(firstSource(entry).group) === most);
}

function firstSource(entry: Entry): AddressSource {
  return entry.sources[0] ?? { kind: 'dht', group: '' };
}

/** What went over the network at one moment, and how much a second between two. Pure. */

export type Traffic = { readonly bytesIn: number; readonly bytesOut: number };

type PeerTraffic = Traffic & { readonly protocols: ReadonlyMap<string, Traffic> };

export type Sample = Traffic & {
  readonly atMs: number;
  /** By the number of the connection, which is never given twice. */
  readonly peers: ReadonlyMap<number, PeerTraffic>;
};

export type Rates = Traffic & {
  readonly peers: ReadonlyMap<number, Traffic>;
  readonly protocols: ReadonlyMap<string, Traffic>;
};

const NONE: PeerTraffic = { bytesIn: 0, bytesOut: 0, protocols: new Map() };

export function added(a: Traffic, b: Traffic): Traffic {
  return { bytesIn: a.bytesIn + b.bytesIn, bytesOut: a.bytesOut + b.bytesOut };
}

/** All protocols of all peers. */
export function byProtocol(peers: Iterable<PeerTraffic>): Map<string, Traffic> {
  const sums = new Map<string, Traffic>();
  for (const { protocols } of peers) {
    for (const [name, traffic] of protocols) sums.set(name, added(sums.get(name) ?? NONE, traffic));
  }
  return sums;
}

/** Bytes a second. What a peer that has gone meanwhile still sent is in the sum of all alone. */
export function ratesBetween(before: Sample, now: Sample): Rates | undefined {
  const seconds = (now.atMs - before.atMs) / 1000;
  if (seconds <= 0) return undefined;
  const rate = (from: Traffic, to: Traffic): Traffic => ({
    bytesIn: Math.max(0, to.bytesIn - from.bytesIn) / seconds,
    bytesOut: Math.max(0, to.bytesOut - from.bytesOut) / seconds,
  });
  const peers = new Map([...now.peers].map(([id, peer]) => [id, rate(before.peers.get(id) ?? NONE, peer)]));
  const differences = [...now.peers].map(([id, peer]): PeerTraffic => {
    const { protocols } = before.peers.get(id) ?? NONE;
    const rates = [...peer.protocols].map(
      ([name, traffic]) => [name, rate(protocols.get(name) ?? NONE, traffic)] as const,
    );
    return { ...NONE, protocols: new Map(rates) };
  });
  return { ...rate(before, now), peers, protocols: byProtocol(differences) };
}

/** The last part of a protocol's id that says what it is: /starling/06226e46/txs/1/kept and /starling/06226e46/txs/1 are txs. */
export function shortProtocol(id: string): string {
  const name = id
    .replace(/^\/starling\/[0-9a-f]+/, '')
    .replace(/^\/(?:ipfs|libp2p)(?=\/)/, '')
    .replace(/\/kept$/, '')
    .replace(/\/\d+(?:\.\d+)*$/, '');
  return name.replace(/^\//, '') || id;
}

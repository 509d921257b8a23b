/** The figures of a node that has just synced, for tests of what is made of them. */
import { BlockHeader, blockHashFromBytes } from '#primitives';
import type { Figures } from '../../src/metrics/figures.ts';

export const TIP_TIME = 1_700_000_000;

export function sampleFigures(): Figures {
  const raw = new Uint8Array(80);
  new DataView(raw.buffer).setUint32(68, TIP_TIME, true);
  const hash = blockHashFromBytes(new Uint8Array(32));
  return {
    nowMs: (TIP_TIME + 90) * 1000,
    status: {
      network: 'regtest',
      tip: { hash, height: 700, header: new BlockHeader(raw), chainWork: 1402n, medianTimePast: TIP_TIME },
      sync: {
        ...{ phase: 'at-tip', reason: '', height: 700, headerHeight: 702, progress: 1, peers: 2 },
        ...{ blocksPerSecond: 0, bytesPerSecond: 1.5, secondsLeft: 0 },
      },
      net: {
        peerId: 'me',
        listenAddresses: [],
        reachability: 'direct',
        peers: [samplePeer('a', 'inbound', 30), samplePeer('b', 'full-relay', 10), samplePeer('c', 'inbound', 500)],
        knownAddresses: 12,
        addressSources: [{ kind: 'dht', heard: 9, fresh: 8, tried: 1, succeeded: 1 }],
        ...{ bytesIn: 1000, bytesOut: 2000, connections: 4, streams: 17 },
        gossip: { received: 60, fresh: 10, dropped: 0 },
        isActive: true,
        standing: { dropped: 1, banned: 2, discouraged: 3 },
      },
      mempool: { count: 5, bytes: 1000, refusedBusy: 0 },
      txRelay: { wanted: 1, orphans: 2 },
      upload: {
        ...{ cycleMs: 86_400_000, targetBytes: 0, isReached: false, servesHistoricalBlocks: true },
        ...{ bytesLeftInCycle: 0, timeLeftInCycleMs: 0 },
      },
      lastBlockDelayMs: 250,
      announcedBlocks: { withoutRoundTrip: 7, withRoundTrip: 2, whole: 1 },
    },
    chain: { transactions: 900, lowestStoredHeight: 0, reorganisations: 1, disconnectedBlocks: 2 },
    mempool: {
      ...{ count: 5, vsize: 1000, usage: 9000, maxBytes: 300_000_000, totalFee: 5000n, refusedBusy: 0 },
      ...{ minFeeSatPerKvb: 1000, unbroadcast: 0, entered: 8, left: { block: 3, expiry: 0 } },
    },
    indexes: [{ name: 'txindex', synced: true, bestBlockHeight: 700 }],
    store: { blockFileBytes: 1, coinsBytes: 2, diskFreeBytes: 3, diskSizeBytes: 4 },
  };
}

type Peer = Figures['status']['net']['peers'][number];

function samplePeer(id: string, kind: Peer['kind'], latencyMs: number): Peer {
  return {
    ...{ id, kind, latencyMs, address: '/memory/0', direction: kind === 'inbound' ? 'inbound' : 'outbound' },
    ...{ isRelayed: false, connectedAt: 0, bytesIn: 0, bytesOut: 0, agent: '', isManual: false, isSeed: false },
    ...{ penaltyPoints: 0, gossipScore: 0 },
  };
}

/** Plain rows of the feed; tests change what they speak of. */
import type { BlockRow, FeedState, LogLine, Mempool, Overview, PeerRow } from '../../../../src/dashboard/contract.ts';

export function peerRow(id: string, change: Partial<PeerRow> = {}): PeerRow {
  return {
    id,
    address: '/ip4/10.0.0.1/tcp/8433',
    ...{ direction: 'outbound', kind: 'full-relay', phase: 'confirmed', agent: '/Starling:0.1.0/' },
    ...{ connectedAtMs: 0, latencyMs: 10, minLatencyMs: 9, gossipScore: 0, penaltyPoints: 0, height: 5 },
    ...{ bytesIn: 0, bytesOut: 0, streams: 1, meshTopics: [], isRelayed: false, isManual: false, isSeed: false },
    ...{ relaysTransactions: true, lastBlockAtMs: null, lastTxAtMs: null },
    ...change,
  };
}

export function blockRow(height: number, change: Partial<BlockRow> = {}): BlockRow {
  return {
    ...{ height, hash: `hash-${height}`, timeSeconds: height, txCount: 1, sizeBytes: null, weight: null },
    ...{ feesSats: null, feeratePercentiles: null, connectedAtMs: null, firstHeardAtMs: null },
    ...{ announcements: [], origin: null },
    ...change,
  };
}

export function mempool(txCount: number, change: Partial<Mempool> = {}): Mempool {
  return {
    ...{ txCount, vsizeBytes: 100 * txCount, usageBytes: 0, maxBytes: 1, totalFeeSats: 0, minFeerateSatPerVb: 1 },
    ...{ enteredCount: txCount, leftCount: 0, histogram: [], projectedBlocks: [], latest: [] },
    ...change,
  };
}

export const logLine = (number: number, change: Partial<LogLine> = {}): LogLine => ({
  ...{ number, atMs: number, level: 'info', module: 'net', text: `line ${number}` },
  ...change,
});

const OVERVIEW: Overview = {
  ...{ chain: 'regtest', userAgent: '/Starling:0.1.0/', startedAtMs: 0 },
  self: { peerId: 'self', listenAddresses: [], reachability: 'none' },
  tip: {
    ...{ height: 5, hash: 'hash-5', timeSeconds: 5, medianTimeSeconds: 3, connectedAtMs: null },
    ...{ difficulty: 1, chainWork: '0c' },
  },
  sync: {
    ...{ phase: 'at-tip', reason: '', height: 5, headerHeight: 5, progress: 1 },
    ...{ blocksPerSecond: 0, bytesPerSecond: 0, secondsLeft: null },
  },
  ...{ isInitialDownload: false, retarget: null, networkHashesPerSecond: null },
  peers: { inbound: 0, outbound: 1, isNetworkActive: true },
  ...{ bytesIn: 0, bytesOut: 0, knownAddresses: 0, prunedBelowHeight: null, indexes: [] },
  announcedBlocks: { withoutRoundTrip: 0, withRoundTrip: 0, whole: 0 },
};

export function feedState(change: Partial<FeedState> = {}): FeedState {
  return {
    ...{ atMs: 1_000, gatherMs: 200, overview: OVERVIEW, blocks: [], mempool: mempool(0), peers: [] },
    ...{ bandwidth: { protocols: [], samples: [] }, logs: [] },
    ...change,
  };
}

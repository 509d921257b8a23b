/** Rows of the dashboard that look like those of a busy node of mainnet. */
import { type Random, toHex } from '#util';
import type { BlockRow, Overview, PeerRow } from '../../src/dashboard/contract.ts';

export const PROTOCOLS: readonly string[] = [
  'other',
  '/meshsub/1.3.0',
  '/starling/0f9188f13cb7b2c7/blocks/1',
  '/starling/0f9188f13cb7b2c7/headers/1',
  '/starling/0f9188f13cb7b2c7/txs/1',
  '/starling/0f9188f13cb7b2c7/hello/1',
  '/ipfs/id/1.0.0',
  '/ipfs/ping/1.0.0',
];

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const KINDS = ['inbound', 'full-relay', 'block-only', 'inbound', 'inbound'] as const;

export function inventPeer(random: Random, at: number, nowMs: number): PeerRow {
  const kind = KINDS[at % KINDS.length] ?? 'inbound';
  const letters = Array.from({ length: 44 }, () => BASE58[random.below(BASE58.length)]).join('');
  return {
    id: `12D3KooW${letters}`,
    address: `/ip4/203.0.113.${at % 256}/tcp/${8_000 + random.below(50_000)}`,
    direction: kind === 'inbound' ? 'inbound' : 'outbound',
    kind,
    phase: 'confirmed',
    agent: `/Starling:0.1.${at % 3}/`,
    connectedAtMs: nowMs - random.below(86_400_000),
    latencyMs: 20 + random.below(1_800) / 10,
    minLatencyMs: 20,
    gossipScore: random.below(130) / 10,
    penaltyPoints: at % 20 === 19 ? 10 : 0,
    height: 800_000 + random.below(50),
    bytesIn: random.below(100_000_000),
    bytesOut: random.below(100_000_000),
    streams: 4,
    meshTopics: at % 10 === 0 ? ['block', 'tx'] : at % 10 === 1 ? ['block'] : [],
    isRelayed: at % 25 === 24,
    isManual: false,
    isSeed: at === 0,
    relaysTransactions: kind !== 'block-only',
    lastBlockAtMs: null,
    lastTxAtMs: nowMs - random.below(60_000),
  };
}

export function inventBlock(random: Random, height: number, peers: readonly string[], nowMs: number): BlockRow {
  let delayMs = 0;
  const tellers = peers.slice(0, Math.min(12, Math.ceil(peers.length / 2)));
  const announcements = tellers.map((peerId, at) => {
    delayMs += at === 0 ? 0 : random.below(80);
    return { peerId, delayMs };
  });
  const low = 1 + random.below(20);
  return {
    height,
    hash: `0000000000000000000${toHex(random.bytes(32)).slice(19)}`,
    timeSeconds: Math.floor(nowMs / 1_000),
    txCount: 2_000 + random.below(2_000),
    sizeBytes: 1_200_000 + random.below(600_000),
    weight: 3_900_000 + random.below(90_000),
    feesSats: 10_000_000 + random.below(20_000_000),
    feeratePercentiles: [low, low + 2, low + 5, low + 11, low + 30],
    connectedAtMs: nowMs,
    firstHeardAtMs: nowMs,
    announcements,
    origin: height % 7 === 0 ? 'rebuilt-with-round-trip' : 'rebuilt',
  };
}

/** All but the count of peers, which the caller knows. */
export function inventOverview(tip: BlockRow | undefined, startedAtMs: number, nowMs: number): Omit<Overview, 'peers'> {
  const height = tip?.height ?? 0;
  const hash = tip?.hash ?? '0'.repeat(64);
  const timeSeconds = tip?.timeSeconds ?? 0;
  return {
    chain: 'main',
    userAgent: '/Starling:0.1.0/',
    startedAtMs,
    self: {
      peerId: '12D3KooWQJ7Vn4v3TqmYJf5rRkE2pQXc9hNsW6gZbLa8dUiM1xPt',
      listenAddresses: ['/ip4/198.51.100.7/tcp/8433'],
      reachability: 'direct',
    },
    tip: {
      ...{ height, hash, timeSeconds, medianTimeSeconds: timeSeconds, connectedAtMs: tip?.connectedAtMs ?? null },
      ...{ difficulty: 81_725_299_822_043.22, chainWork: '7'.padStart(64, '0') },
    },
    sync: {
      ...{ phase: 'at-tip', reason: '', height, headerHeight: height, progress: 1 },
      ...{ blocksPerSecond: 0, bytesPerSecond: 0, secondsLeft: 0 },
    },
    isInitialDownload: false,
    retarget: {
      nextHeight: Math.ceil((height + 1) / 2_016) * 2_016,
      blocksLeft: 2_016 - (height % 2_016),
      intervalBlocks: 2_016,
      estimatedRatio: 1.021,
      estimatedAtMs: nowMs + 600_000_000,
    },
    networkHashesPerSecond: 5.8e20,
    bytesIn: 12_000_000_000 + nowMs - startedAtMs,
    bytesOut: 34_000_000_000 + nowMs - startedAtMs,
    knownAddresses: 18_240,
    prunedBelowHeight: null,
    indexes: ['txindex'],
    announcedBlocks: { withoutRoundTrip: 400, withRoundTrip: 31, whole: 2 },
  };
}

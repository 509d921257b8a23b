/** The figures of a node that has just synced, for tests of what is made of them. */

import { Histogram } from '#meter';
import { BlockHeader, blockHashFromBytes } from '#primitives';
import { ChainMeter } from '../../src/chain/meter.ts';
import { Refusals } from '../../src/mempool/refusals.ts';
import type { Figures } from '../../src/metrics/figures.ts';
import { byTopic } from '../../src/net/gossip-meter.ts';
import { NetMeter } from '../../src/net/net-meter.ts';
import { HedgePace } from '../../src/node/hedge-pace.ts';
import { StoreMeter } from '../../src/store/meter.ts';
import { BATCH_ENDS } from '../../src/sync/batches.ts';
import { createManualClock } from './manual-clock.ts';

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
    counted: countedFigures(),
    loop: { activeMs: 1_500, idleMs: 8_500 },
    chain: {
      ...{ transactions: 900, lowestStoredHeight: 0, disconnectedBlocks: 2 },
      reorganisationBlocks: new Histogram([1, 2, 3]).figures(),
    },
    mempool: {
      ...{ count: 5, vsize: 1000, usage: 9000, maxBytes: 300_000_000, totalFee: 5000n, refusedBusy: 0 },
      ...{ minFeeSatPerKvb: 1000, entered: 8, left: { block: 3, expiry: 0 } },
    },
    indexes: [{ name: 'txindex', synced: true, bestBlockHeight: 700 }],
    disk: { blockFileBytes: 1, coinsBytes: 2, diskFreeBytes: 3, diskSizeBytes: 4 },
  };
}

/** What the parts count from the start: made by their own meters, so that names and labels are the real ones. */
function countedFigures(): Figures['counted'] {
  const clock = createManualClock();
  const coins = { bytes: 1, maxBytes: 2, entries: 3, dirtyEntries: 4, hits: 5, misses: 6 };
  const index = { tree: { size: 703 } };
  const stores = { ...new StoreMeter(clock).figures(), memoryBytes: 10 };
  const seconds = new Histogram().figures();
  return {
    net: netFigures(clock),
    chain: new ChainMeter(clock).figures({ index, coins: { figures: () => coins } }, 0),
    stores: { coins: stores, blocks: stores },
    sync: {
      window: { wanted: 1, asked: 1, received: 0, stored: 0 },
      requests: Object.fromEntries(BATCH_ENDS.map((end) => [end, 0])),
      ...{ windowBlocks: 1024, requestsInFlight: 1, receivedBlocks: 700, receivedBytes: 210_000 },
      ...{ heldBytes: 0, maxHeldBytes: 64_000_000, stallMs: 2_000 },
    },
    mempool: { refused: new Refusals().byReason(), decideSeconds: seconds, waiting: 0, unbroadcast: 0 },
    verifier: {
      ...{ workers: 2, activeMs: 100, idleMs: 900, batches: 1, inputs: 2, failed: 0, waitingInputs: 0 },
      ...{ seconds, cache: { hits: 3, misses: 4, entries: 4 } },
    },
    relay: {
      blockDelaySeconds: seconds,
      blockRequests: { form: new HedgePace().figures(), transactions: new HedgePace().figures() },
      fetchedTransactions: { received: 3, 'not-found': 0, unanswered: 0 },
    },
  };
}

function netFigures(clock: ConstructorParameters<typeof NetMeter>[1]): Figures['counted']['net'] {
  const meter = new NetMeter('00000000', clock);
  const delay = { p50Ms: 0, p99Ms: 2, maxMs: 30 };
  return {
    ...meter.figures(),
    gossip: {
      topics: byTopic((name) => ({
        ...meter.gossip.counts[name],
        ...{ meshPeers: 2, subscribers: 3, waiting: 0, withNode: 0 },
        verdictSeconds: meter.gossip.verdictSeconds(name),
      })),
      control: meter.gossip.controlFigures(),
    },
    serving: { large: { heldBytes: 0, waiting: 0 }, small: { heldBytes: 0, waiting: 0 } },
    addresses: { tried: 1, new: 8 },
    places: { inbound: 114, 'full-relay': 8, 'block-only': 2 },
    thread: {
      use: { activeMs: 400, idleMs: 600, delay, gcMs: 12, heapBytes: 30_000_000 },
      ...{ answerMs: 1, messages: { toNet: 5, fromNet: 6 }, judging: 0, asking: 0, serving: 0, windowBytes: 0 },
    },
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

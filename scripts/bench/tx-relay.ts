/** Transactions offered at the rates of Bitcoin's network, spread over a network of whole nodes. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { type Benchmark, type BenchmarkContext, type Case, type CaseResult, nowMs, type Sample } from './benchmark.ts';
import type { NodeCounts } from './relay-group.ts';
import {
  LINKS,
  type NetworkOrder,
  NODES,
  PROCESSES,
  quantile,
  type RelayNetwork,
  startRelayNetwork,
} from './relay-network.ts';
import { median } from './rounds.ts';
import { mixedCoins } from './tx-mix.ts';
import type { Batch, BatchSize, MixName, OfferOrder, Times } from './tx-relay-nodes.ts';

type Load = { readonly mix: MixName; readonly perSecond: number };
type Trickle = NonNullable<NetworkOrder['trickleMs']>;

/** What Bitcoin carries, and ten times that. */
const USUAL = 7;
const TENFOLD = 70;
/** The first transactions find cold code and a gossip mesh that has yet to form. */
const WARM_UP: Batch = { mix: 'payments', count: 200 };
const WARM_UP_PER_SECOND = 20;
/** All processes begin together. */
const LEAD_MS = 300;
/** What lazy gossip says after the last transaction counts too: its ids are told for three heartbeats of a second. */
const SETTLE_MS = 4_000;
const IDLE_MS = 5_000;
/** What is not there by then is lost. */
const PATIENCE_MS = 60_000;

export const txRelay: Benchmark = {
  name: 'tx-relay',
  what: `${NODES} whole nodes in ${PROCESSES} processes, some ${LINKS} links each; transactions offered by all in turns at an even rate: p95 until all have one`,
  isHeavy: true,
  run: async (context) => {
    const both: readonly Load[] = [USUAL, TENFOLD].map((perSecond) => ({ mix: 'mixed', perSecond }));
    const payments: readonly Load[] = [USUAL, TENFOLD].map((perSecond) => ({ mix: 'payments', perSecond }));
    return {
      results: [
        ...(await measureWith(context, 0, [...both, ...payments])),
        ...(await measureWith(context, 'default', both)),
      ],
    };
  },
};

/** On a network of its own. */
async function measureWith(
  context: BenchmarkContext,
  trickleMs: Trickle,
  loads: readonly Load[],
): Promise<CaseResult[]> {
  await using stack = new AsyncDisposableStack();
  const seconds = context.isLong ? 60 : 10;
  const batchOf = ({ mix, perSecond }: Load): Batch => ({ mix, count: perSecond * seconds });
  // Only what is measured needs a network.
  let network: Promise<RelayNetwork> | undefined;
  const start = (): Promise<RelayNetwork> => {
    network ??= startWarm(context, stack, trickleMs, loads.map(batchOf));
    return network;
  };
  const trickle = trickleMs === 0 ? 'no trickle' : 'trickle';
  const cases = loads.map((load): Case => {
    const what = load.mix === 'mixed' ? 'mixed sizes' : 'of 371 bytes';
    return {
      name: `${load.perSecond} tx/s ${what}, ${trickle}`,
      unit: 'ms',
      isAlwaysCold: true,
      measure: async () => spread(await start(), batchOf(load), load.perSecond),
    };
  });
  return await context.measure(cases, 1);
}

async function startWarm(
  context: BenchmarkContext,
  stack: AsyncDisposableStack,
  trickleMs: Trickle,
  batches: readonly Batch[],
): Promise<RelayNetwork> {
  const file = new URL('./tx-relay-nodes.ts', import.meta.url);
  const scratch = await mkdtemp(join(context.scratch, 'network-'));
  // A mixed batch takes what `mixedCoins` says, of the others each transaction two.
  const coins = [WARM_UP, ...batches].reduce(
    (sum, { mix, count }) => sum + (mix === 'mixed' ? mixedCoins(count) : 2 * count),
    0,
  );
  const network = await startRelayNetwork({ ...context, scratch }, stack, { file, trickleMs, build: coins });
  await network.all('watch');
  await spread(network, WARM_UP, WARM_UP_PER_SECOND);
  return network;
}

/** Offers a batch and waits until every node has all of it. The sample's time is the 95th percentile of the latencies. */
async function spread(network: RelayNetwork, batch: Batch, perSecond: number): Promise<Sample> {
  const { count } = batch;
  const [size] = await network.all<BatchSize>('take', batch);
  const idleBytes = await idleTraffic(network);
  const [before, cpuBefore] = [await network.counts(), await network.cpuMs()];
  const startMs = nowMs() + LEAD_MS;
  const order = (process: number): OfferOrder => ({ startMs, perSecond, process, processes: PROCESSES });
  await network.each('offer', order);
  const lost = await untilEverywhere(network, count);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const [after, cpuMs] = [await network.counts(), (await network.cpuMs()) - cpuBefore];
  const { latenciesMs, spanMs } = timesOf(await network.all<Times>('times'), count);
  const since = (key: 'bytesIn' | 'gossipReceived'): number[] =>
    after.map((counts, node) => (counts[key] - (before[node]?.[key] ?? 0)) / count);
  const bytes = since('bytesIn');
  return {
    amount: count,
    wallMs: quantile(latenciesMs, 0.95),
    cpuMs: undefined,
    extra: {
      'ms p50': quantile(latenciesMs, 0.5),
      'ms worst': quantile(latenciesMs, 1),
      txs: count,
      'lost on the way to a node': lost,
      'links a node before': linksOf(before),
      'and after': linksOf(after),
      'tx/s offered': (1000 * (count - 1)) / spanMs,
      'B each': (size?.bytes ?? Number.NaN) / count,
      'above 1 kB': size?.above1kB ?? Number.NaN,
      'above 10 kB': size?.above10kB ?? Number.NaN,
      'B a node and tx (median)': median(bytes),
      'B (worst)': Math.max(...bytes),
      'B/s a node idle': idleBytes,
      'gossip messages a node and tx': median(since('gossipReceived')),
      'ms CPU a node and tx': cpuMs / NODES / count,
    },
  };
}

/** Gives for how many pairs of a transaction and a node there was no end of waiting. */
async function untilEverywhere(network: RelayNetwork, count: number): Promise<number> {
  const endMs = nowMs() + PATIENCE_MS;
  let missing = count * NODES;
  await network.until(`${count} transactions everywhere`, async () => {
    missing = count * NODES - (await network.all<number>('arrived')).reduce((sum, each) => sum + each);
    return missing === 0 || nowMs() > endMs;
  });
  return missing;
}

function linksOf(counts: readonly NodeCounts[]): number {
  return counts.reduce((sum, { peers }) => sum + peers, 0) / NODES;
}

/** What a node receives in a second when nothing is offered: heartbeats, pings. It is in the figures of a slow rate. */
async function idleTraffic(network: RelayNetwork): Promise<number> {
  const before = await network.counts();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const after = await network.counts();
  return median(after.map(({ bytesIn }, node) => (1000 * (bytesIn - (before[node]?.bytesIn ?? 0))) / IDLE_MS));
}

/** From the offer of each until the last node had it, in order; and from the first offer to the last. */
function timesOf(
  processes: readonly Times[],
  count: number,
): { readonly latenciesMs: readonly number[]; readonly spanMs: number } {
  const offered = Array.from({ length: count }, (_, place) =>
    Math.max(...processes.map(({ offeredMs }) => offeredMs[place] ?? 0)),
  );
  const nodes = processes.flatMap(({ arrivedMs }) => arrivedMs);
  const arrival = (at: number | undefined): number => (at === undefined || at === 0 ? Number.POSITIVE_INFINITY : at);
  const latencies = offered.map((at, place) => Math.max(...nodes.map((times) => arrival(times[place]))) - at);
  return { latenciesMs: latencies.sort((a, b) => a - b), spanMs: Math.max(...offered) - Math.min(...offered) };
}

/** Transactions and blocks spread over a network of whole nodes. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '#util';
import type { Benchmark, BenchmarkContext, Case, CaseResult, Sample } from './benchmark.ts';
import { LARGE_PAYMENT, PAYMENT } from './relay-chain.ts';
import type { NodeCounts } from './relay-group.ts';
import {
  LINKS,
  NODES,
  NODES_PER_PROCESS,
  PROCESSES,
  quantile,
  type RelayNetwork,
  startRelayNetwork,
} from './relay-network.ts';
import type { ApartOrder, BuildOrder, Mined, MineOrder } from './relay-nodes.ts';
import { median } from './rounds.ts';

const UNKNOWN_SHARE = 0.1;
/** What spreads is measured by fewer than what is mined: twenty nodes on two cores need some ten seconds for a hundred. */
const SPREAD = 1_000;
/** Gossip tells of a message for three heartbeats of a second, and finds its meshes in as many. */
const SETTLE_MS = 5_000;
const IDLE_MS = 2_000;
/** Transactions on their way at once: far below what gossip's queues hold. */
const IN_FLIGHT = 200;
/** BIP152: header and nonce, counts, short ids, and a coinbase of some 200 bytes. */
const compactBytes = (transactions: number): number => 88 + 6 + 6 * transactions + 200;

export const relay: Benchmark = {
  name: 'relay',
  what: `${NODES} whole nodes in ${PROCESSES} processes, some ${LINKS} links each; payments, and blocks of them`,
  isHeavy: true,
  run: async (context) => {
    const count = context.isLong ? 4_000 : 1_000;
    const rounds = context.isLong ? 2 : 1;
    const results: CaseResult[] = [];
    for (const prefills of [true, false]) {
      await using stack = new AsyncDisposableStack();
      const cases = (measures: RelayMeasures): Case[] => [
        {
          name: `a block, ${100 * UNKNOWN_SHARE} % unknown${prefills ? '' : ', no prefill'}`,
          unit: 'ms',
          measure: () => measures.mineApart(count, UNKNOWN_SHARE),
        },
        ...(prefills
          ? [
              { name: 'a block, all known', unit: 'ms', measure: () => measures.mineApart(count, 0) },
              { name: 'transactions to all', unit: 'txs', measure: () => measures.spread(SPREAD) },
            ]
          : []),
      ];
      const build: BuildOrder = {
        // One round to warm up.
        payments: (rounds + 1) * (prefills ? 2 * count + SPREAD : count),
        shape: context.isLong ? LARGE_PAYMENT : PAYMENT,
      };
      const measures = await start(context, stack, build, prefills);
      results.push(...(await context.measure(cases(measures), rounds)));
    }
    return { results };
  },
};

async function start(
  context: BenchmarkContext,
  stack: AsyncDisposableStack,
  build: BuildOrder,
  prefills: boolean,
): Promise<RelayMeasures> {
  const scratch = await mkdtemp(join(context.scratch, 'network-'));
  const network = await startRelayNetwork({ ...context, scratch }, stack, {
    file: new URL('./relay-nodes.ts', import.meta.url),
    build,
    // The miner would put in what it has not announced, which is all that it was given. Here the peers have it.
    prefillsBlocks: (node) => prefills && node > 0,
    // Or it would bring what `giveApart` keeps from a node.
    syncsMempool: false,
  });
  await rest(SETTLE_MS);
  return new RelayMeasures(network);
}

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class RelayMeasures {
  readonly #network: RelayNetwork;

  constructor(network: RelayNetwork) {
    this.#network = network;
  }

  /** Brings a batch into all mempools, and then a block that empties them. */
  async spread(count: number): Promise<Sample> {
    const network = this.#network;
    const [bytes = 0] = await network.all<number>('take', count);
    const before = await network.counts();
    const cpuBefore = await network.cpuMs();
    const startedMs = performance.now();
    const perProcess = Math.ceil(count / PROCESSES);
    const step = Math.ceil(IN_FLIGHT / PROCESSES);
    for (let done = 0; done < perProcess; done += step) {
      await network.each('submit', (process) => {
        const from = process * perProcess;
        const end = Math.min(from + perProcess, count);
        return { from: from + done, to: Math.min(from + done + step, end) };
      });
      await this.#everywhere(Math.max(0, Math.min(count, (done + step) * PROCESSES) - IN_FLIGHT));
    }
    await this.#everywhere(count);
    const wallMs = performance.now() - startedMs;
    const received = receivedBytes(before, await network.counts()).map((each) => each / count);
    const cpuMs = (await network.cpuMs()) - cpuBefore;
    await this.#mine();
    return {
      amount: count,
      wallMs,
      cpuMs,
      extra: {
        'B each': bytes / count,
        'B a node and tx (median)': median(received),
        'B (worst)': Math.max(...received),
        ...(await network.memory()),
      },
    };
  }

  /**
   * One node mines a batch of which each other lacks a share; the sample's time is from then until 95 % of the nodes have
   * connected the block.
   */
  async mineApart(count: number, unknownShare: number): Promise<Sample> {
    const network = this.#network;
    const lackedBytes = await this.#giveApart(count, unknownShare);
    await rest(SETTLE_MS);
    const atRest = await network.counts();
    await rest(IDLE_MS);
    const [before, streamsBefore, cpuBefore] = [
      await network.counts(),
      await network.streamBytes(),
      await network.cpuMs(),
    ];
    const { mined, delaysMs } = await this.#mine();
    const [after, streams] = [await network.counts(), await network.streamBytes()];
    const received = receivedBytes(before, after).slice(1);
    const sizes = received.map((bytes, at) => bytes / (compactBytes(count) + (lackedBytes[at + 1] ?? 0)));
    return {
      amount: 1,
      wallMs: quantile(delaysMs, 0.95),
      cpuMs: (await network.cpuMs()) - cpuBefore,
      extra: {
        'ms p50': quantile(delaysMs, 0.5),
        'ms last': quantile(delaysMs, 1),
        txs: count,
        'kB block': mined.bytes / 1000,
        ...rebuilt(before, after),
        'x BIP152 size a node (median)': median(sizes),
        'x (worst)': Math.max(...sizes),
        'kB a node (median)': median(received) / 1000,
        ...byProtocol(streamsBefore, streams),
        'B/s at rest (median)': (1000 * median(receivedBytes(atRest, before))) / IDLE_MS,
      },
    };
  }

  /** Every node but the miner gets a batch without a share of it, each another. Gives the bytes that each lacks. */
  async #giveApart(count: number, unknownShare: number): Promise<number[]> {
    const network = this.#network;
    await network.all('take', count);
    const orders = (process: number): ApartOrder => ({ firstNode: process * NODES_PER_PROCESS, unknownShare });
    const lacked = (await network.each<number[]>('submitApart', orders)).flat();
    const known = count - Math.round(unknownShare * count);
    for (const [node, { mempool }] of (await network.counts()).entries()) {
      assert(mempool === (node === 0 ? count : known), `node ${node} has ${mempool} transactions: somebody told it`);
    }
    return lacked;
  }

  #mine(): ReturnType<typeof RelayNetwork.prototype.untilConnected<Mined>> {
    return this.#network.untilConnected(async () => {
      const order = (process: number): MineOrder => ({ isMiner: process === 0 });
      const [first] = await this.#network.each<Mined | undefined>('mineOrFollow', order);
      assert(first !== undefined, 'the first process mines');
      return first;
    });
  }

  async #everywhere(least: number): Promise<void> {
    const has = async (): Promise<boolean> => (await this.#network.counts()).every(({ mempool }) => mempool >= least);
    await this.#network.until(`${least} transactions everywhere`, has);
  }
}

function receivedBytes(before: readonly NodeCounts[], after: readonly NodeCounts[]): number[] {
  return after.map(({ bytesIn }, node) => bytesIn - (before[node]?.bytesIn ?? 0));
}

/** What streams brought a node on average, by protocol; the rest are frames of yamux, Noise and TCP. */
function byProtocol(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const kb = (names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (after[name] ?? 0) - (before[name] ?? 0), 0) / 1000 / (NODES - 1);
  const named = ['compact', 'blocktxn', 'blocks', 'meshsub'];
  return {
    ...Object.fromEntries(named.map((name) => [`kB ${name}`, kb([name])])),
    'kB other streams': kb(Object.keys(after).filter((name) => !named.includes(name))),
  };
}

/** How the block came to be complete, at all nodes but the miner; what no announcement led to (a hello did) is in none. */
function rebuilt(before: readonly NodeCounts[], after: readonly NodeCounts[]): Record<string, number> {
  const percent = (key: 'withoutRoundTrip' | 'withRoundTrip' | 'whole'): number => {
    const blocks = after.reduce((sum, counts, node) => sum + counts[key] - (before[node]?.[key] ?? 0), 0);
    return (100 * blocks) / (NODES - 1);
  };
  return {
    '% without a round trip': percent('withoutRoundTrip'),
    '% with one': percent('withRoundTrip'),
    '% whole': percent('whole'),
  };
}

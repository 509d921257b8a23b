/** Transactions and blocks spread over a network of whole nodes. */
import { assert } from '#util';
import type { Benchmark, BenchmarkContext, Case, Sample } from './benchmark.ts';
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
const SETTLING_BATCH = 50;
const SETTLE_MS = 3_000;
/** Transactions on their way at once: far below what gossip's queues hold. */
const IN_FLIGHT = 200;
/** BIP152: header and nonce, counts, short ids, and a coinbase of some 200 bytes. */
const compactBytes = (transactions: number): number => 88 + 6 + 6 * transactions + 200;

export const relay: Benchmark = {
  name: 'relay',
  what: `${NODES} whole nodes in ${PROCESSES} processes, some ${LINKS} links each; payments, then the block of them`,
  isHeavy: true,
  run: async (context) => {
    await using stack = new AsyncDisposableStack();
    const count = context.isLong ? 4_000 : 1_000;
    const rounds = context.isLong ? 3 : 1;
    const measures = await start(context, stack, {
      // Two batches a round, and one round to warm up.
      payments: SETTLING_BATCH + 2 * count * (rounds + 1),
      shape: context.isLong ? LARGE_PAYMENT : PAYMENT,
    });
    await measures.settle();
    const cases: Case[] = [
      { name: 'transactions to all', unit: 'txs', measure: () => measures.spread(count) },
      { name: 'a block of them', unit: 'ms', measure: () => measures.mine(count, () => compactBytes(count)) },
      {
        name: `a block, ${100 * UNKNOWN_SHARE} % unknown`,
        unit: 'ms',
        measure: async () => {
          const lackedBytes = await measures.giveApart(count);
          return measures.mine(count, (node) => compactBytes(count) + (lackedBytes[node] ?? 0));
        },
      },
    ];
    return { results: await context.measure(cases, rounds) };
  },
};

async function start(
  context: BenchmarkContext,
  stack: AsyncDisposableStack,
  build: BuildOrder,
): Promise<RelayMeasures> {
  const file = new URL('./relay-nodes.ts', import.meta.url);
  return new RelayMeasures(await startRelayNetwork(context, stack, { file, build }));
}

class RelayMeasures {
  readonly #network: RelayNetwork;

  constructor(network: RelayNetwork) {
    this.#network = network;
  }

  /**
   * A young node asks its peers what their mempools hold, when its sync moves, until two had something. Here all have
   * something while an empty block moves it: later nobody is told of what `giveApart` keeps from it.
   */
  async settle(): Promise<void> {
    await this.spread(SETTLING_BATCH);
    await this.#mine(true);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await this.#mine(false);
  }

  /** Brings a batch into all mempools. */
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
    return {
      amount: count,
      wallMs,
      cpuMs: (await network.cpuMs()) - cpuBefore,
      extra: {
        'B each': bytes / count,
        'B a node and tx (median)': median(received),
        'B (worst)': Math.max(...received),
        ...(await network.memory()),
      },
    };
  }

  /** Every node but the miner gets nine tenths of a batch, each others. Gives the bytes that each lacks. */
  async giveApart(count: number): Promise<number[]> {
    const network = this.#network;
    await network.all('take', count);
    const orders = (process: number): ApartOrder => {
      return { firstNode: process * NODES_PER_PROCESS, unknownShare: UNKNOWN_SHARE };
    };
    const lacked = (await network.each<number[]>('submitApart', orders)).flat();
    const known = count - Math.round(UNKNOWN_SHARE * count);
    for (const [node, { mempool }] of (await network.counts()).entries()) {
      assert(mempool === (node === 0 ? count : known), `node ${node} has ${mempool} transactions: somebody told it`);
    }
    return lacked;
  }

  /**
   * One node mines the batch; the sample's time is from then until 95 % of the nodes have connected the block.
   * `leastBytes`: what the node cannot do without by BIP152.
   */
  async mine(count: number, leastBytes: (node: number) => number): Promise<Sample> {
    const network = this.#network;
    const before = await network.counts();
    const cpuBefore = await network.cpuMs();
    const { mined, delaysMs } = await this.#mine(false);
    const after = await network.counts();
    const sizes = receivedBytes(before, after).map((bytes, node) => bytes / leastBytes(node));
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
      },
    };
  }

  #mine(isEmpty: boolean): ReturnType<typeof RelayNetwork.prototype.untilConnected<Mined>> {
    return this.#network.untilConnected(async () => {
      const order = (process: number): MineOrder => ({ isMiner: process === 0, isEmpty });
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

/** Transactions and blocks spread over a network of whole nodes by gossip. */
import { join } from 'node:path';
import { assert, seededRandom } from '#util';
import type { Benchmark, BenchmarkContext, Case, Sample } from './benchmark.ts';
import { type PeerProcess, startPeer } from './peer-process.ts';
import { peakMemory } from './process-usage.ts';
import type { Batch, Traffic } from './relay-nodes.ts';
import { median } from './rounds.ts';

const PROCESSES = 4;
const NODES_PER_PROCESS = 5;
const NODES = PROCESSES * NODES_PER_PROCESS;
/** Each node calls so many, and is called by as many on average. */
const CALLS = 4;
const UNKNOWN_SHARE = 0.1;
/** Transactions on their way at once: far below what gossip's queues hold. */
const IN_FLIGHT = 200;
const POLL_MS = 50;
const PATIENCE_MS = 300_000;
/** BIP152: header and nonce, counts, short ids, and a coinbase of some 200 bytes. */
const compactBytes = (transactions: number): number => 88 + 6 + 6 * transactions + 200;

export const relay: Benchmark = {
  name: 'relay',
  what: `${NODES} whole nodes in ${PROCESSES} processes, ${2 * CALLS} links each; payments of 371 bytes, then the block of them`,
  isHeavy: true,
  run: async (context) => {
    await using stack = new AsyncDisposableStack();
    const count = context.isLong ? 4_000 : 1_000;
    const rounds = context.isLong ? 3 : 1;
    // Two batches a round, and one round to warm up.
    const network = await startNetwork(context, stack, 2 * count * (rounds + 1));
    const known: Batch = { count, known: count };
    const unknown: Batch = { count, known: Math.round(count * (1 - UNKNOWN_SHARE)) };
    const cases: Case[] = [
      { name: 'transactions to all', unit: 'txs', measure: () => network.spread(known) },
      { name: 'a block of them', unit: 'ms', measure: () => network.mine(known) },
      {
        name: `a block, ${100 * UNKNOWN_SHARE} % unknown`,
        unit: 'ms',
        measure: async () => {
          await network.spread(unknown);
          return network.mine(unknown);
        },
      },
    ];
    return { results: await context.measure(cases, rounds) };
  },
};

async function startNetwork(
  context: BenchmarkContext,
  stack: AsyncDisposableStack,
  payments: number,
): Promise<Network> {
  const file = new URL('./relay-nodes.ts', import.meta.url);
  const processes = Array.from({ length: PROCESSES }, () => stack.use(startPeer(file, context.execArgv)));
  await Promise.all(processes.map((each) => each.call('build', payments)));
  const random = seededRandom(1);
  const addresses: string[] = [];
  for (const [at, each] of processes.entries()) {
    const first = at * NODES_PER_PROCESS;
    const connect = Array.from({ length: NODES_PER_PROCESS }, (_, place) => {
      const earlier = Array.from({ length: first + place }, (_, node) => node);
      const called = Array.from({ length: Math.min(CALLS, earlier.length) }, () =>
        earlier.splice(random.below(earlier.length), 1),
      ).flat();
      return called.map((node) => addresses[node] ?? `#${node - first}`);
    });
    addresses.push(...(await each.call<string[]>('start', { datadir: join(context.scratch, String(at)), connect })));
  }
  const network = new Network(processes);
  await network.until('every node is at the tip', async () => (await network.all<boolean>('allSynced')).every(Boolean));
  return network;
}

class Network {
  readonly #processes: readonly PeerProcess[];
  #height: number | undefined;

  constructor(processes: readonly PeerProcess[]) {
    this.#processes = processes;
  }

  all<Result>(name: string, parameter?: unknown): Promise<Result[]> {
    return Promise.all(this.#processes.map((each) => each.call<Result>(name, parameter)));
  }

  async until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
    const startedMs = performance.now();
    while (!(await isTrue())) {
      assert(performance.now() - startedMs < PATIENCE_MS, `not within ${PATIENCE_MS} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Brings a batch's known transactions into all mempools. */
  async spread(batch: Batch): Promise<Sample> {
    await this.all('take', batch);
    const before = await this.#traffic();
    const cpuBefore = await this.#cpuMs();
    const startedMs = performance.now();
    const perProcess = Math.ceil(batch.known / PROCESSES);
    const step = Math.ceil(IN_FLIGHT / PROCESSES);
    for (let done = 0; done < perProcess; done += step) {
      await Promise.all(
        this.#processes.map((each, at) => {
          const from = at * perProcess;
          const end = Math.min(from + perProcess, batch.known);
          return each.call('submit', { from: from + done, to: Math.min(from + done + step, end) });
        }),
      );
      const least = Math.max(0, Math.min(batch.known, (done + step) * PROCESSES) - IN_FLIGHT);
      await this.until(`${least} transactions everywhere`, async () => (await this.#leastInMempool()) >= least);
    }
    await this.until(
      `${batch.known} transactions everywhere`,
      async () => (await this.#leastInMempool()) >= batch.known,
    );
    const wallMs = performance.now() - startedMs;
    const received = this.#received(before, await this.#traffic()).map((bytes) => bytes / batch.known);
    return {
      amount: batch.known,
      wallMs,
      cpuMs: (await this.#cpuMs()) - cpuBefore,
      extra: {
        'B a node and tx (median)': median(received),
        'B (worst)': Math.max(...received),
        ...(await this.#memory()),
      },
    };
  }

  /** One node mines the batch; the sample's time is from then until 95 % of the nodes have connected the block. */
  async mine(batch: Batch): Promise<Sample> {
    const height = await this.#nextHeight();
    await this.all('expect', height);
    const before = await this.#traffic();
    const cpuBefore = await this.#cpuMs();
    const [miner, ...others] = this.#processes;
    assert(miner !== undefined, 'there are processes');
    const [{ atMs, bytes }] = await Promise.all([
      miner.call<{ readonly atMs: number; readonly bytes: number }>('mine'),
      ...others.map((each) => each.call('follow')),
    ]);
    let delays: number[] = [];
    await this.until('the block everywhere', async () => {
      const times = (await this.all<number[]>('connectedAt')).flat();
      delays = times.map((at) => at - atMs);
      return times.every((at) => at > 0);
    });
    delays.sort((a, b) => a - b);
    const received = this.#received(before, await this.#traffic()).sort((a, b) => a - b);
    const size = compactBytes(batch.count);
    return {
      amount: 1,
      wallMs: delays[Math.ceil(0.95 * NODES) - 1] ?? Number.NaN,
      cpuMs: (await this.#cpuMs()) - cpuBefore,
      extra: {
        'ms p50': median(delays),
        'ms last': delays.at(-1) ?? Number.NaN,
        'kB block': bytes / 1000,
        'x BIP152 size a node (median)': median(received) / size,
        'x (worst)': (received.at(-1) ?? Number.NaN) / size,
      },
    };
  }

  async #nextHeight(): Promise<number> {
    this.#height = (this.#height ?? (await this.#processes[0]?.call<number>('height')) ?? 0) + 1;
    return this.#height;
  }

  async #leastInMempool(): Promise<number> {
    return Math.min(...(await this.all<number>('leastInMempool')));
  }

  async #traffic(): Promise<Traffic[]> {
    return (await this.all<Traffic[]>('traffic')).flat();
  }

  #received(before: readonly Traffic[], after: readonly Traffic[]): number[] {
    return after.map(({ bytesIn }, at) => bytesIn - (before[at]?.bytesIn ?? 0));
  }

  async #cpuMs(): Promise<number> {
    return (await this.all<number>('cpuMs')).reduce((sum, each) => sum + each, 0);
  }

  async #memory(): Promise<Readonly<Record<string, number>>> {
    const peaks = await this.all<number | undefined>('peakMemoryMb');
    return peakMemory(
      peaks.reduce((sum, each) => (sum === undefined || each === undefined ? undefined : sum + each), 0),
    );
  }
}

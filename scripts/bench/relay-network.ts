/** Twenty whole nodes in four processes, as a benchmark that measures them sees them. */
import { join } from 'node:path';
import { assert, seededRandom } from '#util';
import type { BenchmarkContext } from './benchmark.ts';
import { type PeerProcess, startPeer } from './peer-process.ts';
import { peakMemory } from './process-usage.ts';
import type { NodeCounts, StartOrder } from './relay-group.ts';

export const PROCESSES = 4;
export const NODES_PER_PROCESS = 5;
export const NODES = PROCESSES * NODES_PER_PROCESS;
/** Each node calls so many and is called by as many; the DHT keeps up to two more that a node called for its queries. */
const CALLS = 3;
/** What that comes to, a node; the benchmarks print what it is. */
export const LINKS = 8;

const POLL_MS = 50;
const PATIENCE_MS = 300_000;

export type NetworkOrder = Omit<StartOrder, 'datadir' | 'connect' | 'prefillsBlocks'> & {
  /** By its place among all; every node does unless told otherwise. */
  readonly prefillsBlocks?: (node: number) => boolean;
  /** The file of a process; it offers the functions of a `RelayGroup` and `build`. */
  readonly file: URL;
  /** What each process needs to make the chain. */
  readonly build: unknown;
};

/** Starts the processes, has them make the chain, and starts the nodes one process after another. Ready when all are synced. */
export async function startRelayNetwork(
  { scratch, execArgv }: Pick<BenchmarkContext, 'scratch' | 'execArgv'>,
  stack: AsyncDisposableStack,
  { file, build, prefillsBlocks = () => true, ...order }: NetworkOrder,
): Promise<RelayNetwork> {
  const processes = Array.from({ length: PROCESSES }, () => stack.use(startPeer(file, execArgv)));
  await Promise.all(processes.map((each) => each.call('build', build)));
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
    const datadir = join(scratch, String(at));
    const prefills = connect.map((_, place) => prefillsBlocks(first + place));
    const start: StartOrder = { ...order, datadir, connect, prefillsBlocks: prefills };
    addresses.push(...(await each.call<string[]>('start', start)));
  }
  const network = new RelayNetwork(processes);
  await network.until('every node is at the tip', async () => (await network.all<boolean>('isReady')).every(Boolean));
  return network;
}

export class RelayNetwork {
  readonly #processes: readonly PeerProcess[];

  constructor(processes: readonly PeerProcess[]) {
    this.#processes = processes;
  }

  /** In the order of the processes. */
  all<Result>(name: string, parameter?: unknown): Promise<Result[]> {
    return Promise.all(this.#processes.map((each) => each.call<Result>(name, parameter)));
  }

  /** Each process gets a parameter of its own, by its place. */
  each<Result>(name: string, parameter: (process: number) => unknown): Promise<Result[]> {
    return Promise.all(this.#processes.map((each, at) => each.call<Result>(name, parameter(at))));
  }

  async of<Result>(process: number, name: string, parameter?: unknown): Promise<Result> {
    const chosen = this.#processes[process];
    assert(chosen !== undefined, `there is a process ${process}`);
    return chosen.call<Result>(name, parameter);
  }

  /** Of the first process, which has the miner. */
  first<Result>(name: string, parameter?: unknown): Promise<Result> {
    return this.of(0, name, parameter);
  }

  async until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
    const startedMs = performance.now();
    while (!(await isTrue())) {
      assert(performance.now() - startedMs < PATIENCE_MS, `not within ${PATIENCE_MS} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Of all nodes, those of the first process first. */
  async counts(): Promise<NodeCounts[]> {
    return (await this.all<NodeCounts[]>('counts')).flat();
  }

  /** Received in streams by all nodes, by protocol. */
  async streamBytes(): Promise<Readonly<Record<string, number>>> {
    const sum: Record<string, number> = {};
    for (const each of await this.all<Readonly<Record<string, number>>>('streamBytes')) {
      for (const [name, bytes] of Object.entries(each)) sum[name] = (sum[name] ?? 0) + bytes;
    }
    return sum;
  }

  async cpuMs(): Promise<number> {
    return (await this.all<number>('cpuMs')).reduce((sum, each) => sum + each, 0);
  }

  /** Peaks of all processes together. */
  async memory(): Promise<Readonly<Record<string, number>>> {
    const peaks = await this.all<number | undefined>('peakMemoryMb');
    return peakMemory(
      peaks.reduce((sum, each) => (sum === undefined || each === undefined ? undefined : sum + each), 0),
    );
  }

  /** Runs `announce`, which has a node make a block and says when; waits until every node has it. Milliseconds from then, in order. */
  async untilConnected<Mined extends { readonly atMs: number }>(
    announce: () => Promise<Mined>,
  ): Promise<{ readonly mined: Mined; readonly delaysMs: readonly number[] }> {
    const height = (await this.first<number>('height')) + 1;
    await this.all('expect', height);
    const mined = await announce();
    let times: number[] = [];
    await this.until('the block everywhere', async () => {
      times = (await this.all<number[]>('connectedAt')).flat();
      return times.every((at) => at > 0);
    });
    return { mined, delaysMs: times.map((at) => at - mined.atMs).sort((a, b) => a - b) };
  }
}

/** The value below which so many of the sorted values lie: 0.95 for all but a twentieth. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

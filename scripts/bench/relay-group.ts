/** Several whole nodes in one process, each with libp2p in this thread: what all benchmarks of a network share. */
import { join } from 'node:path';
import { openChain } from '#chain';
import type { StarlingNode } from '#node';
import type { Block } from '#primitives';
import { cpuMs, nowMs } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { DB_CACHE_BYTES, listenAddress, type NodeOrder, startNode } from './node.ts';
import type { PeerFunctions } from './peer-process.ts';
import { usageOf } from './process-usage.ts';

export type StartOrder = Pick<NodeOrder, 'trickleMs' | 'dbCacheBytes' | 'scriptResults' | 'syncsMempool'> & {
  readonly datadir: string;
  /** By node, whom it calls; those of this process by their place in it, as `#1`. */
  readonly connect: readonly (readonly string[])[];
  /** By node; all unless told otherwise. */
  readonly prefillsBlocks?: readonly boolean[];
};

/** Of one node, since its start. */
export type NodeCounts = {
  /** Now. */
  readonly peers: number;
  readonly bytesIn: number;
  readonly gossipReceived: number;
  readonly mempool: number;
  readonly withoutRoundTrip: number;
  readonly withRoundTrip: number;
  readonly whole: number;
};

/** The channel between processes knows no NaN. */
const NOT_YET = -1;

/** Twenty nodes share a few cores: threads of their own, for the network and for scripts, would be sixty more. */
const ONE_THREAD = { netThread: 'main', scriptThreads: 1 } as const;

export class RelayGroup {
  /** Those that run. */
  readonly nodes: StarlingNode[] = [];
  readonly #blocks: () => readonly Block[];
  #connectedAt: number[] = [];

  /** `blocks`: what every node has from the start. */
  constructor(blocks: () => readonly Block[]) {
    this.#blocks = blocks;
  }

  /** What `RelayNetwork` calls; to be offered by `servePeer` beside the benchmark's own. */
  readonly functions = {
    start: (order: StartOrder) => this.#start(order),
    isReady: async () => {
      const all = await Promise.all(this.nodes.map((node) => node.status()));
      return all.every(({ sync, net }) => sync.phase === 'at-tip' && net.peers.length > 0);
    },
    height: () => this.nodes[0]?.chain.tip().height,
    counts: () => Promise.all(this.nodes.map(countsOf)),
    expect: (height: number) => this.#expect(height),
    connectedAt: () => this.#connectedAt,
    cpuMs,
    peakMemoryMb: () => usageOf('self').peakMemoryMb,
  } satisfies PeerFunctions;

  async end(): Promise<void> {
    for (const node of this.nodes.splice(0)) await node[Symbol.asyncDispose]();
  }

  /** Starts the nodes one after another and gives their addresses. */
  async #start({ datadir, connect, prefillsBlocks = [], ...order }: StartOrder): Promise<string[]> {
    const addresses: string[] = [];
    for (const [at, peers] of connect.entries()) {
      const called = peers.map((peer) => (peer.startsWith('#') ? (addresses[Number(peer.slice(1))] ?? '') : peer));
      const prefills = prefillsBlocks[at] ?? true;
      const own = { datadir: join(datadir, String(at)), connect: called, prefillsBlocks: prefills };
      await this.#fill(own.datadir);
      const node = await startNode({ ...order, ...own, ...ONE_THREAD, network: 'regtest' });
      this.nodes.push(node);
      addresses.push(await listenAddress(node));
    }
    return addresses;
  }

  async #fill(datadir: string): Promise<void> {
    await using opened = await openChain({ params: regtestParams(), datadir, dbCacheBytes: DB_CACHE_BYTES });
    for (const block of this.#blocks()) await opened.submitBlock(block);
  }

  /** The tip that is waited for from now on: `connectedAt` says when each node had it. */
  #expect(height: number): void {
    const atMs = this.nodes.map(() => NOT_YET);
    this.#connectedAt = atMs;
    for (const [at, node] of this.nodes.entries()) {
      const stop = node.onTip((tip) => {
        if (tip.height < height) return;
        atMs[at] = nowMs();
        stop();
      });
    }
  }
}

async function countsOf(node: StarlingNode): Promise<NodeCounts> {
  const { net, mempool, announcedBlocks } = await node.status();
  const { withoutRoundTrip, withRoundTrip, whole } = announcedBlocks;
  return {
    peers: net.peers.length,
    bytesIn: net.bytesIn,
    gossipReceived: net.gossip.received,
    mempool: mempool.count,
    withoutRoundTrip,
    withRoundTrip,
    whole,
  };
}

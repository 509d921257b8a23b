/** The process of the `overload` benchmark with the node that is measured: composed and bounded as the program does it. */
import { openChain } from '#chain';
import type { StarlingNode } from '#node';
import { assert } from '#util';
import { limitHeapGrowth } from '../../src/cli/heap-growth.ts';
import { cpuMs, nowMs } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { loopDelays, resetLoopDelays } from './loop-delay.ts';
import { DB_CACHE_BYTES, startNode } from './node.ts';
import { servePeer } from './peer-process.ts';
import { usageOf } from './process-usage.ts';
import { buildRelayChain } from './relay-chain.ts';

export type NodeOrder = {
  readonly datadir: string;
  /** Of the chain, as all processes make it. */
  readonly coins: number;
  readonly peers: readonly string[];
};

export type NodeState = {
  readonly height: number;
  readonly isAtTip: boolean;
  /** Unix milliseconds. */
  readonly peersSince: readonly number[];
  readonly mempool: number;
  /** Transactions that entered the mempool, since the start. */
  readonly taken: number;
  readonly gossipReceived: number;
  readonly gossipFresh: number;
  readonly gossipDropped: number;
  readonly refusedBusy: number;
  readonly withoutRoundTrip: number;
  readonly withRoundTrip: number;
  readonly whole: number;
  readonly bytesIn: number;
};

let node: StarlingNode | undefined;
const entered = new Set<string>();
let connectedAtMs = 0;

limitHeapGrowth();

servePeer(
  {
    fill,
    start: async ({ datadir, peers }: NodeOrder): Promise<void> => {
      // Peers that found it by the DHT would replace its calls by theirs, and drop what exceeds their own targets.
      const links = { connect: [], bootstrap: peers, isListening: false } as const;
      node = await startNode({ network: 'regtest', datadir, trickleMs: 'default', ...links });
      node.onTransaction(({ txid }) => entered.add(txid));
    },
    state: async (): Promise<NodeState> => {
      assert(node !== undefined, 'started before');
      const { tip, sync, net, mempool, announcedBlocks } = await node.status();
      return {
        height: tip.height,
        isAtTip: sync.phase === 'at-tip',
        peersSince: net.peers.map(({ connectedAt }) => connectedAt),
        mempool: mempool.count,
        taken: entered.size,
        gossipReceived: net.gossip.received,
        gossipFresh: net.gossip.fresh,
        gossipDropped: net.gossip.dropped,
        refusedBusy: mempool.refusedBusy,
        ...announcedBlocks,
        bytesIn: net.bytesIn,
      };
    },
    /** The tip that is waited for from now on: `connectedAt` says when it was there, 0 for not yet. */
    expect: (height: number) => {
      connectedAtMs = 0;
      const stop = node?.onTip((tip) => {
        if (tip.height < height) return;
        connectedAtMs = nowMs();
        stop?.();
      });
    },
    /** How many of them were never in the mempool. */
    neverTaken: (txids: readonly string[]): number => txids.filter((txid) => !entered.has(txid)).length,
    connectedAt: () => connectedAtMs,
    resetLoopDelays,
    loopDelays,
    cpuMs,
    peakMemoryMb: () => usageOf('self').peakMemoryMb,
  },
  async () => node?.[Symbol.asyncDispose](),
);

/** Makes the chain. In a process of its own: what that takes is not the node's memory. */
async function fill({ datadir, coins }: NodeOrder): Promise<void> {
  await using chain = await openChain({ params: regtestParams(), datadir, dbCacheBytes: DB_CACHE_BYTES });
  for (const block of buildRelayChain(coins).blocks) await chain.submitBlock(block);
}

/** A process of the `relay` benchmark: several whole nodes, each with libp2p in this thread. */
import { join } from 'node:path';
import { openChain } from '#chain';
import type { StarlingNode } from '#node';
import type { Transaction } from '#primitives';
import { assert } from '#util';
import { cpuMs } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { DB_CACHE_BYTES, listenAddress, startNode } from './node.ts';
import { servePeer } from './peer-process.ts';
import { usageOf } from './process-usage.ts';
import { buildRelayChain, type RelayChain } from './relay-chain.ts';

/** `connect`: by node, whom it calls; those of this process by their place in it, as `#1`. */
export type StartOrder = { readonly datadir: string; readonly connect: readonly (readonly string[])[] };
export type Batch = {
  /** Payments to take from the chain; the first `known` of them are spread, the rest only the miner has. */
  readonly count: number;
  readonly known: number;
};
export type Traffic = { readonly bytesIn: number; readonly bytesOut: number };

/** The channel between processes knows no NaN. */
const NOT_YET = -1;

let chain: RelayChain | undefined;
let batch: Transaction[] = [];
let nodes: StarlingNode[] = [];
let connected: { readonly height: number; readonly atMs: number[] } | undefined;

/** The same clock in all processes of this machine. */
const nowMs = (): number => performance.timeOrigin + performance.now();

servePeer(
  {
    /** Builds the chain, of which so many payments can be taken. */
    build: (payments: number) => {
      chain = buildRelayChain(payments);
    },
    /** Starts the nodes one after another and gives their addresses. */
    start: async ({ datadir, connect }: StartOrder): Promise<string[]> => {
      const addresses: string[] = [];
      for (const [at, peers] of connect.entries()) {
        const own = join(datadir, String(at));
        await fill(own);
        const called = peers.map((peer) => (peer.startsWith('#') ? (addresses[Number(peer.slice(1))] ?? '') : peer));
        const node = await startNode({ network: 'regtest', datadir: own, connect: called, netThread: 'main' });
        nodes.push(node);
        addresses.push(await listenAddress(node));
      }
      return addresses;
    },
    /** Every process takes the same batches in the same order. */
    take: ({ count }: Batch) => {
      assert(chain !== undefined, 'built before');
      batch = chain.takePayments(count);
    },
    /** Hands a run of the batch's transactions to the nodes in turns. */
    submit: async ({ from, to }: { readonly from: number; readonly to: number }) => {
      for (const [at, tx] of batch.slice(from, to).entries()) {
        const verdict = await nodes[at % nodes.length]?.submitTransaction(tx.raw);
        assert(verdict?.kind === 'accepted' || verdict?.kind === 'duplicate', JSON.stringify(verdict));
      }
    },
    /** The least that one of the nodes has in its mempool. */
    leastInMempool: async () =>
      Math.min(...(await Promise.all(nodes.map(async (node) => (await node.status()).mempool.count)))),
    height: () => nodes[0]?.chain.tip().height,
    allSynced: async () =>
      (await Promise.all(nodes.map((node) => node.status()))).every(({ sync }) => sync.phase === 'at-tip'),
    traffic: () =>
      Promise.all(
        nodes.map(async (node): Promise<Traffic> => {
          const { bytesIn, bytesOut } = (await node.status()).net;
          return { bytesIn, bytesOut };
        }),
      ),
    /** The tip that is waited for from now on. */
    expect: (height: number) => {
      const atMs = Array.from({ length: nodes.length }, () => NOT_YET);
      connected = { height, atMs };
      for (const [at, node] of nodes.entries()) {
        const stop = node.onTip((tip) => {
          if (tip.height < height) return;
          atMs[at] = nowMs();
          stop();
        });
      }
    },
    /** Mines all of the batch; the first node of this process announces it. Gives when, and the bytes of the block. */
    mine: async () => {
      const block = mined();
      const atMs = nowMs();
      const verdict = await nodes[0]?.submitBlock(block.raw);
      assert(verdict?.kind === 'accepted', JSON.stringify(verdict));
      return { atMs, bytes: block.size };
    },
    /** The others only keep their chains equal. */
    follow: () => {
      mined();
    },
    connectedAt: () => connected?.atMs ?? [],
    cpuMs,
    peakMemoryMb: () => usageOf('self').peakMemoryMb,
  },
  async () => {
    for (const node of nodes) await node[Symbol.asyncDispose]();
    nodes = [];
  },
);

function mined() {
  assert(chain !== undefined, 'built before');
  return chain.mine(batch);
}

async function fill(datadir: string): Promise<void> {
  await using opened = await openChain({ params: regtestParams(), datadir, dbCacheBytes: DB_CACHE_BYTES });
  for (const block of chain?.blocks ?? []) await opened.submitBlock(block);
}

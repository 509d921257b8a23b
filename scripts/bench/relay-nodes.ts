/** A process of the `relay` benchmark: several whole nodes, and the payments of the batch that is under way. */
import type { Transaction } from '#primitives';
import { assert, seededRandom } from '#util';
import { nowMs } from './benchmark.ts';
import { servePeer } from './peer-process.ts';
import { buildRelayChain, type RelayChain, type Shape } from './relay-chain.ts';
import { RelayGroup } from './relay-group.ts';
import { countStreamBytes } from './stream-bytes.ts';

export type BuildOrder = { readonly payments: number; readonly shape: Shape };
export type ApartOrder = {
  /** Place of this process's first node among all. */
  readonly firstNode: number;
  /** Of the batch, what a node does not get: a random choice of its own. The first of all nodes, which mines, gets all. */
  readonly unknownShare: number;
};
export type MineOrder = {
  readonly isMiner: boolean;
};
export type Mined = { readonly atMs: number; readonly bytes: number };

let chain: RelayChain | undefined;
let shape: Shape | undefined;
let batch: Transaction[] = [];

const streamBytes = await countStreamBytes();
const group = new RelayGroup(() => chain?.blocks ?? []);

servePeer(
  {
    ...group.functions,
    streamBytes,
    /** Builds the chain, of which so many payments can be taken. */
    build: (order: BuildOrder) => {
      shape = order.shape;
      chain = buildRelayChain(order.payments * order.shape.inputs);
    },
    /** Every process takes the same batches in the same order. Gives the bytes of all. */
    take: (count: number): number => {
      assert(chain !== undefined && shape !== undefined, 'built before');
      const { pay } = chain;
      const each = shape;
      batch = Array.from({ length: count }, () => pay(each));
      return batch.reduce((sum, tx) => sum + tx.size, 0);
    },
    /** Hands a run of the batch's transactions to the nodes in turns. */
    submit: async ({ from, to }: { readonly from: number; readonly to: number }) => {
      for (const [at, tx] of batch.slice(from, to).entries()) await give(at % group.nodes.length, tx, true);
    },
    /** Gives each node its part of the batch, and nobody tells anybody. For each node the bytes that it lacks. */
    submitApart: ({ firstNode, unknownShare }: ApartOrder): Promise<number[]> =>
      Promise.all(
        group.nodes.map(async (_, at) => {
          const unknown = firstNode + at === 0 ? [] : choose(batch, unknownShare, firstNode + at);
          const lacks = new Set(unknown);
          for (const tx of batch) if (!lacks.has(tx)) await give(at, tx, false);
          return unknown.reduce((sum, tx) => sum + tx.size, 0);
        }),
      ),
    /** Every process makes the next block, so that their chains stay equal; a node of the miner's announces it. */
    mineOrFollow: async ({ isMiner }: MineOrder): Promise<Mined | undefined> => {
      assert(chain !== undefined, 'built before');
      const block = chain.mine(batch);
      if (!isMiner) return undefined;
      const atMs = nowMs();
      const verdict = await group.nodes[0]?.submitBlock(block.raw);
      assert(verdict?.kind === 'accepted', JSON.stringify(verdict));
      return { atMs, bytes: block.size };
    },
  },
  () => group.end(),
);

async function give(at: number, tx: Transaction, announce: boolean): Promise<void> {
  const verdict = await group.nodes[at]?.submitTransaction(tx.raw, { announce });
  assert(verdict?.kind === 'accepted' || verdict?.kind === 'duplicate', JSON.stringify(verdict));
}

/** So many of them, by chance, the same for the same seed. */
function choose<T>(from: readonly T[], share: number, seed: number): T[] {
  const random = seededRandom(seed);
  const left = [...from];
  return Array.from({ length: Math.round(share * from.length) }, () =>
    left.splice(random.below(left.length), 1),
  ).flat();
}

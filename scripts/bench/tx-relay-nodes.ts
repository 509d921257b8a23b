/** A process of the `tx-relay` benchmark: several whole nodes; what is offered to them when, and when they have it. */
import type { Transaction, Wtxid } from '#primitives';
import { assert } from '#util';
import { nowMs } from './benchmark.ts';
import { offerEvenly } from './offer.ts';
import { servePeer } from './peer-process.ts';
import { buildRelayChain, PAYMENT, type RelayChain, type Shape } from './relay-chain.ts';
import { RelayGroup } from './relay-group.ts';
import { mixedShape } from './tx-mix.ts';

export type MixName = 'mixed' | 'payments';
export type Batch = { readonly mix: MixName; readonly count: number };
export type BatchSize = { readonly bytes: number; readonly above1kB: number; readonly above10kB: number };
export type OfferOrder = {
  readonly startMs: number;
  /** Of all processes together. */
  readonly perSecond: number;
  /** This process is number `process` of so many: transaction k is offered by process k modulo that. */
  readonly process: number;
  readonly processes: number;
};
/** By the place in the batch: when it was offered, 0 for those of other processes; when each node had it, 0 for not yet. */
export type Times = { readonly offeredMs: readonly number[]; readonly arrivedMs: readonly (readonly number[])[] };

const SHAPES: Readonly<Record<MixName, (n: number) => Shape>> = { mixed: mixedShape, payments: () => PAYMENT };

let chain: RelayChain | undefined;
let batch: readonly Transaction[] = [];
let places: ReadonlyMap<Wtxid, number> = new Map();
let offeredMs: number[] = [];
let arrivedMs: number[][] = [];
let failure: string | undefined;

const group = new RelayGroup(() => chain?.blocks ?? []);

servePeer(
  {
    ...group.functions,
    build: (coins: number) => {
      chain = buildRelayChain(coins);
    },
    /** To be called once, when the nodes run. */
    watch: () => {
      for (const [node, each] of group.nodes.entries()) {
        each.onTransaction(({ wtxid }) => {
          const place = places.get(wtxid);
          const times = arrivedMs[node];
          if (place !== undefined && times !== undefined) times[place] = nowMs();
        });
      }
    },
    /** Every process takes the same batches in the same order. */
    take: ({ mix, count }: Batch): BatchSize => {
      assert(chain !== undefined, 'built before');
      const { pay } = chain;
      batch = Array.from({ length: count }, (_, n) => pay(SHAPES[mix](n)));
      places = new Map(batch.map(({ wtxid }, place) => [wtxid, place]));
      offeredMs = batch.map(() => 0);
      arrivedMs = group.nodes.map(() => batch.map(() => 0));
      const above = (bytes: number): number => batch.filter(({ size }) => size > bytes).length;
      return {
        bytes: batch.reduce((sum, { size }) => sum + size, 0),
        above1kB: above(1_000),
        above10kB: above(10_000),
      };
    },
    /** Submits this process's transactions, each when it is due, to its nodes in turns. */
    offer: async ({ startMs, perSecond, process, processes }: OfferOrder) => {
      const own = batch.map((tx, place) => ({ tx, place })).filter(({ place }) => place % processes === process);
      const pace = { perSecond: perSecond / processes, startMs: startMs + (1000 * process) / perSecond };
      await offerEvenly({ ...pace, count: own.length }, (index) => {
        const next = own[index];
        if (next !== undefined) void submit(index, next.tx, next.place);
      });
    },
    /** How many (transaction, node) are there; fails if a node refused what it was offered. */
    arrived: (): number => {
      assert(failure === undefined, failure ?? '');
      return arrivedMs.reduce((sum, times) => sum + times.filter((at) => at > 0).length, 0);
    },
    times: (): Times => ({ offeredMs, arrivedMs }),
  },
  () => group.end(),
);

async function submit(turn: number, tx: Transaction, place: number): Promise<void> {
  offeredMs[place] = nowMs();
  const verdict = await group.nodes[turn % group.nodes.length]?.submitTransaction(tx.raw);
  if (verdict?.kind !== 'accepted') failure ??= `transaction ${place} was refused: ${JSON.stringify(verdict)}`;
}

/**
 * A process of the `overload` benchmark: peers that offer payments signed beforehand, and serve them. They check nothing
 * and keep nothing that they are told, so that the machine is left to the node that is measured.
 */
import { type Chain, openChain } from '#chain';
import { type Block, Transaction, type Txid, type Wtxid } from '#primitives';
import { buildCompactBlock, topics, txMessageFor } from '#protocol';
import { assert } from '#util';
import { type ServingPeer, startServingPeer } from '../../test/support/serving-peer.ts';
import { cpuMs, nowMs } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { offerEvenly } from './offer.ts';
import { servePeer } from './peer-process.ts';
import { buildRelayChain, PAYMENT, type RelayChain } from './relay-chain.ts';

export type Form = 'whole' | 'entry';
export type PeersOrder = {
  readonly datadir: string;
  /** Of the chain, as all processes make it; those in front are other processes'. */
  readonly coins: number;
  readonly skippedCoins: number;
  readonly payments: number;
  readonly peers: number;
};
export type OfferOrder = {
  readonly startMs: number;
  readonly perSecond: number;
  readonly from: number;
  readonly to: number;
  readonly form: Form;
};
export type Announced = { readonly atMs: number; readonly txids: readonly string[] };
export type Offered = { readonly spanMs: number; readonly sentToNobody: number };

/** What the payments pay is of no concern here: an entry may say anything. */
const FEE = 10_000n;
const NONCE = 1n;

let chain: Chain | undefined;
let made: RelayChain | undefined;
/** Bytes only: decoded, a hundred thousand would take most of the memory. */
let payments: readonly Uint8Array[] = [];
const byId = new Map<Txid | Wtxid, Uint8Array>();
const peers: ServingPeer[] = [];

const mempool = {
  get: (id: Txid | Wtxid): { readonly raw: Uint8Array } | undefined => {
    const raw = byId.get(id);
    return raw === undefined ? undefined : { raw };
  },
  entries: () => [],
};

servePeer(
  {
    /** Makes chain and payments, and starts the peers. Gives their addresses. */
    start: async ({ datadir, coins, skippedCoins, ...order }: PeersOrder): Promise<string[]> => {
      const built = buildRelayChain(coins);
      made = built;
      chain = await openChain({ params: regtestParams(), datadir, dbCacheBytes: 16 << 20 });
      for (const block of built.blocks) await chain.submitBlock(block);
      built.skip(skippedCoins);
      const all = Array.from({ length: order.payments }, () => built.pay(PAYMENT));
      for (const tx of all) byId.set(tx.txid, tx.raw).set(tx.wtxid, tx.raw);
      payments = all.map(({ raw }) => raw);
      for (let i = 0; i < order.peers; i++) {
        // One link, to the node: what they said to each other would be no load.
        peers.push(await startServingPeer(chain, { mempool, maxPeers: 1 }));
      }
      return peers.map(({ address }) => address);
    },
    /** Offers a run of the payments at an even rate, each by the next peer. */
    offer: async ({ startMs, perSecond, from, to, form }: OfferOrder): Promise<Offered> => {
      const first = nowMs();
      let sentToNobody = 0;
      await offerEvenly({ startMs, perSecond, count: to - from }, (index) => {
        const raw = payments[from + index];
        const peer = peers[index % peers.length];
        assert(raw !== undefined && peer !== undefined, 'there are as many');
        void peer.net.publish('tx', messageOf(raw, form)).then((sent) => {
          if (sent === 0) sentToNobody += 1;
        });
      });
      return { spanMs: nowMs() - Math.max(first, startMs), sentToNobody };
    },
    /** The next block, of a run of the payments; the first peer announces it. */
    announceBlock: async ({ from, to }: { readonly from: number; readonly to: number }): Promise<Announced> => {
      const block = mine(payments.slice(from, to));
      assert((await chain?.submitBlock(block))?.kind === 'connected', 'the block is valid');
      const atMs = nowMs();
      await peers[0]?.net.publish('block', topics.block.codec.encode(buildCompactBlock(block, NONCE)));
      return { atMs, txids: block.transactions.slice(1).map(({ txid }) => txid) };
    },
    cpuMs,
  },
  async () => {
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()));
    await chain?.[Symbol.asyncDispose]();
  },
);

function messageOf(raw: Uint8Array, form: Form): Uint8Array {
  return topics.tx.codec.encode(txMessageFor(Transaction.fromBytes(raw), FEE, form));
}

function mine(raws: readonly Uint8Array[]): Block {
  assert(made !== undefined, 'started before');
  return made.mine(raws.map((raw) => Transaction.fromBytes(raw)));
}

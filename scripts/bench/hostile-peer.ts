/** A process of the `hostile` benchmark: peers that share one chain and answer it well, badly, or not at all. */
import { type Chain, openChain } from '#chain';
import {
  corrupting,
  corruptTransaction,
  type ServingPeer,
  silentAfter,
  startServingPeer,
  type Twist,
} from '../../test/support/serving-peer.ts';
import { cpuMs } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { servePeer } from './peer-process.ts';

export type PeerKind = 'good' | 'silent' | 'corrupter';
export type PeersOrder = { readonly datadir: string; readonly kind: PeerKind; readonly count: number };
export type Address = Pick<ServingPeer, 'id' | 'address'>;

/** How many blocks the silent peer serves before. */
const SILENT_AFTER_BLOCKS = 10;
const DB_CACHE_BYTES = 16 << 20;

let chain: Chain | undefined;
const peers: ServingPeer[] = [];

const twists: Readonly<Record<PeerKind, () => Twist>> = {
  good: () => (honest) => honest,
  silent: () => silentAfter(SILENT_AFTER_BLOCKS),
  corrupter: () => corrupting(corruptTransaction),
};

servePeer(
  {
    /** Starts so many peers of the kind. */
    start: async ({ datadir, kind, count }: PeersOrder): Promise<Address[]> => {
      chain = await openChain({ params: regtestParams(), datadir, dbCacheBytes: DB_CACHE_BYTES });
      for (let i = 0; i < count; i++) peers.push(await startServingPeer(chain, { twist: twists[kind]() }));
      return peers.map(({ id, address }) => ({ id, address }));
    },
    cpuMs,
  },
  async () => {
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()));
    await chain?.[Symbol.asyncDispose]();
  },
);

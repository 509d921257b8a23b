/** One syncing node over the fake chain, with simulated peers. */
import type { Block } from '#primitives';
import { createSync, type HeaderOptions, type Sync, type SyncOptions, syncDefaults } from '#sync';
import { nullLogger, seededRandom } from '#util';
import { createFakeChain, type FakeChain, fakeGenesis } from '../../support/fake-chain.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { SimNetwork, type SimPeer, type SimPeerOptions } from '../../support/sim-peers.ts';

export type Bench = {
  readonly clock: ManualClock;
  readonly chain: FakeChain;
  readonly net: SimNetwork;
  readonly sync: Sync;
  readonly fatal: unknown[];
  /** Adds a peer and says its hello. */
  readonly join: (
    id: string,
    options: Omit<SimPeerOptions, 'chain'> & { readonly blocks: readonly Block[] },
  ) => SimPeer;
  readonly leave: (id: string) => void;
  /** Runs until the tip is `block`. */
  readonly reach: (block: Block | undefined, limitMs?: number) => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export type BenchOptions = {
  readonly seed?: number;
  readonly chain?: FakeChain;
  readonly maxHeaders?: number;
  readonly headers?: Partial<HeaderOptions>;
  readonly sync?: Partial<SyncOptions>;
};

export function createBench({
  seed = 1,
  maxHeaders = 2000,
  chain = createFakeChain(),
  headers: headerOptions = {},
  sync: options = {},
}: BenchOptions = {}): Bench {
  const clock = createManualClock(1_700_000_000_000);
  const net = new SimNetwork({ clock, random: seededRandom(seed), maxHeaders });
  const fatal: unknown[] = [];
  const headers = { ...syncDefaults.headers, maxHeadersPerRequest: maxHeaders, ...headerOptions };
  const sync = createSync(
    {
      ...net.deps(),
      chain,
      fatal: (error) => fatal.push(error),
      clock,
      random: seededRandom(seed + 1),
      log: nullLogger,
    },
    { headers, ...options },
  );
  return {
    clock,
    chain,
    net,
    sync,
    fatal,
    join: (id, { blocks, ...rest }) => {
      const peer = net.add(id, { ...rest, chain: [fakeGenesis, ...blocks] });
      sync.peerReady(id, net.hello(peer));
      return peer;
    },
    leave: (id) => {
      const peer = net.peers.get(id);
      if (peer !== undefined) peer.isConnected = false;
      sync.peerGone(id);
    },
    reach: async (block, limitMs) => {
      await clock.runUntil(() => fatal.length > 0 || chain.tip().hash === block?.hash, limitMs);
      if (fatal.length > 0) throw fatal[0];
    },
    [Symbol.asyncDispose]: async () => sync[Symbol.asyncDispose](),
  };
}

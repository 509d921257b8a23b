/**
 * A peer that serves a chain over the real network and does nothing else by itself: it says hello and answers as a node
 * does, without sync or a mempool of its own. What gossip brings goes to the test. Many may share one chain. What it answers
 * can be twisted at the port of the network, so that everything below (streams, framing, quotas) stays real.
 */
import type { ChainReader } from '#chain';
import { createNet, type Net, type NetHandlers } from '#net';
import { Block } from '#primitives';
import { networkId } from '#protocol';
import { nullLogger, systemClock, systemRandom } from '#util';
import { CompactForms } from '../../src/node/compact-forms.ts';
import { createLateNet } from '../../src/node/late-net.ts';
import { Peers } from '../../src/node/peers.ts';
import { createRequests } from '../../src/node/requests.ts';
import { createServe, type Serve, type ServeDeps } from '../../src/node/serve.ts';
import { UploadTarget } from '../../src/node/upload-target.ts';

/** Makes of honest answers what this peer answers. */
export type Twist = (honest: Serve) => Serve;

export type ServingPeer = AsyncDisposable & {
  readonly id: string;
  /** The multiaddr with peer id that others dial. */
  readonly address: string;
  readonly net: Net;
};

export type ServingOptions = {
  readonly twist?: Twist;
  /** Of all that it is asked for; 64 when left out. */
  readonly maxPeers?: number;
  /** Multiaddrs of nodes that it stays connected with. */
  readonly connect?: readonly string[];
  /** Hears gossip; all is ignored when left out. */
  readonly gossip?: NetHandlers['gossip'];
  /** Transactions that it serves; none when left out. Its hello then says that it wants some. */
  readonly mempool?: ServeDeps['mempool'];
};

const NO_MEMPOOL: NonNullable<ServingOptions['mempool']> = { get: () => undefined, entries: () => [].values() };

export async function startServingPeer(chain: ChainReader, options: ServingOptions = {}): Promise<ServingPeer> {
  const {
    twist = (honest) => honest,
    maxPeers = 64,
    connect = [],
    gossip = async () => 'ignore',
    mempool = NO_MEMPOOL,
  } = options;
  const deps = { clock: systemClock, random: systemRandom, log: nullLogger };
  const lateNet = createLateNet();
  const peers = new Peers({
    ...deps,
    chain,
    net: lateNet.calls,
    requests: createRequests(lateNet.calls),
    sync: { peerReady: () => {}, peerUpdated: () => {}, peerGone: () => {} },
    nonce: Buffer.from(systemRandom.bytes(8)).readBigUInt64LE(),
    userAgent: '/serving-peer/',
    wantsTransactions: () => mempool !== NO_MEMPOOL,
    feeFilterSatPerKvb: () => 0n,
  });
  const serve = createServe({
    chain,
    mempool,
    announcer: { isWaiting: () => false },
    hello: (peer, theirs) => peers.received(peer, theirs),
    rebuilt: async () => undefined,
    forms: new CompactForms({ random: systemRandom, prefills: true }),
    upload: new UploadTarget(0, systemClock),
    isManual: () => false,
    isBlockOnly: () => false,
    undecodable: (peer, detail) => lateNet.calls.charge(peer, 'undecodable-message', detail),
  });
  const net = await createNet(
    {
      network: networkId(chain.params.genesis.hash),
      dataDir: undefined,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: [],
      seeds: [],
      connect,
      maxPeers,
      targetOutbound: 0,
      userAgent: '/serving-peer/',
    },
    {
      peerConnected: (info) => lateNet.whenStarted(() => peers.connected(info)),
      peerDisconnected: (id, reason) => lateNet.whenStarted(() => peers.disconnected(id, reason)),
      serve: twist(serve),
      gossip,
    },
    deps,
  );
  lateNet.start(net);
  return {
    id: net.peerId,
    net,
    address: (await net.status()).listenAddresses[0] ?? '',
    [Symbol.asyncDispose]: async () => {
      peers.close();
      await net[Symbol.asyncDispose]();
    },
  };
}

/** Serves so many blocks to each who asks, and then answers him nothing any more; the connection stays. */
export function silentAfter(blocks: number): Twist {
  const served = new Map<string, number>();
  return (honest) =>
    async function* (name, from, request, signal) {
      for await (const frame of honest(name, from, request, signal)) {
        const count = served.get(from) ?? 0;
        if (count === blocks) return await aborted(signal);
        if (name === 'blocks') served.set(from, count + 1);
        yield frame;
      }
    };
}

/** Serves every block with `corrupt` done to its bytes. */
export function corrupting(corrupt: (raw: Uint8Array) => Uint8Array): Twist {
  return (honest) =>
    async function* (name, from, request, signal) {
      for await (const frame of honest(name, from, request, signal)) {
        const isBlock = name === 'blocks' && frame.status === 0;
        yield isBlock ? { status: 0, payload: corrupt(frame.payload) } : frame;
      }
    };
}

/** Another transaction than the header's merkle root says: a bit of the last lock time, which ends the block. */
export function corruptTransaction(raw: Uint8Array): Uint8Array {
  return withFlippedBit(raw, raw.length - 1);
}

/** The same txids with another witness, so that only the coinbase's commitment (BIP141) tells; blocks without any are left alone. */
export function corruptWitness(raw: Uint8Array): Uint8Array {
  const witness = Block.fromBytes(raw).transactions.at(-1)?.inputs.at(-1)?.witness.at(-1);
  // The last witness item ends where the lock time begins.
  return witness === undefined || witness.length === 0 ? raw : withFlippedBit(raw, raw.length - 5);
}

function withFlippedBit(raw: Uint8Array, index: number): Uint8Array {
  const copy = Uint8Array.from(raw);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** A libp2p node without any of our protection, for tests that misbehave or that show what the libraries do. */
import assert from 'node:assert/strict';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { type GossipSub, type GossipSubComponents, type GossipsubOpts, gossipsub } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import type { Connection, Libp2p, PrivateKey, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { protocolId, type StreamName } from '#protocol';
import { NETWORK } from './net-support.ts';

export type RawSetup = {
  /** Default: that of the tests of `net`. */
  readonly network: string;
  readonly identify: boolean;
  /** The address that it calls from; by default the system's choice. */
  readonly from: string | undefined;
  /** Default: one of its own. */
  readonly key: PrivateKey;
  readonly gossip: Partial<GossipsubOpts> | undefined;
  /** What it answers streams of ours with; a name that is missing is not spoken. */
  readonly handlers: Partial<Record<StreamName, (stream: Stream) => Promise<void>>>;
};

export type RawPeer = AsyncDisposable & {
  readonly host: Libp2p;
  readonly id: string;
  readonly key: PrivateKey;
  readonly pubsub: GossipSub;
  readonly address: string;
  /** Connects without asking anybody. */
  readonly dial: (address: string) => Promise<Connection>;
  /** A negotiated stream of ours on the connection. */
  readonly open: (connection: Connection, name: StreamName) => Promise<Stream>;
};

export async function startRawPeer(setup: Partial<RawSetup> = {}): Promise<RawPeer> {
  const { gossip, network = NETWORK } = setup;
  let pubsub: GossipSub | undefined;
  // An option of net.connect that libp2p passes on without knowing it.
  const dialOpts: object = setup.from === undefined ? {} : { localAddress: setup.from };
  const { key = await generateKeyPair('Ed25519') } = setup;
  const host = await createLibp2p({
    start: false,
    privateKey: key,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp({ dialOpts })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    // It would hang up on who is busy, by the wall clock.
    connectionMonitor: { enabled: false },
    services: {
      ...(setup.identify === false ? {} : { identify: identify() }),
      ...(gossip === undefined
        ? {}
        : {
            pubsub: (components: GossipSubComponents) => {
              pubsub = gossipsub(gossip)(components);
              return pubsub;
            },
          }),
    },
  });
  for (const [name, handler] of Object.entries(setup.handlers ?? { hello: async () => {} })) {
    await host.handle(protocolId(network, name as StreamName), handler);
  }
  await host.start();
  return {
    host,
    id: host.peerId.toString(),
    key,
    get pubsub() {
      assert(pubsub !== undefined, 'started without gossip');
      return pubsub;
    },
    address: host.getMultiaddrs()[0]?.toString() ?? '',
    dial: (address) => host.dial(multiaddr(address)),
    open: (connection, name) => connection.newStream(protocolId(network, name)),
    [Symbol.asyncDispose]: async () => host.stop(),
  };
}

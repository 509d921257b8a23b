/**
 * The libp2p node: TCP, Noise, Yamux, identify, ping, our own DHT and gossipsub, with limits. Built here and nowhere
 * else; replacing a transport, encrypter or muxer is one line. Every figure that differs from libp2p's default has
 * its reason in the module's README.
 */
import { noise } from '@chainsafe/libp2p-noise';
import { type GossipSub, type GossipsubOpts, gossipsub } from '@libp2p/gossipsub';
import { type Identify, identify } from '@libp2p/identify';
import type { ConnectionGater, Libp2p, Metrics, PrivateKey } from '@libp2p/interface';
import { type KadDHT, passthroughMapper, removePrivateAddressesMapper } from '@libp2p/kad-dht';
import { type Ping, ping } from '@libp2p/ping';
import { createLibp2p } from 'libp2p';
import { dhtProtocol } from '#protocol';
import { errorText, type Logger, NodeError, nullLogger, type Random } from '#util';
import { hasPublicAddress } from './addresses.ts';
import { BoundedDatastore } from './bounded-datastore.ts';
import { boundedDht } from './bounded-dht.ts';
import { BY_RELAYS } from './by-relays.ts';
import { libp2pLogger } from './libp2p-log.ts';
import { Muxers } from './muxer.ts';
import { noiseCrypto } from './noise-crypto.ts';
import type { CompleteNetOptions } from './options.ts';
import type { ConnectionProtector } from './psk.ts';
import { type ReachParts, reachServices } from './reach-services.ts';
import type { Reachability } from './reachability.ts';
import { type Charge, ServiceMeter } from './service-meter.ts';
import { makeTransports } from './transports/all.ts';
import { SharedPort } from './transports/shared-port.ts';

const DAY_MS = 24 * 3_600_000;
/** The receive window of one stream at most. Must stay below READ_BUFFER_BYTES, or a paused stream is reset. */
const STREAM_WINDOW_BYTES = 1 << 20;
const READ_BUFFER_BYTES = 4 << 20;
const WRITE_BUFFER_BYTES = 32 << 20;
/** All rows, gossip, DHT and pings of an honest peer together stay below half of it. */
const STREAMS_PER_CONNECTION = 64;
const PING_STREAMS = 8;
/** libp2p must never be the one who counts connections: it would refuse or prune by rules of its own. */
const CONNECTION_MARGIN = 64;

export type HostServices = {
  readonly identify: Identify;
  readonly ping: Ping;
  readonly pubsub: GossipSub;
  readonly dht: KadDHT;
  readonly reachability: Reachability;
};

export type Host = Libp2p<HostServices & Record<string, unknown>>;

export type HostParts = Omit<ReachParts, 'meter' | 'sharedPort'> & {
  readonly key: PrivateKey;
  readonly gater: ConnectionGater;
  readonly gossip: Partial<GossipsubOpts>;
  /** Of a private network. */
  readonly protector: ConnectionProtector | undefined;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly charge: Charge;
};

/** A node that is not started: handlers are registered first, so that identify tells of all of them. */
export async function createHost(options: CompleteNetOptions, parts: HostParts): Promise<Host> {
  const { tuning } = options;
  const muxers = new Muxers(parts.clock);
  const meter = new ServiceMeter(parts.clock, parts.charge);
  const sharedPort = new SharedPort(parts.clock, () => host.services.reachability.state() !== 'direct');
  const host = await createLibp2p<HostServices & Record<string, unknown>>({
    start: false,
    privateKey: parts.key,
    datastore: new BoundedDatastore(),
    peerStore: { maxAddressAge: 14 * DAY_MS, maxPeerAge: 30 * DAY_MS },
    nodeInfo: { name: 'starling', version: '1', userAgent: options.userAgent },
    metrics: () => parts.metrics,
    logger: libp2pLogger(parts.log, parts.clock),
    addresses: {
      listen: options.listen.filter((text) => text !== BY_RELAYS),
      appendAnnounce: [...options.reach.announce],
      announceFilter: (addresses) =>
        options.allowPrivateAddresses ? addresses : addresses.filter((address) => hasPublicAddress(address)),
    },
    transports: makeTransports(options, { ...parts, sharedPort }),
    ...(parts.protector === undefined ? {} : { connectionProtector: parts.protector }),
    connectionEncrypters: [noise({ crypto: noiseCrypto })],
    streamMuxers: [
      muxers.factory({
        maxInboundStreams: STREAMS_PER_CONNECTION,
        maxOutboundStreams: STREAMS_PER_CONNECTION,
        // Never initialStreamWindowSize: both ends assume the same one.
        streamOptions: {
          maxStreamWindowSize: STREAM_WINDOW_BYTES,
          maxReadBufferLength: READ_BUFFER_BYTES,
          maxWriteBufferLength: WRITE_BUFFER_BYTES,
        },
      }),
    ],
    connectionGater: parts.gater,
    connectionManager: {
      maxConnections: 2 * options.maxPeers + CONNECTION_MARGIN,
      maxParallelDials: 16,
      maxDialQueueLength: 200,
      maxPeerAddrsToDial: 4,
      dialTimeout: 2 * tuning.dialTimeoutMs,
      addressDialTimeout: tuning.dialTimeoutMs,
      inboundUpgradeTimeout: tuning.inboundUpgradeTimeoutMs,
      // A host's share is the gater's to give: libp2p's five a second would hit many nodes behind one address.
      inboundConnectionThreshold: 1_000,
      // All handshakes together are bounded there too: libp2p would refuse whoever comes later.
      maxIncomingPendingConnections: 1_000,
      inboundStreamProtocolNegotiationTimeout: tuning.streamNegotiationTimeoutMs,
      outboundStreamProtocolNegotiationTimeout: 10_000,
      reconnectRetries: 0,
      // A /dnsaddr would be looked up by the system; a proxy has no way to ask for its records.
      ...(options.reach.proxy === undefined ? {} : { resolvers: {} }),
    },
    connectionMonitor: { pingInterval: tuning.pingIntervalMs, pingTimeout: { minTimeout: tuning.pingTimeoutMs } },
    services: {
      ...reachServices(options, { ...parts, meter, sharedPort }),
      identify: meter.metered('identify', identify()),
      // The connection monitor and the DHT ping at the same time; by default the second one breaks the limit of one
      // stream, and the monitor then takes the peer for dead.
      ping: meter.metered('ping', ping({ maxInboundStreams: PING_STREAMS, maxOutboundStreams: PING_STREAMS })),
      pubsub: gossipsub(parts.gossip),
      dht: boundedDht(
        {
          protocol: dhtProtocol(options.network),
          clientMode: false,
          peerInfoMapper: options.allowPrivateAddresses ? passthroughMapper : removePrivateAddressesMapper,
          initialQuerySelfInterval: 200,
          querySelfInterval: 60_000,
          maxInboundStreams: 8,
          maxOutboundStreams: 16,
        },
        meter,
      ),
    },
  });
  stopHeartbeatToo(host.services.pubsub);
  chargeFaults(host, muxers, parts.charge);
  return host;
}

/** To be called before anybody else listens: the peer is still known then, and with it its host. */
function chargeFaults(host: Host, muxers: Muxers, charge: HostParts['charge']): void {
  host.addEventListener('connection:close', ({ detail: connection }) => {
    const fault = muxers.faultOf(connection);
    if (fault !== undefined) charge(connection.remotePeer.toString(), fault.offence, fault.message);
  });
}

/** gossipsub's stop forgets to cancel its next heartbeat, which then keeps the process for a second. */
function stopHeartbeatToo(pubsub: GossipSub): void {
  const stop = property(pubsub, 'stop');
  if (typeof stop !== 'function') return;
  Reflect.set(pubsub, 'stop', async () => {
    const heartbeat = property(property(pubsub, 'status'), 'heartbeatTimeout');
    await stop.call(pubsub);
    if (heartbeat instanceof Object) clearTimeout(heartbeat as NodeJS.Timeout);
  });
}

/** Starts listening. Throws NodeError NETWORK with one line if an address cannot be used. */
export async function startHost(host: Host, listen: readonly string[]): Promise<void> {
  try {
    await host.start();
  } catch (error) {
    await stopHost(host, nullLogger);
    const isTaken = /EADDRINUSE/.test(deepText(error));
    const why = isTaken ? 'the address is in use' : errorText(error);
    throw new NodeError('NETWORK', `cannot listen on ${listen.join(', ')}: ${why}`, { cause: error });
  }
}

/** How long libp2p may take to say goodbye before connections are cut. */
const STOP_MS = 1_200;

/** Stops within STOP_MS and leaves no timer behind. Never throws. */
export async function stopHost(host: Host, log: Logger): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const cut = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      for (const connection of host.getConnections()) connection.abort(new Error('the node stops'));
      resolve();
    }, STOP_MS);
  });
  const stopping = Promise.resolve(host.stop()).catch((error: unknown) =>
    log.warn('libp2p did not stop in order', { error: errorText(error) }),
  );
  await Promise.race([stopping, cut]);
  clearTimeout(timer);
  // The address manager plans an update when its listeners have closed, a turn later, and has nobody to stop it.
  await new Promise((resolve) => setImmediate(resolve));
  const update = property(property(property(host, 'components'), 'addressManager'), '_updatePeerStoreAddresses');
  const cancel = property(update, 'stop');
  if (typeof cancel === 'function') cancel();
}

/** A property that libp2p has at run time but not in its types; undefined if it has gone. */
function property(owner: unknown, name: string): unknown {
  const isOwner = (typeof owner === 'object' && owner !== null) || typeof owner === 'function';
  try {
    // No `in`: libp2p's components are behind a proxy that answers only to reads, and throws for what it lacks.
    return isOwner ? Reflect.get(owner, name) : undefined;
  } catch {
    return undefined;
  }
}

function deepText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  const code = 'code' in error ? String(error.code) : '';
  return [error.message, code, ...inner.map(deepText), error.cause === undefined ? '' : deepText(error.cause)].join(
    ' ',
  );
}

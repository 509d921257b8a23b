/**
 * The services of libp2p by which a node is reached: AutoNAT v2 (which address others can dial), DCUtR (from a relayed
 * connection to a direct one), circuit relay, UPnP, multicast DNS. AutoNAT v1 is not used: in libp2p 3.3 its server
 * takes the connection that the request came on for the dial back, calls that a failure, and closes it.
 */
import { autoNATv2 } from '@libp2p/autonat-v2';
import { circuitRelayServer } from '@libp2p/circuit-relay-v2';
import { dcutr } from '@libp2p/dcutr';
import { identifyPush } from '@libp2p/identify';
import type { Connection, PeerId } from '@libp2p/interface';
import { uPnPNAT } from '@libp2p/upnp-nat';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Clock, Logger } from '#util';
import { type Gates, gated, override } from './gated.ts';
import type { LocalPeers } from './mdns.ts';
import { ObservedAddresses, type ObservedAddressesDeps } from './observed-addresses.ts';
import type { CompleteNetOptions } from './options.ts';
import { DIAL_REQUEST } from './peer-facts.ts';
import type { PeerIdText } from './port.ts';
import { Reachability } from './reachability.ts';
import type { ServiceMeter } from './service-meter.ts';
import { TokenBuckets } from './token-bucket.ts';
import type { SharedPort } from './transports/shared-port.ts';

type AutoNatComponents = Parameters<ReturnType<typeof autoNATv2>>[0];
type DcutrComponents = Parameters<ReturnType<typeof dcutr>>[0];
type ConnectionManager = DcutrComponents['connectionManager'];

/**
 * What a relay gives: 16 peers, four connections at once to each, of four MiB or ten minutes. All of it together is
 * below half a megabyte a second. Enough for hello, gossip and recent headers; blocks do not go over relays.
 */
const RELAY = {
  maxInboundHopStreams: 4,
  maxOutboundStopStreams: 4,
  reservations: {
    maxReservations: 16,
    defaultDurationLimit: 600_000,
    defaultDataLimit: 4n << 20n,
  },
};

export type ReachParts = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly local: LocalPeers;
  /** The relays that we have asked to be reached by. */
  readonly relays: Set<PeerIdText>;
  /** Whether a connection serves to try an address, and nothing else. */
  readonly isProbe: (connection: Connection) => boolean;
  readonly meter: ServiceMeter;
  readonly sharedPort: SharedPort;
};

export function reachServices(options: CompleteNetOptions, parts: ReachParts) {
  const { local, meter } = parts;
  const { listen, network, reach, tuning } = options;
  const { reachLookMs, relayPatienceMs } = tuning;
  type Components = ConstructorParameters<typeof Reachability>[0];
  return {
    reachability: (components: Components) =>
      new Reachability(components, parts, { listen, reachLookMs, relayPatienceMs }),
    // An address is verified some seconds after the first peers have asked who we are.
    identifyPush: meter.metered('identifyPush', identifyPush({ maxInboundStreams: 1, maxOutboundStreams: 1 })),
    // Both tell others our addresses or dial what others say: neither is for who hides behind a proxy.
    ...(reach.proxy === undefined ? { dcutr: punching(parts.sharedPort) } : {}),
    ...(reach.proxy === undefined && listen.length > 0 ? { autonat: quietly(autoNATv2(), parts) } : {}),
    ...(reach.isRelay ? { relay: circuitRelayServer(RELAY) } : {}),
    ...(reach.usesUpnp && listen.length > 0 ? { upnp: uPnPNAT() } : {}),
    ...(reach.usesMdns ? { mdns: local.service(network) } : {}),
  };
}

/** libp2p offers verified addresses alone. Between two routers nobody has one: what counts is where our calls come from. */
function punching(sharedPort: SharedPort) {
  const make = dcutr();
  return (components: DcutrComponents & Pick<ObservedAddressesDeps, 'events'> & { readonly peerId: PeerId }) => {
    const { addressManager, connectionManager, events, peerId: self } = components;
    const isFromListeningPort = ({ remoteAddr }: Connection): boolean => sharedPort.hasDialled(remoteAddr);
    const observed = new ObservedAddresses({ events, self, isFromListeningPort });
    const getAddresses = (): Multiaddr[] => [...observed.list(), ...addressManager.getAddresses()];
    const openConnection: ConnectionManager['openConnection'] = (to, options = {}) => {
      const dial = (): Promise<Connection> => connectionManager.openConnection(to, options);
      return options.initiator === false && Array.isArray(to) ? sharedPort.answering(to, dial) : dial();
    };
    return make(
      override(components, {
        addressManager: override(addressManager, { getAddresses }),
        connectionManager: override(connectionManager, { openConnection }),
      }),
    );
  };
}

/** A dial back costs us a place among our own dials: a peer wants few, and all of them together have a share. */
const DIAL_BACKS = { burst: 3, perSecond: 1 / 60 };
const ALL_DIAL_BACKS = { burst: 10, perSecond: 1 };

/**
 * AutoNAT without two of its habits. It would walk the DHT each minute and dial whom it finds, for as long as an address
 * stays unverified: our peers do. And a dial back would make both ends ask each other again, over that connection.
 */
function quietly(make: ReturnType<typeof autoNATv2>, { clock, isProbe }: ReachParts): typeof make {
  const rates = new TokenBuckets(clock);
  const admits: Gates['admits'] = (protocol, { remotePeer }) =>
    protocol !== DIAL_REQUEST ||
    (rates.take(remotePeer.toString(), DIAL_BACKS, 1) && rates.take('all', ALL_DIAL_BACKS, 1));
  const randomWalk: AutoNatComponents['randomWalk'] = { walk: async function* () {} };
  return (components: AutoNatComponents) =>
    make(override(gated(components, { admits, tells: (connection) => !isProbe(connection) }), { randomWalk }));
}

/**
 * The services of libp2p by which a node is reached: AutoNAT v2 (which address others can dial), DCUtR (from a relayed
 * connection to a direct one), circuit relay, UPnP, multicast DNS. AutoNAT v1 is not used: in libp2p 3.3 its server
 * takes the connection that the request came on for the dial back, calls that a failure, and closes it.
 */
import { autoNATv2 } from '@libp2p/autonat-v2';
import { circuitRelayServer } from '@libp2p/circuit-relay-v2';
import { dcutr } from '@libp2p/dcutr';
import { uPnPNAT } from '@libp2p/upnp-nat';
import type { Clock, Logger } from '#util';
import type { LocalPeers } from './mdns.ts';
import type { CompleteNetOptions } from './options.ts';
import { Reachability } from './reachability.ts';

type AutoNatComponents = Parameters<ReturnType<typeof autoNATv2>>[0];

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

type Parts = { readonly clock: Clock; readonly log: Logger; readonly local: LocalPeers };

export function reachServices(options: CompleteNetOptions, { clock, log, local }: Parts) {
  const { listen, network, reach, tuning } = options;
  const { reachLookMs, relayPatienceMs } = tuning;
  type Components = ConstructorParameters<typeof Reachability>[0];
  return {
    reachability: (components: Components) =>
      new Reachability(components, clock, log, { listen, reachLookMs, relayPatienceMs }),
    // Both tell others our addresses or dial what others say: neither is for who hides behind a proxy.
    ...(reach.proxy === undefined ? { dcutr: dcutr() } : {}),
    ...(reach.proxy === undefined && listen.length > 0 ? { autonat: withoutWalks(autoNATv2()) } : {}),
    ...(reach.isRelay ? { relay: circuitRelayServer(RELAY) } : {}),
    ...(reach.usesUpnp ? { upnp: uPnPNAT() } : {}),
    ...(reach.usesMdns ? { mdns: local.service(network) } : {}),
  };
}

/** AutoNAT would walk the DHT each minute and dial whom it finds, for as long as an address stays unverified. Our peers do. */
function withoutWalks(make: ReturnType<typeof autoNATv2>): typeof make {
  return (components: AutoNatComponents) => {
    const { registrar, addressManager, connectionManager, logger, peerStore } = components;
    const randomWalk: AutoNatComponents['randomWalk'] = { walk: async function* () {} };
    return make({ registrar, addressManager, connectionManager, logger, peerStore, randomWalk });
  };
}

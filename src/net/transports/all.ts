/** The transports of the node. All of them open their connections by the proxy if there is one. */
import { circuitRelayTransport, RELAY_V2_STOP_CODEC } from '@libp2p/circuit-relay-v2';
import { tcp } from '@libp2p/tcp';
import type { Random } from '#util';
import { type Gates, gated } from '../gated.ts';
import type { CompleteNetOptions } from '../options.ts';
import type { PeerIdText } from '../port.ts';
import { connectDirectly, connectThrough } from './connect.ts';
import { canSharePort, type SharedPort } from './shared-port.ts';
import { type TcpFactory, type TcpInit, tcpDialledBy } from './tcp-dialled-by.ts';
import { webSockets } from './web-sockets.ts';

/** Which relays we use is decided in `reachability.ts`: libp2p's own search would take any that connects. */
const NOBODY = { has: () => true, add: () => {}, remove: () => {} };

/** More than the peers that we take: some connect only to be refused. */
const MARGIN = 64;

type Parts = {
  readonly random: Random;
  readonly relays: ReadonlySet<PeerIdText>;
  readonly sharedPort: SharedPort;
};

export function makeTransports(options: CompleteNetOptions, { random, relays, sharedPort }: Parts) {
  const { maxPeers, reach, tuning } = options;
  const connect = reach.proxy === undefined ? connectDirectly : connectThrough(reach.proxy, random);
  const maxConnections = maxPeers + MARGIN;
  const { inboundUpgradeTimeoutMs, sparesLocalHosts } = tuning;
  const onTcp = { backlog: 128, maxConnections };
  const makeTcp = reach.proxy === undefined ? plainTcp(sharedPort) : (init: TcpInit) => tcpDialledBy(connect, init);
  return [
    makeTcp(onTcp),
    webSockets({ maxConnections, requestTimeoutMs: inboundUpgradeTimeoutMs, sparesLocalHosts }, connect),
    relayed(relays),
  ];
}

function plainTcp(sharedPort: SharedPort): (init: TcpInit) => TcpFactory {
  return canSharePort ? (init) => sharedPort.transport(init) : tcp;
}

/** Who brings callers without having been asked would become our relay: libp2p asks him for a place at once. */
function relayed(relays: ReadonlySet<PeerIdText>): ReturnType<typeof circuitRelayTransport> {
  const make = circuitRelayTransport({ discoveryFilter: NOBODY });
  const admits: Gates['admits'] = (protocol, { remotePeer }) =>
    protocol !== RELAY_V2_STOP_CODEC || relays.has(remotePeer.toString());
  return (components) => make(gated(components, { admits }));
}

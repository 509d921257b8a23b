/** The transports of the node. All of them open their connections by the proxy if there is one. */
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { tcp } from '@libp2p/tcp';
import type { Random } from '#util';
import type { CompleteNetOptions } from '../options.ts';
import { connectDirectly, connectThrough } from './connect.ts';
import { proxiedTcp } from './proxied-tcp.ts';
import { webSockets } from './web-sockets.ts';

/** Which relays we use is decided in `reachability.ts`: libp2p's own search would take any that connects. */
const NOBODY = { has: () => true, add: () => {}, remove: () => {} };

/** More than the peers that we take: some connect only to be refused. */
const MARGIN = 64;

export function makeTransports({ maxPeers, reach, tuning }: CompleteNetOptions, random: Random) {
  const connect = reach.proxy === undefined ? connectDirectly : connectThrough(reach.proxy, random);
  const maxConnections = maxPeers + MARGIN;
  const onTcp = { backlog: 128, maxConnections };
  return [
    reach.proxy === undefined ? tcp(onTcp) : proxiedTcp(onTcp, connect),
    webSockets({ maxConnections, requestTimeoutMs: tuning.inboundUpgradeTimeoutMs }, connect),
    circuitRelayTransport({ discoveryFilter: NOBODY }),
  ];
}

/** Short names of the protocols that a node speaks, for figures: our rows', and libp2p's by what they begin with. */
import { dhtProtocol, protocolId } from '#protocol';
import { streamNames } from './rows.ts';

const OF_LIBP2P: readonly (readonly [string, string])[] = [
  ['/ipfs/id/push/', 'identify-push'],
  ['/ipfs/id/', 'identify'],
  ['/ipfs/ping/', 'ping'],
  ['/meshsub/', 'gossipsub'],
  ['/libp2p/autonat/', 'autonat'],
  ['/libp2p/circuit/', 'relay'],
  ['/libp2p/dcutr', 'dcutr'],
];
const DHT = 'dht';
const OTHER = 'other';

/** All that `protocolNamer` gives. */
export const PROTOCOL_NAMES: readonly string[] = [...streamNames, DHT, ...OF_LIBP2P.map(([, name]) => name), OTHER];

/** Gives a name for each protocol id, whoever made it up. */
export function protocolNamer(network: string): (id: string) => string {
  const ours = new Map<string, string>([[dhtProtocol(network), DHT]]);
  for (const name of streamNames) {
    ours.set(protocolId(network, name), name);
    ours.set(protocolId(network, name, 'kept'), name);
  }
  return (id) => ours.get(id) ?? OF_LIBP2P.find(([prefix]) => id.startsWith(prefix))?.[1] ?? OTHER;
}

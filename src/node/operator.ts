/** What an operator asks of peers: the network's part, and what peers said of themselves and proved. */
import type { Net, OperatorPeers, PeerDetails, PeerIdText } from '#net';
import type { Sync } from '#sync';
import type { PeerClaims } from './peer-claims.ts';
import type { Peers } from './peers.ts';

export type NodePeerDetails = PeerDetails & {
  /** Undefined before its first valid hello. */
  readonly claims: PeerClaims | undefined;
  /** The highest header that it proved to have (Core's synced_headers); undefined while there is none. */
  readonly bestKnownHeight: number | undefined;
};

export type NodePeers = Omit<OperatorPeers, 'list'> & {
  /** Every connected peer, oldest first. */
  readonly list: () => Promise<readonly NodePeerDetails[]>;
};

export function createNodePeers(
  net: Pick<Net, 'peers'>,
  peers: Pick<Peers, 'claims'>,
  sync: Pick<Sync, 'knownHeader'>,
): NodePeers {
  const withClaims = (details: PeerDetails): NodePeerDetails => {
    const id: PeerIdText = details.id;
    return { ...details, claims: peers.claims(id), bestKnownHeight: sync.knownHeader(id)?.height };
  };
  return { ...net.peers, list: async () => (await net.peers.list()).map(withClaims) };
}

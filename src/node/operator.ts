/** What an operator asks of peers: the network's part, and what peers said of themselves and proved. */
import type { Net, OperatorPeers, PeerDetails, PeerIdText, ProxyAddress } from '#net';
import type { Sync } from '#sync';
import type { PeerClaims } from './peer-claims.ts';
import type { Peers } from './peers.ts';

export type NodePeerDetails = PeerDetails & {
  /** Undefined before its first valid hello. */
  readonly claims: PeerClaims | undefined;
  /** The highest header that it proved to have (Core's synced_headers); undefined while there is none. */
  readonly bestKnownHeight: number | undefined;
  /** Heights of the blocks that it was asked for and has not sent. */
  readonly blocksOwed: readonly number[];
};

export type NodePeers = Omit<OperatorPeers, 'list'> & {
  /** Every connected peer, oldest first. */
  readonly list: () => Promise<readonly NodePeerDetails[]>;
  /** What all connections go through; without its login, only whether that is another one each time. */
  readonly proxy: { readonly host: string; readonly port: number; readonly isRandomized: boolean } | undefined;
};

export function createNodePeers(
  net: Pick<Net, 'peers'>,
  peers: Pick<Peers, 'claims'>,
  sync: Pick<Sync, 'knownHeader' | 'blocksOwed'>,
  proxy: ProxyAddress | undefined,
): NodePeers {
  const withClaims = (details: PeerDetails): NodePeerDetails => {
    const id: PeerIdText = details.id;
    const bestKnownHeight = sync.knownHeader(id)?.height;
    return { ...details, claims: peers.claims(id), bestKnownHeight, blocksOwed: sync.blocksOwed(id) };
  };
  return {
    ...net.peers,
    list: async () => (await net.peers.list()).map(withClaims),
    proxy: proxy && { host: proxy.host, port: proxy.port, isRandomized: proxy.login === undefined },
  };
}

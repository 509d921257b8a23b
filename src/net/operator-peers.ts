/** What an operator asks of this network and decides about it: `OperatorPeers` over the parts. */
import { multiaddr } from '@multiformats/multiaddr';
import { peerIdOf, withoutPeerId } from './addresses.ts';
import type { Parts } from './assemble.ts';
import { isAbout } from './bans/ban-list.ts';
import { parseBanTarget } from './bans/ban-target.ts';
import type { Base } from './base.ts';
import { parsePeerAddress } from './manual-peers.ts';
import type { AddedPeer, OperatorPeers, PeerDetails } from './operator-port.ts';
import { withTimeLimit } from './time-limit.ts';

export function createOperatorPeers(base: Base, parts: Parts): OperatorPeers {
  return { ...lookingAt(base, parts), ...connecting(base, parts), ...banning(base, parts) };
}

function lookingAt(
  base: Base,
  parts: Parts,
): Pick<OperatorPeers, 'list' | 'added' | 'totals' | 'addresses' | 'pingAll'> {
  const { clock, options, reputation, addresses } = base;
  const { host, peers, gossip, dialling } = parts;
  return {
    list: async () =>
      peers.table.details().map(
        (details): PeerDetails => ({
          ...details,
          penaltyPoints: reputation.points(details.id),
          gossipScore: gossip.scoreOf(details.id),
          meshTopics: gossip.meshTopicsOf(details.id),
        }),
      ),
    added: async () => withConnections(base, parts),
    totals: async () => {
      const { bytesIn, bytesOut } = peers.table.totals();
      return { bytesIn, bytesOut };
    },
    addresses: async (count) => addresses.known(count),
    pingAll: async () =>
      peers.ping(({ remotePeer }) =>
        withTimeLimit(clock, options.tuning.pingTimeoutMs, dialling.signal, (signal) =>
          host.services.ping.ping(remotePeer, { signal }),
        ),
      ),
  };
}

function withConnections({ manual }: Base, { peers }: Parts): AddedPeer[] {
  const byId = new Map(peers.table.details().map((details) => [details.id, details]));
  return manual.list().map((peer) => {
    const details = byId.get(peer.id);
    return { ...peer, connected: details && { address: details.address, direction: details.direction } };
  });
}

function connecting(
  { manual }: Base,
  { peers, slots }: Parts,
): Pick<OperatorPeers, 'add' | 'remove' | 'tryOnce' | 'disconnect' | 'setActive'> {
  const { outbound } = slots;
  return {
    add: async (address) => {
      const verdict = manual.add(address);
      if (verdict === 'added') outbound.poke();
      return verdict;
    },
    remove: async (addressOrId) => (manual.remove(addressOrId) ? 'removed' : 'not-added'),
    tryOnce: async (text) => {
      const address = parsePeerAddress(text);
      const id = address && peerIdOf(address);
      if (address === undefined || id === undefined) return 'invalid';
      const target = { id, addresses: [withoutPeerId(address)] };
      const isConnected = await manual.whileTrying(address, () => outbound.dialOnce(target));
      return isConnected === undefined ? 'busy' : isConnected ? 'connected' : 'failed';
    },
    disconnect: async (wanted) => {
      const meant = peers.table
        .details()
        .filter(({ id, address }) => id === wanted || namesOf(address).includes(wanted));
      for (const { id } of meant) peers.drop(id, 'the operator disconnected it');
      return meant.length;
    },
    setActive: async (isActive) => {
      peers.setActive(isActive);
      if (isActive) outbound.poke();
    },
  };
}

function banning({ reputation }: Base, { peers }: Parts): Pick<OperatorPeers, 'ban' | 'unban' | 'bans' | 'clearBans'> {
  return {
    ban: async (text, options = {}) => {
      const target = parseBanTarget(text);
      if (target === undefined) return 'invalid';
      const verdict = reputation.ban(target, options);
      if (verdict !== 'banned') return verdict;
      for (const { id } of peers.table.details()) {
        if (isAbout(target, id, peers.table.ipOf(id))) peers.drop(id, 'the operator banned it');
      }
      return verdict;
    },
    unban: async (text) => {
      const target = parseBanTarget(text);
      if (target === undefined) return 'invalid';
      return reputation.unban(target) ? 'lifted' : 'not-banned';
    },
    bans: async () => reputation.bans(),
    clearBans: async () => reputation.clearBans(),
  };
}

/** How an operator may call the other end of a connection: by its multiaddr with or without id, or as `ip:port`. */
function namesOf(address: string): string[] {
  const parsed = multiaddr(address);
  const [host, port] = parsed.getComponents();
  const ip = host?.name === 'ip6' ? `[${host.value}]` : host?.value;
  return [address, withoutPeerId(parsed), `${ip}:${port?.value}`];
}

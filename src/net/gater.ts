/**
 * Who may connect. libp2p asks here before each step of a connection; saying no is cheapest before the handshake.
 * Its own limits are not enough: they have no bans, no share for each direction and no cap per host.
 */
import { Socket } from 'node:net';
import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Clock } from '#util';
import { hasPublicAddress, ipOf, isRelayedAddress, isTcpAddress } from './addresses.ts';
import { BoundedMap } from './bounded-map.ts';
import { HostLimits } from './host-limits.ts';
import type { PeerIdText } from './port.ts';
import type { Reputation } from './reputation.ts';

/** A second connection of a peer may replace a first that died unnoticed, two more try an address of either end. */
const MAX_CONNECTIONS_PER_PEER = 3;
const MAX_COOLDOWNS = 4096;

export type GaterDeps = {
  readonly clock: Clock;
  readonly reputation: Reputation;
  readonly self: PeerIdText;
  readonly allowPrivateAddresses: boolean;
  /** False while the operator keeps the network switched off. */
  readonly isActive: () => boolean;
  /** The operator's, or dialled at his word: exempt from all but his own bans. */
  readonly isManual: (peer: PeerIdText) => boolean;
  /** We are dialling this peer by our own choice. */
  readonly isWanted: (peer: PeerIdText) => boolean;
  /** Connected over a relay alone: a direct connection would replace that. */
  readonly isRelayed: (peer: PeerIdText) => boolean;
  /** Resolves once it has shown to be of our network, or is gone. */
  readonly whenAnnounced: (peer: PeerId) => Promise<boolean>;
  /** Found on the local network by multicast DNS, or given by the operator: dialled although it is private. */
  readonly isTrustedAddress: (address: Multiaddr) => boolean;
  readonly hasInboundSlot: () => boolean;
  /** Room for one more connection that the DHT dials by itself. */
  readonly hasQuerySlot: () => boolean;
  readonly connectionsOfPeer: (peer: PeerIdText) => number;
  readonly connectionsOfHost: (host: string) => number;
};

export type Gater = {
  readonly hooks: ConnectionGater;
  /** Do not dial this peer for a while (manual peers excepted). */
  readonly coolDown: (peer: PeerIdText, ms: number) => void;
  readonly isCoolingDown: (peer: PeerIdText) => boolean;
  /** The TCP socket below a connection, found by the connection's timeline; undefined if libp2p hides it. */
  readonly socketOf: (timeline: object) => Socket | undefined;
};

export function createGater(deps: GaterDeps): Gater {
  const { clock, reputation } = deps;
  const limits = new HostLimits(clock, deps.connectionsOfHost);
  const cooldowns = new BoundedMap<PeerIdText, number>(MAX_COOLDOWNS);
  const sockets = new WeakMap<object, Socket>();
  const isCoolingDown = (peer: PeerIdText): boolean => (cooldowns.get(peer) ?? 0) > clock.monotonicMs();
  const noteSocket = (connection: MultiaddrConnection): void => {
    // Not in libp2p's types; without it bytes are counted as 0.
    if ('socket' in connection && connection.socket instanceof Socket) {
      sockets.set(connection.timeline, connection.socket);
    }
  };

  const hooks: ConnectionGater = {
    denyDialPeer: (id: PeerId) => {
      const peer = id.toString();
      if (!deps.isActive() || reputation.isPeerBannedByHand(peer)) return true;
      if (deps.isManual(peer)) return false;
      if (reputation.isPeerBanned(peer) || isCoolingDown(peer)) return true;
      return !deps.isWanted(peer) && !deps.isRelayed(peer) && !deps.hasQuerySlot();
    },
    denyDialMultiaddr: (address) => !mayDial(address, deps),
    denyInboundConnection: (connection) => {
      const ip = ipOf(connection.remoteAddr);
      if (!deps.isActive() || ip === undefined || reputation.isIpBanned(ip)) return true;
      // The cheaper first: with all places taken the second one looks for a peer to evict.
      return !limits.admit(connection, ip) || !deps.hasInboundSlot();
    },
    denyInboundEncryptedConnection: (id, connection) => {
      noteSocket(connection);
      const peer = id.toString();
      if (peer === deps.self || reputation.isPeerBanned(peer)) return true;
      return deps.connectionsOfPeer(peer) >= MAX_CONNECTIONS_PER_PEER;
    },
    denyInboundUpgradedConnection: (id, connection) => {
      limits.settled(connection);
      return !deps.isManual(id.toString()) && !deps.hasInboundSlot();
    },
    denyOutboundEncryptedConnection: (id, connection) => {
      noteSocket(connection);
      const peer = id.toString();
      if (peer === deps.self || reputation.isPeerBannedByHand(peer)) return true;
      return reputation.isPeerBanned(peer) && !deps.isManual(peer);
    },
    // We carry connections for peers of our network only.
    denyInboundRelayReservation: async (source) => !(await deps.whenAnnounced(source)),
    denyOutboundRelayedConnection: async (source) => !(await deps.whenAnnounced(source)),
    denyInboundRelayedConnection: (_relay, id) => reputation.isPeerBanned(id.toString()),
    // Relayed addresses are for the operator to give: hearsay would make us dial relays that others choose.
    filterMultiaddrForPeer: (id, address) =>
      isTcpAddress(address) || (id.toString() === deps.self && isRelayedAddress(address)),
  };

  return {
    hooks,
    coolDown: (peer, ms) => {
      if (!deps.isManual(peer)) cooldowns.set(peer, clock.monotonicMs() + ms);
    },
    isCoolingDown,
    socketOf: (timeline) => sockets.get(timeline),
  };
}

function mayDial(address: Multiaddr, deps: GaterDeps): boolean {
  if (!isTcpAddress(address) && !isRelayedAddress(address)) return false;
  const ip = ipOf(address);
  if (ip !== undefined && deps.reputation.isIpBanned(ip)) return false;
  return deps.allowPrivateAddresses || hasPublicAddress(address) || deps.isTrustedAddress(address);
}

/**
 * Who may connect. libp2p asks here before each step of a connection; saying no is cheapest before the handshake.
 * Its own limits are not enough: they have no bans, no share for each direction and no cap per host.
 */
import { Socket } from 'node:net';
import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Clock } from '#util';
import { hasPublicAddress, hostKey, ipOf, isLocalIp, isTcpAddress } from './addresses.ts';
import { BoundedMap } from './bounded-map.ts';
import type { PeerIdText } from './port.ts';
import type { Reputation } from './reputation.ts';
import { TokenBuckets } from './token-bucket.ts';

/** Connections of one host that may be shaking hands, and that may stand. Local hosts are exempt. */
const MAX_PENDING_PER_HOST = 2;
const MAX_CONNECTIONS_PER_HOST = 4;
/** New connections of one host. */
const HOST_RATE = { burst: 10, perSecond: 1 };
/** A second connection of a peer may replace a first that died unnoticed; a third is abuse. */
const MAX_CONNECTIONS_PER_PEER = 2;
const MAX_COOLDOWNS = 4096;

export type GaterDeps = {
  readonly clock: Clock;
  readonly reputation: Reputation;
  readonly self: PeerIdText;
  readonly allowPrivateAddresses: boolean;
  readonly isManual: (peer: PeerIdText) => boolean;
  /** The dialler wants this peer now, beyond what the DHT dials by itself. */
  readonly isWanted: (peer: PeerIdText) => boolean;
  readonly hasInboundSlot: () => boolean;
  readonly hasOutboundSlot: () => boolean;
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
  const pending = new Map<string, number>();
  const rates = new TokenBuckets(deps.clock);
  const cooldowns = new BoundedMap<PeerIdText, number>(MAX_COOLDOWNS);
  const sockets = new WeakMap<object, Socket>();

  const isCoolingDown = (peer: PeerIdText): boolean => (cooldowns.get(peer) ?? 0) > deps.clock.monotonicMs();

  const admitHost = (connection: MultiaddrConnection): boolean => {
    const ip = ipOf(connection.remoteAddr);
    if (ip === undefined) return false;
    if (deps.reputation.isIpBanned(ip)) return false;
    if (isLocalIp(ip)) return true;
    const host = hostKey(ip) ?? ip;
    const waiting = pending.get(host) ?? 0;
    if (waiting >= MAX_PENDING_PER_HOST || deps.connectionsOfHost(host) >= MAX_CONNECTIONS_PER_HOST) return false;
    if (!rates.take(host, HOST_RATE, 1)) return false;
    pending.set(host, waiting + 1);
    const settle = once(() => {
      const left = (pending.get(host) ?? 1) - 1;
      if (left > 0) pending.set(host, left);
      else pending.delete(host);
    });
    shaking.set(connection.timeline, settle);
    connection.addEventListener('close', settle, { once: true });
    return true;
  };
  /** Ends of handshakes in progress, by the timeline of their connection. */
  const shaking = new WeakMap<object, () => void>();

  const noteSocket = (connection: MultiaddrConnection): void => {
    // Not in libp2p's types; bytes are then counted as 0.
    if ('socket' in connection && connection.socket instanceof Socket) {
      sockets.set(connection.timeline, connection.socket);
    }
  };

  const mayDialAddress = (address: Multiaddr): boolean => {
    if (!isTcpAddress(address)) return false;
    const ip = ipOf(address);
    if (ip !== undefined && deps.reputation.isIpBanned(ip)) return false;
    return deps.allowPrivateAddresses || hasPublicAddress(address);
  };

  const hooks: ConnectionGater = {
    denyDialPeer: (id: PeerId) => {
      const peer = id.toString();
      if (deps.isManual(peer)) return false;
      if (deps.reputation.isPeerBanned(peer) || isCoolingDown(peer)) return true;
      return !deps.isWanted(peer) && !deps.hasOutboundSlot();
    },
    denyInboundConnection: (connection) => !deps.hasInboundSlot() || !admitHost(connection),
    denyInboundEncryptedConnection: (id, connection) => {
      noteSocket(connection);
      const peer = id.toString();
      return (
        peer === deps.self ||
        deps.reputation.isPeerBanned(peer) ||
        deps.connectionsOfPeer(peer) >= MAX_CONNECTIONS_PER_PEER
      );
    },
    denyInboundUpgradedConnection: (id, connection) => {
      shaking.get(connection.timeline)?.();
      return !deps.isManual(id.toString()) && !deps.hasInboundSlot();
    },
    denyOutboundEncryptedConnection: (id, connection) => {
      noteSocket(connection);
      const peer = id.toString();
      return peer === deps.self || (deps.reputation.isPeerBanned(peer) && !deps.isManual(peer));
    },
    denyDialMultiaddr: (address) => !mayDialAddress(address),
    filterMultiaddrForPeer: (_id, address) => isTcpAddress(address),
  };

  return {
    hooks,
    coolDown: (peer, ms) => {
      if (!deps.isManual(peer)) cooldowns.set(peer, deps.clock.monotonicMs() + ms);
    },
    isCoolingDown,
    socketOf: (timeline) => sockets.get(timeline),
  };
}

function once(fn: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    fn();
  };
}

/** One peer that we have a connection with, and what others are told of it. */
import type { Socket } from 'node:net';
import type { Connection } from '@libp2p/interface';
import type { Clock, TimerHandle } from '#util';
import { mappedIpv4 } from './addresses.ts';
import type { PeerDetails } from './operator-port.ts';
import { type LiveFacts, measured } from './peer-facts.ts';
import type { PeerInfo } from './peer-info.ts';
import type { PeerIdText } from './port.ts';
import type { Traffic } from './traffic.ts';

const MAX_AGENT_LENGTH = 128;

export type Peer = {
  readonly id: PeerIdText;
  /** The last one is used. */
  readonly connections: Connection[];
  readonly facts: LiveFacts;
  readonly traffic: Traffic;
  phase: PeerDetails['phase'];
  agent: string;
  protocols: ReadonlySet<string>;
  /** Runs out when the peer does not get to the next phase in time. */
  timer: TimerHandle | undefined;
  /** Why we close it; undefined when it was not us. */
  reason: string | undefined;
  /** When it was sent a ping that the operator asked for; undefined when it has answered. */
  pingedMs: number | undefined;
  readonly announced: PromiseWithResolvers<boolean>;
};

export type PeerView = {
  readonly socketOf: (timeline: object) => Socket | undefined;
  readonly isManual: (peer: PeerIdText) => boolean;
  readonly isSeed: (peer: PeerIdText) => boolean;
};

export function infoOf(peer: Peer, { socketOf, isManual, isSeed }: PeerView): PeerInfo {
  const connection = peer.connections.at(-1);
  const socket = connection && socketOf(connection.timeline);
  return {
    id: peer.id,
    address: connection?.remoteAddr.toString() ?? '',
    direction: connection?.direction ?? 'inbound',
    kind: peer.facts.kind,
    isRelayed: connection?.limits !== undefined,
    connectedAt: connection?.timeline.open ?? 0,
    bytesIn: socket?.bytesRead ?? 0,
    bytesOut: socket?.bytesWritten ?? 0,
    latencyMs: connection?.rtt,
    agent: peer.agent,
    isManual: isManual(peer.id),
    isSeed: isSeed(peer.id),
  };
}

/** What only the connections know of a peer. */
export type ConnectionDetails = PeerInfo & Omit<PeerDetails, 'penaltyPoints' | 'gossipScore' | 'meshTopics'>;

export function detailsOf(peer: Peer, view: PeerView, clock: Clock): ConnectionDetails {
  const { facts, traffic, pingedMs } = peer;
  const nowMs = clock.monotonicMs();
  const asUnix = (ms: number): number | undefined =>
    ms === Number.NEGATIVE_INFINITY ? undefined : clock.now() - (nowMs - ms);
  return {
    ...infoOf(peer, view),
    phase: peer.phase,
    localEndpoint: localEndpoint(peer, view),
    netgroup: facts.group,
    protocols: [...peer.protocols],
    bytesByProtocol: traffic.byProtocol(),
    lastSentAt: traffic.lastSentAt,
    lastReceivedAt: traffic.lastReceivedAt,
    minLatencyMs: measured(facts, peer.connections.at(-1)?.rtt).minPingMs,
    pingWaitMs: pingedMs === undefined ? undefined : nowMs - pingedMs,
    lastBlockAt: asUnix(facts.lastBlockMs),
    lastTxAt: asUnix(facts.lastTxMs),
    streams: peer.connections.reduce((sum, { streams }) => sum + streams.length, 0),
  };
}

function localEndpoint({ connections }: Peer, { socketOf }: PeerView): PeerDetails['localEndpoint'] {
  const connection = connections.at(-1);
  const { localAddress, localPort } = (connection && socketOf(connection.timeline)) ?? {};
  if (localAddress === undefined || localPort === undefined) return undefined;
  return { host: mappedIpv4(localAddress) ?? localAddress, port: localPort };
}

/** What a peer says of itself, fit for a terminal and a log line. */
export function printable(text: string): string {
  return text.slice(0, MAX_AGENT_LENGTH).replace(/[^\x20-\x7e]/g, '?');
}

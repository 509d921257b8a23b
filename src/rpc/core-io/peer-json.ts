/** A peer as getpeerinfo shows it: Core's fields, then what libp2p knows besides. */
import type { NodePeerDetails } from '#node';
import { endpointText } from '../http/hosts.ts';
import { amount, type JsonObject } from '../json/value.ts';
import { hostAndPort, networkName } from './multiaddr.ts';
import { servicesHex, servicesNames } from './services.ts';

/** The protocol version of Core 27, whose messages have their counterparts here. */
export const PROTOCOL_VERSION = 70_016;

const CONNECTION_TYPES: Readonly<Record<NodePeerDetails['kind'], string>> = {
  inbound: 'inbound',
  'full-relay': 'outbound-full-relay',
  'block-only': 'block-relay-only',
  feeler: 'feeler',
  manual: 'manual',
  query: 'addr-fetch',
};

const seconds = (ms: number | undefined): number => (ms === undefined ? 0 : Math.floor(ms / 1000));
const inSeconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);

/** What is unknown here, or has no counterpart, has the value that Core gives for none. */
export function peerJson(number: number, peer: NodePeerDetails, tipHeight: number): JsonObject {
  const { claims } = peer;
  const services = claims?.services ?? 0n;
  const syncedHeaders = peer.bestKnownHeight ?? -1;
  return {
    id: number,
    addr: hostAndPort(peer.address),
    addrbind: peer.localEndpoint && endpointText(peer.localEndpoint),
    network: networkName(peer.address),
    services: servicesHex(services),
    servicesnames: servicesNames(services),
    relaytxes: claims?.relaysTransactions ?? false,
    lastsend: seconds(peer.lastSentAt),
    lastrecv: seconds(peer.lastReceivedAt),
    last_transaction: seconds(peer.lastTxAt),
    last_block: seconds(peer.lastBlockAt),
    bytessent: peer.bytesOut,
    bytesrecv: peer.bytesIn,
    conntime: seconds(peer.connectedAt),
    timeoffset: claims?.timeOffsetSeconds ?? 0,
    pingtime: inSeconds(peer.latencyMs),
    minping: inSeconds(peer.minLatencyMs),
    pingwait: inSeconds(peer.pingWaitMs),
    version: PROTOCOL_VERSION,
    subver: claims?.userAgent ?? peer.agent,
    inbound: peer.direction === 'inbound',
    bip152_hb_to: false,
    bip152_hb_from: false,
    startingheight: claims?.startHeight ?? -1,
    presynced_headers: -1,
    synced_headers: syncedHeaders,
    synced_blocks: Math.min(syncedHeaders, tipHeight),
    inflight: peer.blocksOwed,
    addr_relay_enabled: peer.kind !== 'block-only',
    addr_processed: 0,
    addr_rate_limited: 0,
    permissions: [],
    minfeefilter: amount(claims?.feeFilterSatPerKvb ?? 0n),
    bytessent_per_msg: bytesJson(peer, 'bytesOut'),
    bytesrecv_per_msg: bytesJson(peer, 'bytesIn'),
    connection_type: CONNECTION_TYPES[peer.kind],
    transport_protocol_type: 'libp2p',
    session_id: '',
    ...libp2pJson(peer),
  };
}

/** By protocol in place of Core's message types. */
function bytesJson({ bytesByProtocol }: NodePeerDetails, way: 'bytesIn' | 'bytesOut'): JsonObject {
  const carried = Object.entries(bytesByProtocol).filter(([, bytes]) => bytes[way] > 0);
  return Object.fromEntries(carried.map(([protocol, bytes]) => [protocol, bytes[way]]));
}

function libp2pJson(peer: NodePeerDetails): JsonObject {
  return {
    peerid: peer.id,
    multiaddr: peer.address,
    protocols: peer.protocols,
    streams: peer.streams,
    mesh: peer.meshTopics,
    gossipscore: peer.gossipScore,
    penaltypoints: peer.penaltyPoints,
    relayed: peer.isRelayed,
    phase: peer.phase,
    netgroup: peer.netgroup,
  };
}

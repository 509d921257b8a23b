/** Peers, their addresses, and what sockets carry. */
import type { MetricRow } from '../row.ts';
import { countBy, mapLabels, oneOf } from '../row.ts';

const KINDS = ['inbound', 'full-relay', 'block-only', 'feeler', 'manual', 'query'];
const REACHABILITIES = ['direct', 'relayed', 'unverified', 'none'];

export const PEER_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_peers_connected',
    help: 'Peers that said a valid hello, by what the connection is for',
    type: 'gauge',
    unit: 'count',
    labels: ['kind'],
    read: ({ status }) =>
      countBy(
        KINDS,
        status.net.peers.map(({ kind }) => kind),
      ),
  },
  {
    name: 'starling_peers_connections',
    help: 'Open connections, with those of peers that said no hello yet',
    type: 'gauge',
    unit: 'count',
    read: ({ status }) => status.net.connections,
  },
  {
    name: 'starling_peers_streams',
    help: 'Open streams on all connections',
    type: 'gauge',
    unit: 'count',
    read: ({ status }) => status.net.streams,
  },
  {
    name: 'starling_peers_median_latency_seconds',
    help: 'Round trip of the last ping, median over the peers',
    type: 'gauge',
    unit: 'seconds',
    read: ({ status }) => {
      const ms = median(status.net.peers.flatMap(({ latencyMs }) => latencyMs ?? []));
      return ms === undefined ? undefined : ms / 1000;
    },
  },
  {
    name: 'starling_peers_dropped_total',
    help: 'Peers that were disconnected for offences',
    type: 'counter',
    unit: 'count',
    read: ({ status }) => status.net.standing.dropped,
  },
  {
    name: 'starling_peers_banned',
    help: "The operator's bans that stand",
    type: 'gauge',
    unit: 'count',
    read: ({ status }) => status.net.standing.banned,
  },
  {
    name: 'starling_peers_discouraged',
    help: 'Peers and hosts that are out for a while for their offences',
    type: 'gauge',
    unit: 'count',
    read: ({ status }) => status.net.standing.discouraged,
  },
  {
    name: 'starling_peers_heard_addresses_total',
    help: 'Addresses that were new, by who told of them',
    type: 'counter',
    unit: 'count',
    labels: ['source'],
    read: ({ status }) => Object.fromEntries(status.net.addressSources.map(({ kind, heard }) => [kind, heard])),
  },
  {
    name: 'starling_peers_answered_addresses_total',
    help: 'Addresses that answered a call for the first time, by who told of them',
    type: 'counter',
    unit: 'count',
    labels: ['source'],
    read: ({ status }) => Object.fromEntries(status.net.addressSources.map(({ kind, succeeded }) => [kind, succeeded])),
  },
  {
    name: 'starling_peers_places',
    help: 'Connections of a kind that we want, or have places for',
    type: 'gauge',
    unit: 'count',
    labels: ['kind'],
    read: ({ counted }) => counted.net.places,
  },
  {
    name: 'starling_peers_dials_total',
    help: 'Dials by what they were for and what came of them',
    type: 'counter',
    unit: 'count',
    labels: ['kind', 'result'],
    read: ({ counted }) => mapLabels(counted.net.dials, ({ connected, failed }) => ({ connected, failed })),
  },
  {
    name: 'starling_peers_dial_seconds',
    help: 'What dials took',
    type: 'histogram',
    unit: 'seconds',
    labels: ['kind'],
    read: ({ counted }) => mapLabels(counted.net.dials, (each) => each.seconds),
  },
  {
    name: 'starling_peers_offences_total',
    help: 'What peers did wrong',
    type: 'counter',
    unit: 'count',
    labels: ['offence'],
    read: ({ counted }) => counted.net.offences,
  },
  {
    name: 'starling_peers_addresses',
    help: 'Addresses that the address manager keeps: those that answered, and hearsay',
    type: 'gauge',
    unit: 'count',
    labels: ['table'],
    read: ({ counted }) => counted.net.addresses,
  },
];

export const NET_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_net_bytes_total',
    help: 'Bytes that all connections carried',
    type: 'counter',
    unit: 'bytes',
    labels: ['direction'],
    read: ({ status }) => ({ in: status.net.bytesIn, out: status.net.bytesOut }),
  },
  {
    name: 'starling_net_upload_left_bytes',
    help: 'What --max-upload leaves for the rest of its 24 hours; absent without that limit',
    type: 'gauge',
    unit: 'bytes',
    read: ({ status: { upload } }) => (upload.targetBytes === 0 ? undefined : upload.bytesLeftInCycle),
  },
  {
    name: 'starling_net_active',
    help: '0 while the operator keeps the network switched off, else 1',
    type: 'gauge',
    unit: 'count',
    read: ({ status }) => (status.net.isActive ? 1 : 0),
  },
  {
    name: 'starling_net_reachability',
    help: 'How others can call this node: 1 at what holds',
    type: 'gauge',
    unit: 'count',
    labels: ['how'],
    read: ({ status }) => oneOf(REACHABILITIES, status.net.reachability),
  },
];

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

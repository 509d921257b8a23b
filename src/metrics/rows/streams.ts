/** Requests and answers by the row of their stream, and bytes by protocol. */
import type { MetricRow } from '../row.ts';
import { mapLabels } from '../row.ts';

export const STREAM_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_stream_requests_total',
    help: 'Requests of ours by what came of them',
    type: 'counter',
    unit: 'count',
    labels: ['stream', 'result'],
    read: ({ counted }) => mapLabels(counted.net.asked, ({ results }) => results),
  },
  {
    name: 'starling_stream_request_seconds',
    help: 'From a request of ours to the end of the answer',
    type: 'histogram',
    unit: 'seconds',
    labels: ['stream'],
    read: ({ counted }) => mapLabels(counted.net.asked, ({ seconds }) => seconds),
  },
  {
    name: 'starling_stream_requests',
    help: 'Requests of ours that run',
    type: 'gauge',
    unit: 'count',
    labels: ['stream'],
    read: ({ counted }) => mapLabels(counted.net.asked, ({ running }) => running),
  },
  {
    name: 'starling_stream_served_total',
    help: 'Requests of peers by what came of them',
    type: 'counter',
    unit: 'count',
    labels: ['stream', 'result'],
    read: ({ counted }) => mapLabels(counted.net.served, ({ results }) => results),
  },
  {
    name: 'starling_stream_serve_seconds',
    help: 'From the end of a request of a peer to the end of our answer',
    type: 'histogram',
    unit: 'seconds',
    labels: ['stream'],
    read: ({ counted }) => mapLabels(counted.net.served, ({ seconds }) => seconds),
  },
  {
    name: 'starling_stream_serving',
    help: 'Requests of peers that are being answered',
    type: 'gauge',
    unit: 'count',
    labels: ['stream'],
    read: ({ counted }) => mapLabels(counted.net.served, ({ running }) => running),
  },
  {
    name: 'starling_stream_response_bytes',
    help: 'Memory of answers that are being sent: large ones are blocks',
    type: 'gauge',
    unit: 'bytes',
    labels: ['size'],
    read: ({ counted }) => mapLabels(counted.net.serving, ({ heldBytes }) => heldBytes),
  },
  {
    name: 'starling_stream_waiting_responses',
    help: 'Answers that wait for memory, because others hold it',
    type: 'gauge',
    unit: 'count',
    labels: ['size'],
    read: ({ counted }) => mapLabels(counted.net.serving, ({ waiting }) => waiting),
  },
  {
    name: 'starling_stream_bytes_total',
    help: 'What streams carried, before encryption',
    type: 'counter',
    unit: 'bytes',
    labels: ['protocol', 'direction'],
    read: ({ counted }) =>
      mapLabels(counted.net.protocols, ({ bytesIn, bytesOut }) => ({ in: bytesIn, out: bytesOut })),
  },
  {
    name: 'starling_stream_opened_total',
    help: 'Streams that were opened, by peers and by us',
    type: 'counter',
    unit: 'count',
    labels: ['protocol', 'direction'],
    read: ({ counted }) =>
      mapLabels(counted.net.protocols, ({ openedIn, openedOut }) => ({ in: openedIn, out: openedOut })),
  },
];

/** Every metric of ours. What Prometheus knows of any process, prom-client adds (`process.ts`). */
import { VERSION } from '#util';
import type { MetricRow } from '../row.ts';
import { CHAIN_ROWS, COIN_ROWS } from './chain.ts';
import { GOSSIP_ROWS } from './gossip.ts';
import { MEMPOOL_ROWS, RELAY_ROWS } from './mempool.ts';
import { NET_ROWS, PEER_ROWS } from './network.ts';
import { STORE_ROWS } from './store.ts';
import { STREAM_ROWS } from './streams.ts';
import { SYNC_ROWS } from './sync.ts';
import { THREAD_ROWS, VERIFIER_ROWS } from './threads.ts';

const NODE_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_node_version',
    help: 'The version that runs, as a label; always 1',
    type: 'gauge',
    unit: 'count',
    labels: ['version'],
    read: () => ({ [VERSION]: 1 }),
  },
  {
    name: 'starling_node_network',
    help: 'The network that it follows, as a label; always 1',
    type: 'gauge',
    unit: 'count',
    labels: ['network'],
    read: ({ status }) => ({ [status.network]: 1 }),
  },
];

export const METRIC_ROWS: readonly MetricRow[] = [
  ...NODE_ROWS,
  ...CHAIN_ROWS,
  ...COIN_ROWS,
  ...SYNC_ROWS,
  ...MEMPOOL_ROWS,
  ...RELAY_ROWS,
  ...PEER_ROWS,
  ...NET_ROWS,
  ...GOSSIP_ROWS,
  ...STREAM_ROWS,
  ...STORE_ROWS,
  ...VERIFIER_ROWS,
  ...THREAD_ROWS,
];

/** Every metric of ours. What Prometheus knows of any process, prom-client adds (`process.ts`). */
import { VERSION } from '#util';
import type { MetricRow } from '../row.ts';
import { CHAIN_ROWS, SYNC_ROWS } from './chain.ts';
import { MEMPOOL_ROWS, RELAY_ROWS } from './mempool.ts';
import { GOSSIP_ROWS, NET_ROWS, PEER_ROWS } from './network.ts';

const NODE_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_node_version',
    help: 'The version that runs, as a label; always 1',
    type: 'gauge',
    unit: 'count',
    label: 'version',
    read: () => ({ [VERSION]: 1 }),
  },
  {
    name: 'starling_node_network',
    help: 'The network that it follows, as a label; always 1',
    type: 'gauge',
    unit: 'count',
    label: 'network',
    read: ({ status }) => ({ [status.network]: 1 }),
  },
];

const STORE_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_store_block_files_bytes',
    help: 'Block and undo files',
    type: 'gauge',
    unit: 'bytes',
    read: ({ store }) => store.blockFileBytes,
  },
  {
    name: 'starling_store_coins_bytes',
    help: 'The database of the coins',
    type: 'gauge',
    unit: 'bytes',
    read: ({ store }) => store.coinsBytes,
  },
  {
    name: 'starling_store_disk_free_bytes',
    help: 'Room that is left to the node on the disk of its data directory',
    type: 'gauge',
    unit: 'bytes',
    read: ({ store }) => store.diskFreeBytes,
  },
  {
    name: 'starling_store_disk_size_bytes',
    help: 'Size of the disk of the data directory',
    type: 'gauge',
    unit: 'bytes',
    read: ({ store }) => store.diskSizeBytes,
  },
];

export const METRIC_ROWS: readonly MetricRow[] = [
  ...NODE_ROWS,
  ...CHAIN_ROWS,
  ...SYNC_ROWS,
  ...MEMPOOL_ROWS,
  ...RELAY_ROWS,
  ...PEER_ROWS,
  ...NET_ROWS,
  ...GOSSIP_ROWS,
  ...STORE_ROWS,
];

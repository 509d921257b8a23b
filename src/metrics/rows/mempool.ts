/** The mempool, and transactions on the way to it. */
import type { MetricRow } from '../row.ts';

export const MEMPOOL_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_mempool_transactions',
    help: 'Transactions in the mempool',
    type: 'gauge',
    unit: 'count',
    read: ({ mempool }) => mempool.count,
  },
  {
    name: 'starling_mempool_virtual_bytes',
    help: 'Virtual size of all transactions in the mempool',
    type: 'gauge',
    unit: 'bytes',
    read: ({ mempool }) => mempool.vsize,
  },
  {
    name: 'starling_mempool_usage_bytes',
    help: 'Memory of the mempool, estimated',
    type: 'gauge',
    unit: 'bytes',
    read: ({ mempool }) => mempool.usage,
  },
  {
    name: 'starling_mempool_max_bytes',
    help: 'What the memory of the mempool may be at most',
    type: 'gauge',
    unit: 'bytes',
    read: ({ mempool }) => mempool.maxBytes,
  },
  {
    name: 'starling_mempool_fees_satoshis',
    help: 'Fees of all transactions in the mempool',
    type: 'gauge',
    unit: 'satoshis',
    read: ({ mempool }) => Number(mempool.totalFee),
  },
  {
    name: 'starling_mempool_min_fee_satoshis_per_kvb',
    help: 'What a transaction must pay now, for 1000 virtual bytes',
    type: 'gauge',
    unit: 'satoshis_per_kvb',
    read: ({ mempool }) => mempool.minFeeSatPerKvb,
  },
  {
    name: 'starling_mempool_unbroadcast_transactions',
    help: 'Own transactions that no peer is known to have',
    type: 'gauge',
    unit: 'count',
    read: ({ mempool }) => mempool.unbroadcast,
  },
  {
    name: 'starling_mempool_entered_total',
    help: 'Transactions that were let in',
    type: 'counter',
    unit: 'count',
    read: ({ mempool }) => mempool.entered,
  },
  {
    name: 'starling_mempool_left_total',
    help: 'Transactions that left, by why',
    type: 'counter',
    unit: 'count',
    label: 'reason',
    read: ({ mempool }) => mempool.left,
  },
  {
    name: 'starling_mempool_refused_busy_total',
    help: 'Transactions that were not looked at because too many waited',
    type: 'counter',
    unit: 'count',
    read: ({ mempool }) => mempool.refusedBusy,
  },
];

export const RELAY_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_relay_orphans',
    help: 'Transactions that wait for a parent',
    type: 'gauge',
    unit: 'count',
    read: ({ status }) => status.txRelay.orphans,
  },
  {
    name: 'starling_relay_wanted_transactions',
    help: 'Announced transactions that are being asked for',
    type: 'gauge',
    unit: 'count',
    read: ({ status }) => status.txRelay.wanted,
  },
];

/** The chain, its indexes and the way to its tip. */
import type { MetricRow } from '../row.ts';
import { oneOf } from '../row.ts';

const PHASES = ['waiting-for-peers', 'headers', 'blocks', 'at-tip', 'stalled'];

export const CHAIN_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_chain_height',
    help: 'Height of the last connected block',
    type: 'gauge',
    unit: 'count',
    read: ({ status }) => status.tip.height,
  },
  {
    name: 'starling_chain_header_height',
    help: 'Height of the valid header with most work',
    type: 'gauge',
    unit: 'count',
    read: ({ status }) => status.sync.headerHeight,
  },
  {
    name: 'starling_chain_work_hashes',
    help: 'Hashes that the active chain takes on average',
    type: 'gauge',
    unit: 'hashes',
    read: ({ status }) => Number(status.tip.chainWork),
  },
  {
    name: 'starling_chain_tip_age_seconds',
    help: 'Time since the time that the last connected block names',
    type: 'gauge',
    unit: 'seconds',
    read: ({ status, nowMs }) => Math.max(0, nowMs / 1000 - status.tip.header.time),
  },
  {
    name: 'starling_chain_transactions',
    help: 'Transactions in the active chain',
    type: 'gauge',
    unit: 'count',
    read: ({ chain }) => chain.transactions,
  },
  {
    name: 'starling_chain_lowest_stored_height',
    help: 'Height from which on all blocks are stored; above 0 where old ones were pruned',
    type: 'gauge',
    unit: 'count',
    read: ({ chain }) => chain.lowestStoredHeight,
  },
  {
    name: 'starling_chain_reorganisations_total',
    help: 'Times that the tip moved to another branch',
    type: 'counter',
    unit: 'count',
    read: ({ chain }) => chain.reorganisations,
  },
  {
    name: 'starling_chain_disconnected_blocks_total',
    help: 'Blocks that were left for another branch',
    type: 'counter',
    unit: 'count',
    read: ({ chain }) => chain.disconnectedBlocks,
  },
  {
    name: 'starling_chain_block_delay_seconds',
    help: 'From the first arrival of the last gossiped block to its connection',
    type: 'gauge',
    unit: 'seconds',
    read: ({ status: { lastBlockDelayMs: ms } }) => (ms === undefined ? undefined : ms / 1000),
  },
  {
    name: 'starling_chain_announced_blocks_total',
    help: 'Announced blocks by how the body came: from the mempool alone, with what peers were asked for, or whole',
    type: 'counter',
    unit: 'count',
    label: 'body',
    read: ({ status: { announcedBlocks: each } }) => {
      return { mempool: each.withoutRoundTrip, completed: each.withRoundTrip, whole: each.whole };
    },
  },
  {
    name: 'starling_chain_index_height',
    help: 'Height that an optional index has reached',
    type: 'gauge',
    unit: 'count',
    label: 'index',
    read: ({ indexes }) => Object.fromEntries(indexes.map(({ name, bestBlockHeight }) => [name, bestBlockHeight])),
  },
];

export const SYNC_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_sync_phase',
    help: 'What the sync does: 1 at the phase that holds',
    type: 'gauge',
    unit: 'count',
    label: 'phase',
    read: ({ status }) => oneOf(PHASES, status.sync.phase),
  },
  {
    name: 'starling_sync_progress_ratio',
    help: 'How much of the way to the tip is done, by heights',
    type: 'gauge',
    unit: 'ratio',
    read: ({ status }) => status.sync.progress,
  },
  {
    name: 'starling_sync_missing_blocks',
    help: 'Blocks between the last connected one and the best header',
    type: 'gauge',
    unit: 'count',
    read: ({ status: { sync } }) => Math.max(0, sync.headerHeight - sync.height),
  },
  {
    name: 'starling_sync_download_bytes_per_second',
    help: 'Blocks downloaded lately',
    type: 'gauge',
    unit: 'bytes_per_second',
    read: ({ status }) => status.sync.bytesPerSecond,
  },
  {
    name: 'starling_sync_remaining_seconds',
    help: 'What the sync may still take; absent while unknown',
    type: 'gauge',
    unit: 'seconds',
    read: ({ status }) => status.sync.secondsLeft,
  },
];

/** The way to the tip. */
import type { MetricRow } from '../row.ts';
import { oneOf, seconds } from '../row.ts';

const PHASES = ['waiting-for-peers', 'headers', 'blocks', 'at-tip', 'stalled'];

export const SYNC_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_sync_phase',
    help: 'What the sync does: 1 at the phase that holds',
    type: 'gauge',
    unit: 'count',
    labels: ['phase'],
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
  {
    name: 'starling_sync_received_blocks_total',
    help: 'Blocks that were downloaded, copies counted',
    type: 'counter',
    unit: 'count',
    read: ({ counted }) => counted.sync.receivedBlocks,
  },
  {
    name: 'starling_sync_received_bytes_total',
    help: 'Bytes of blocks that were downloaded',
    type: 'counter',
    unit: 'bytes',
    read: ({ counted }) => counted.sync.receivedBytes,
  },
  {
    name: 'starling_sync_window_blocks',
    help: 'Blocks that are needed next, by what is known of their bodies',
    type: 'gauge',
    unit: 'count',
    labels: ['state'],
    read: ({ counted }) => counted.sync.window,
  },
  {
    name: 'starling_sync_window_max_blocks',
    help: 'Blocks of one branch that are looked at ahead at most',
    type: 'gauge',
    unit: 'count',
    read: ({ counted }) => counted.sync.windowBlocks,
  },
  {
    name: 'starling_sync_requests',
    help: 'Requests for blocks that run',
    type: 'gauge',
    unit: 'count',
    read: ({ counted }) => counted.sync.requestsInFlight,
  },
  {
    name: 'starling_sync_requests_total',
    help: 'Requests for blocks by how they ended; silent and outrun ones held up others',
    type: 'counter',
    unit: 'count',
    labels: ['end'],
    read: ({ counted }) => counted.sync.requests,
  },
  {
    name: 'starling_sync_held_bytes',
    help: 'Blocks that were received and not decided',
    type: 'gauge',
    unit: 'bytes',
    read: ({ counted }) => counted.sync.heldBytes,
  },
  {
    name: 'starling_sync_max_held_bytes',
    help: 'What such blocks may take, beyond which nothing is read',
    type: 'gauge',
    unit: 'bytes',
    read: ({ counted }) => counted.sync.maxHeldBytes,
  },
  {
    name: 'starling_sync_stall_seconds',
    help: 'After so long without a byte the next block is asked of a second peer',
    type: 'gauge',
    unit: 'seconds',
    read: ({ counted }) => seconds(counted.sync.stallMs),
  },
];

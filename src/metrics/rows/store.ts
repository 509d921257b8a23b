/** Databases, files, and the disk below them. */
import type { MetricRow } from '../row.ts';
import { mapLabels } from '../row.ts';

export const STORE_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_store_block_files_bytes',
    help: 'Block and undo files',
    type: 'gauge',
    unit: 'bytes',
    read: ({ disk }) => disk.blockFileBytes,
  },
  {
    name: 'starling_store_coins_bytes',
    help: 'The database of the coins',
    type: 'gauge',
    unit: 'bytes',
    read: ({ disk }) => disk.coinsBytes,
  },
  {
    name: 'starling_store_disk_free_bytes',
    help: 'Room that is left to the node on the disk of its data directory',
    type: 'gauge',
    unit: 'bytes',
    read: ({ disk }) => disk.diskFreeBytes,
  },
  {
    name: 'starling_store_disk_size_bytes',
    help: 'Size of the disk of the data directory',
    type: 'gauge',
    unit: 'bytes',
    read: ({ disk }) => disk.diskSizeBytes,
  },
  {
    name: 'starling_store_reads_total',
    help: 'Values that a database was asked for: coins, or the index of blocks',
    type: 'counter',
    unit: 'count',
    labels: ['store'],
    read: ({ counted }) => mapLabels(counted.stores, ({ reads }) => reads),
  },
  {
    name: 'starling_store_written_operations_total',
    help: 'Values that a database was told to keep or to remove',
    type: 'counter',
    unit: 'count',
    labels: ['store'],
    read: ({ counted }) => mapLabels(counted.stores, ({ writtenOps }) => writtenOps),
  },
  {
    name: 'starling_store_written_bytes_total',
    help: 'Keys and values that were written to a database',
    type: 'counter',
    unit: 'bytes',
    labels: ['store'],
    read: ({ counted }) => mapLabels(counted.stores, ({ writtenBytes }) => writtenBytes),
  },
  {
    name: 'starling_store_write_seconds',
    help: 'What writing a batch to a database takes',
    type: 'histogram',
    unit: 'seconds',
    labels: ['store'],
    read: ({ counted }) => mapLabels(counted.stores, ({ writeSeconds }) => writeSeconds),
  },
  {
    name: 'starling_store_memory_bytes',
    help: 'Memory that a database says to hold',
    type: 'gauge',
    unit: 'bytes',
    labels: ['store'],
    read: ({ counted }) => mapLabels(counted.stores, ({ memoryBytes }) => memoryBytes),
  },
];

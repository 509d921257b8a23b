export type { AppendFiles, BatchOp, FilePosition, KeyRange, KeyValueStore } from './ports.ts';

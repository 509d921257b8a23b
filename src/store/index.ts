export { type AppendFilesOptions, openAppendFiles } from './append-files.ts';
export { type ByteSource, memoryByteSource, openByteSource } from './byte-source.ts';
export { lockDirectory } from './directory-lock.ts';
export { type LevelStore, type LevelStoreOptions, openLevelStore } from './level-store.ts';
export { createMemoryAppendFiles } from './memory-append-files.ts';
export { createMemoryStore } from './memory-store.ts';
export type { StoreFigures } from './meter.ts';
export type { AppendFiles, BatchOp, FilePosition, FileSize, KeyRange, KeyValueStore } from './ports.ts';
export { replaceFile } from './replace-file.ts';

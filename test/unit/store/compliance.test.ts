import { join } from 'node:path';
import { after } from 'node:test';
import {
  type AppendFiles,
  createMemoryAppendFiles,
  createMemoryStore,
  type KeyValueStore,
  openAppendFiles,
  openLevelStore,
} from '#store';
import { appendFilesCompliance, keyValueStoreCompliance } from '../../compliance/store.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

const temp = await makeTempDir();
after(() => temp[Symbol.asyncDispose]());

let opened = 0;
const freshPath = (): string => join(temp.path, String(opened++), 'nested');

const openLevel = (): Promise<KeyValueStore> =>
  openLevelStore(freshPath(), { cacheBytes: 2 ** 20, writeBufferBytes: 2 ** 20 });
const openDisk = (maxFileBytes: number): Promise<AppendFiles> =>
  openAppendFiles(freshPath(), { prefix: 'blk', maxFileBytes, maxOpenFiles: 2 });

keyValueStoreCompliance('in memory', async () => createMemoryStore());
keyValueStoreCompliance('LevelDB', openLevel);
appendFilesCompliance('in memory', async (maxFileBytes) => createMemoryAppendFiles({ maxFileBytes }));
appendFilesCompliance('on disk', openDisk);

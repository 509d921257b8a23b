import assert from 'node:assert/strict';
import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockDirectory } from '#store';
import { makeTempDir } from '../../support/temp-dir.ts';

test('a lock excludes this process too, until it is disposed; disposing twice is harmless', async () => {
  await using dir = await makeTempDir();
  const path = join(dir.path, 'made', 'on', 'demand');
  const lock = await lockDirectory(path);
  await assert.rejects(lockDirectory(path), { code: 'DATADIR_LOCKED' });
  await assert.rejects(lockDirectory(path), { code: 'DATADIR_LOCKED' }, 'a refused attempt does not free it');
  await lock[Symbol.asyncDispose]();
  await lock[Symbol.asyncDispose]();
  await using _again = await lockDirectory(path);
});

test('all it leaves is the empty file .lock, as Core does', async () => {
  await using dir = await makeTempDir();
  {
    await using _lock = await lockDirectory(dir.path);
    assert.deepEqual(await readdir(dir.path), ['.lock']);
  }
  assert.deepEqual(await readdir(dir.path), ['.lock']);
  assert.equal((await stat(join(dir.path, '.lock'))).size, 0);
});

test('a .lock that is a folder, or in a folder that cannot be written, is one clear line', async (t) => {
  await using dir = await makeTempDir();
  await writeFile(join(dir.path, 'file'), '');
  await assert.rejects(lockDirectory(join(dir.path, 'file', 'x')), { name: 'NodeError', code: 'IO' });
  if (process.getuid?.() === 0) {
    t.diagnostic('run as root: permissions are not checked');
    return;
  }
  await chmod(dir.path, 0o500);
  await assert.rejects(lockDirectory(dir.path), { name: 'NodeError', code: 'IO' });
  await chmod(dir.path, 0o700);
});

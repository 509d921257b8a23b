import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { replaceFile } from '#store';
import { NodeError } from '#util';
import { makeTempDir } from '../../support/temp-dir.ts';

describe('a file replaced as a whole', () => {
  it('has the new content, and nothing is left beside it', async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, 'file');
    await writeFile(path, 'a long old content');
    await writeFile(`${path}.new`, 'left by a crash, and longer than what comes');
    await replaceFile(path, [Buffer.from('new'), Buffer.from(' content')]);
    assert.equal(await readFile(path, 'utf8'), 'new content');
    assert.deepEqual(await readdir(dir.path), ['file']);
  });

  it('keeps the old content when the new one cannot be made', async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, 'file');
    await writeFile(path, 'old');
    function* failing(): Generator<Uint8Array> {
      yield Buffer.from('half');
      throw new Error('no more');
    }
    const isIo = (error: unknown): boolean => error instanceof NodeError && error.code === 'IO';
    await assert.rejects(replaceFile(path, failing()), isIo);
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await readdir(dir.path), ['file']);
    await mkdir(join(dir.path, 'folder'));
    await assert.rejects(replaceFile(join(dir.path, 'folder'), [Buffer.from('x')]), isIo);
    await assert.rejects(replaceFile(join(dir.path, 'missing', 'file'), []), isIo);
  });
});

/** What only the disk version has to do: names, reopening, faults of the file system. */
import assert from 'node:assert/strict';
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAppendFiles } from '../../../src/store/append-files.ts';
import { createFileFaults } from '../../support/faulty-files.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const OPTIONS = { prefix: 'blk', maxFileBytes: 100 } as const;

test("files have Core's names, and other names are left alone", async () => {
  await using dir = await makeTempDir();
  for (const name of ['blk0.dat', 'blk000001.dat', 'rev00009.dat', 'blk00005.dat.bak', 'xblk00004.dat']) {
    await writeFile(join(dir.path, name), 'x');
  }
  await using files = await openAppendFiles(dir.path, OPTIONS);
  assert.deepEqual(files.files(), []);
  await files.append([filled(90, 1)]);
  await files.append([filled(90, 2)]);
  const names = (await readdir(dir.path)).filter((name) => /^blk\d{5}\.dat$/.test(name));
  assert.deepEqual(names.sort(), ['blk00000.dat', 'blk00001.dat']);
  assert.deepEqual(new Uint8Array(await readFile(join(dir.path, 'blk00001.dat'))), filled(90, 2));
});

test('opened anew, it goes on behind the last byte of the last file', async () => {
  await using dir = await makeTempDir();
  {
    await using files = await openAppendFiles(dir.path, OPTIONS);
    await files.append([filled(90, 1)]);
    await files.append([filled(30, 2)]);
    await files.sync();
  }
  await using files = await openAppendFiles(dir.path, OPTIONS);
  assert.deepEqual(files.end(), { file: 1, offset: 30 });
  assert.deepEqual(await files.append([filled(70, 3)]), { file: 1, offset: 30 });
  assert.deepEqual(await files.append([filled(1, 4)]), { file: 2, offset: 0 });
  assert.deepEqual(await files.read({ file: 1, offset: 0 }, 30), filled(30, 2));
});

test('read-only creates nothing and changes nothing', async () => {
  await using dir = await makeTempDir();
  const missing = join(dir.path, 'missing');
  await assert.rejects(openAppendFiles(missing, { ...OPTIONS, readOnly: true }), { name: 'NodeError', code: 'IO' });
  await writeFile(join(dir.path, 'blk00003.dat'), filled(10, 3));
  await using files = await openAppendFiles(dir.path, { ...OPTIONS, readOnly: true });
  assert.deepEqual(await files.read({ file: 3, offset: 0 }, 10), filled(10, 3));
  await assert.rejects(files.append([filled(1, 1)]), { code: 'IO', message: /read-only/ });
  await assert.rejects(files.truncate({ file: 0, offset: 0 }), { code: 'IO' });
});

test('a folder that cannot be made is one clear line', async () => {
  await using dir = await makeTempDir();
  await writeFile(join(dir.path, 'file'), '');
  await assert.rejects(openAppendFiles(join(dir.path, 'file', 'blocks'), OPTIONS), { name: 'NodeError', code: 'IO' });
});

test('a file that became shorter behind our back is CORRUPT_DATA', async () => {
  await using dir = await makeTempDir();
  await using files = await openAppendFiles(dir.path, OPTIONS);
  await files.append([filled(50, 1)]);
  await truncate(join(dir.path, 'blk00000.dat'), 20);
  await assert.rejects(files.read({ file: 0, offset: 10 }, 30), { code: 'CORRUPT_DATA' });
});

test('short writes are completed', async () => {
  await using dir = await makeTempDir();
  const faults = createFileFaults();
  await using files = await openAppendFiles(dir.path, OPTIONS, faults);
  faults.maxBytesPerWrite = 3;
  const at = await files.append([filled(4, 1), filled(1, 2), filled(20, 3)]);
  assert.deepEqual(await files.read(at, 25), Uint8Array.from([...filled(4, 1), 2, ...filled(20, 3)]));
});

test('a full disk leaves no trace of the record, and the next one lands where it should', async () => {
  await using dir = await makeTempDir();
  const faults = createFileFaults();
  await using files = await openAppendFiles(dir.path, OPTIONS, faults);
  await files.append([filled(30, 1)]);
  faults.bytesLeft = 17;
  await assert.rejects(files.append([filled(8, 2), filled(20, 2)]), { code: 'DISK_FULL', message: /^disk full: / });
  assert.deepEqual(files.end(), { file: 0, offset: 30 });
  assert.equal((await stat(join(dir.path, 'blk00000.dat'))).size, 30);
  faults.bytesLeft = Number.POSITIVE_INFINITY;
  assert.deepEqual(await files.append([filled(5, 3)]), { file: 0, offset: 30 });
  assert.deepEqual(await files.read({ file: 0, offset: 30 }, 5), filled(5, 3));
});

test('a full disk at the start of a new file leaves no new file', async () => {
  await using dir = await makeTempDir();
  const faults = createFileFaults();
  await using files = await openAppendFiles(dir.path, OPTIONS, faults);
  await files.append([filled(90, 1)]);
  faults.bytesLeft = 5;
  await assert.rejects(files.append([filled(20, 2)]), { code: 'DISK_FULL' });
  assert.deepEqual(await readdir(dir.path), ['blk00000.dat']);
  assert.deepEqual(files.end(), { file: 0, offset: 90 });
  faults.bytesLeft = Number.POSITIVE_INFINITY;
  assert.deepEqual(await files.append([filled(20, 3)]), { file: 1, offset: 0 });
  await files.sync();
});

test('when the cleaning fails too, nothing is appended until it succeeds', async () => {
  await using dir = await makeTempDir();
  const faults = createFileFaults();
  await using files = await openAppendFiles(dir.path, OPTIONS, faults);
  await files.append([filled(30, 1)]);
  faults.bytesLeft = 10;
  faults.failTruncate = true;
  await assert.rejects(files.append([filled(20, 2)]), { code: 'DISK_FULL' });
  faults.bytesLeft = Number.POSITIVE_INFINITY;
  await assert.rejects(files.append([filled(2, 3)]), { code: 'IO' });
  await assert.rejects(files.read({ file: 0, offset: 30 }, 1), { code: 'CORRUPT_DATA' });
  faults.failTruncate = false;
  assert.deepEqual(await files.append([filled(2, 3)]), { file: 0, offset: 30 });
  assert.equal((await stat(join(dir.path, 'blk00000.dat'))).size, 32);
});

test('after a failed fsync nothing counts as safe any more', async () => {
  await using dir = await makeTempDir();
  const faults = createFileFaults();
  await using files = await openAppendFiles(dir.path, OPTIONS, faults);
  await files.append([filled(30, 1)]);
  faults.failSync = true;
  await assert.rejects(files.sync(), { code: 'IO', message: /sync/ });
  faults.failSync = false;
  await assert.rejects(files.sync(), { code: 'IO' });
  await assert.rejects(files.append([filled(1, 1)]), { code: 'IO' });
  assert.deepEqual(await files.read({ file: 0, offset: 0 }, 30), filled(30, 1));
});

test('the number of open files is bounded, and all are closed in the end', async () => {
  await using dir = await makeTempDir();
  const faults = createFileFaults();
  {
    await using files = await openAppendFiles(dir.path, { ...OPTIONS, maxOpenFiles: 3 }, faults);
    for (let i = 0; i < 12; i++) await files.append([filled(80, i)]);
    const reads = Array.from({ length: 200 }, (_, i) => (i * 7) % 12);
    const results = await Promise.all(reads.map((file) => files.read({ file, offset: 40 }, 40)));
    results.forEach((bytes, i) => assert.deepEqual(bytes, filled(40, reads[i] ?? 0)));
    // The writer, three readers, and what waits for a read under way before it closes.
    for (let file = 0; file < 12; file++) await files.read({ file, offset: 0 }, 1);
    assert.ok(faults.openCount <= 1 + 3 + 1, `${faults.openCount} files open`);
  }
  assert.equal(faults.openCount, 0);
});

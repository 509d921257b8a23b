/** What only LevelDB has to do: come back, notice damage, name what is wrong. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { lstat, readdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { type KeyValueStore, openLevelStore } from '#store';
import { makeTempDir } from '../../support/temp-dir.ts';

const OPTIONS = { cacheBytes: 2 ** 20, writeBufferBytes: 2 ** 20 } as const;
const key = (i: number): Uint8Array => Uint8Array.of(i >> 8, i & 0xff);

async function fill(store: KeyValueStore, count: number): Promise<void> {
  await store.write(
    Array.from({ length: count }, (_, i) => ({ kind: 'put', key: key(i), value: new Uint8Array(50).fill(i) })),
    { sync: true },
  );
}

async function withRawLevel(path: string, work: (level: ClassicLevel<Uint8Array, Uint8Array>) => Promise<void>) {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(path, { keyEncoding: 'view', valueEncoding: 'view' });
  await level.open();
  await work(level);
  await level.close();
}

test('what was written is there after reopening, and takes space', async () => {
  await using dir = await makeTempDir();
  {
    await using store = await openLevelStore(dir.path, OPTIONS);
    await fill(store, 1000);
    assert.ok((await store.sizeOnDisk()) > 50_000);
  }
  await using store = await openLevelStore(dir.path, OPTIONS);
  assert.deepEqual(new Uint8Array(store.get(key(777)) ?? []), new Uint8Array(50).fill(777));
});

test('trim lets go of the files that a walk has mapped, and the store goes on', async (t) => {
  if (process.platform !== 'linux') return t.skip('what is mapped is read from /proc');
  await using dir = await makeTempDir();
  {
    await using store = await openLevelStore(dir.path, OPTIONS);
    await fill(store, 1000);
  }
  await using store = await openLevelStore(dir.path, OPTIONS);
  const mapped = async (): Promise<string[]> =>
    (await readFile('/proc/self/maps', 'utf8')).split('\n').flatMap((line) => {
      const at = line.indexOf(dir.path);
      return at < 0 ? [] : [line.slice(at)];
    });
  let count = 0;
  for await (const _ of store.entries()) count++;
  assert.equal(count, 1000);
  const before = await mapped();
  assert.ok(before.length > 0);
  const written = store.write([{ kind: 'put', key: key(2000), value: Uint8Array.of(7) }]);
  await store.trim();
  // Of what is written on the way, LevelDB opens the table that it makes.
  const after = await mapped();
  assert.ok(!after.some((file) => before.includes(file)));
  await written;
  assert.deepEqual(new Uint8Array(store.get(key(2000)) ?? []), Uint8Array.of(7));
  assert.deepEqual(new Uint8Array(store.get(key(777)) ?? []), new Uint8Array(50).fill(777));
});

test('a second opening is refused with a line that says why', async () => {
  await using dir = await makeTempDir();
  await using store = await openLevelStore(dir.path, OPTIONS);
  await assert.rejects(openLevelStore(dir.path, OPTIONS), {
    name: 'NodeError',
    code: 'DATADIR_LOCKED',
    message: `database ${dir.path} is in use by another process; stop that one first`,
  });
  assert.equal(store.get(key(1)), undefined);
});

test('a value that changed on disk is CORRUPT_DATA, not a wrong answer', async () => {
  await using dir = await makeTempDir();
  {
    await using store = await openLevelStore(dir.path, OPTIONS);
    await fill(store, 3);
  }
  await withRawLevel(dir.path, async (level) => {
    const value = await level.get(key(1));
    assert.ok(value);
    value[20] = (value[20] ?? 0) ^ 4;
    await level.put(key(1), value);
    await level.put(key(2), Uint8Array.of(1, 2, 3));
    await level.put(key(7), (await level.get(key(0))) ?? Uint8Array.of());
  });
  await using store = await openLevelStore(dir.path, OPTIONS);
  assert.equal(store.get(key(0))?.length, 50);
  const corrupt = { name: 'NodeError', code: 'CORRUPT_DATA', message: /^damaged database .* checksum; / };
  assert.throws(() => store.get(key(1)), corrupt);
  assert.throws(() => store.get(key(2)), corrupt, 'too short to have a checksum');
  assert.throws(() => store.get(key(7)), corrupt, 'the value of another key');
  await assert.rejects(store.getMany([key(0), key(1)]), corrupt);
  await assert.rejects(Array.fromAsync(store.entries()), corrupt);
});

test('a damaged database is CORRUPT_DATA when it is opened', async () => {
  await using dir = await makeTempDir();
  {
    await using store = await openLevelStore(dir.path, OPTIONS);
    await fill(store, 3);
  }
  for (const name of (await readdir(dir.path)).filter((file) => file.startsWith('MANIFEST'))) {
    const bytes = await readFile(join(dir.path, name));
    await writeFile(join(dir.path, name), bytes.fill(0x55));
  }
  await assert.rejects(openLevelStore(dir.path, OPTIONS), { name: 'NodeError', code: 'CORRUPT_DATA' });
});

test('a folder that cannot be made is one clear line', async () => {
  await using dir = await makeTempDir();
  await writeFile(join(dir.path, 'file'), '');
  await assert.rejects(openLevelStore(join(dir.path, 'file', 'db'), OPTIONS), { name: 'NodeError', code: 'IO' });
});

test('a full disk fails writes until there is room, and loses nothing', async (t) => {
  if (!existsSync('/dev/full')) {
    t.skip('no /dev/full on this system');
    return;
  }
  await using dir = await makeTempDir();
  await using store = await openLevelStore(dir.path, OPTIONS);
  await fill(store, 10);
  // The next log of LevelDB, begun when the write buffer is full, goes to a device that has no room.
  const last = Math.max(...(await readdir(dir.path)).map((name) => Number.parseInt(name, 10) || 0));
  for (let n = last + 1; n < last + 6; n++) {
    await symlink('/dev/full', join(dir.path, `${String(n).padStart(6, '0')}.log`));
  }
  const large = { kind: 'put', key: key(500), value: new Uint8Array(OPTIONS.writeBufferBytes) } as const;
  await store.write([large]);
  const message = /^disk full: cannot write to the database .*; free some space$/;
  const full = { name: 'NodeError', code: 'DISK_FULL', message };
  await assert.rejects(store.write([{ ...large, key: key(501) }], { sync: true }), full);
  assert.equal(store.get(key(1))?.length, 50);
  assert.equal(store.get(key(501)), undefined);
  // The disk that the database is on has room; the devices without any must not be what it finds.
  for (const name of await readdir(dir.path)) {
    if ((await lstat(join(dir.path, name))).isSymbolicLink()) await unlink(join(dir.path, name));
  }
  await store.write([{ kind: 'del', key: key(1) }], { sync: true });
  assert.equal(store.get(key(1)), undefined);
  assert.equal(store.get(key(2))?.length, 50);
  assert.equal(store.get(key(500))?.length, OPTIONS.writeBufferBytes);
  assert.equal((await Array.fromAsync(store.entries())).length, 10);
});

test('reads, writes and the memory that they take are counted', async () => {
  await using dir = await makeTempDir();
  await using store = await openLevelStore(dir.path, OPTIONS);
  const batch: Parameters<KeyValueStore['write']>[0] = [
    { kind: 'put', key: key(1), value: new Uint8Array(50) },
    { kind: 'del', key: key(2) },
  ];
  await store.write(batch);
  store.get(key(1));
  await store.getMany([key(1), key(2), key(3)]);
  const { reads, writtenOps, writtenBytes, writeSeconds, memoryBytes } = store.figures();
  assert.deepEqual([reads, writtenOps, writtenBytes], [4, 2, 54]);
  assert.equal(
    writeSeconds.counts.reduce((sum, count) => sum + count, 0),
    1,
  );
  assert.ok(memoryBytes > 0);
});

/** The test disk itself: without faults it is a store like any other; with them it loses what it may, and no more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BatchOp } from '#store';
import { seededRandom } from '#util';
import { appendFilesCompliance, keyValueStoreCompliance } from '../../compliance/store.ts';
import { FaultyDisk } from '../../support/faulty-store.ts';

keyValueStoreCompliance('faulty disk without faults', () => new FaultyDisk(seededRandom(1)).openStore('a'));
appendFilesCompliance('faulty disk without faults', async (maxFileBytes) =>
  new FaultyDisk(seededRandom(1)).openFiles('a', { maxFileBytes }),
);

const put = (i: number): BatchOp => ({ kind: 'put', key: Uint8Array.of(i), value: Uint8Array.of(i) });

test('a crash keeps all that was synced, and whole batches of the rest in order', async () => {
  const counts = new Set<number>();
  for (let seed = 0; seed < 30; seed++) {
    const disk = new FaultyDisk(seededRandom(seed));
    const store = await disk.openStore('a');
    await store.write([put(0), put(1)], { sync: true });
    await store.write([put(2), put(3)]);
    await store.write([put(4), put(5)]);
    await disk.crash();
    assert.throws(() => store.get(Uint8Array.of(0)), /crashed/);
    const reopened = await disk.openStore('a');
    const keys = (await Array.fromAsync(reopened.entries())).map(([key]) => key[0]);
    assert.ok([2, 4, 6].includes(keys.length) && keys.every((key, i) => key === i), keys.join());
    counts.add(keys.length);
  }
  assert.deepEqual([...counts].sort(), [2, 4, 6]);
});

test('a crash keeps the synced bytes of files, and a torn tail', async () => {
  const lengths = new Set<number>();
  for (let seed = 0; seed < 60; seed++) {
    const disk = new FaultyDisk(seededRandom(seed));
    const files = disk.openFiles('a', { maxFileBytes: 100 });
    await files.append([new Uint8Array(10).fill(1)]);
    await files.sync();
    await files.append([new Uint8Array(5).fill(2)]);
    await disk.crash();
    const reopened = disk.openFiles('a', { maxFileBytes: 100 });
    const { offset } = reopened.end();
    const bytes = await reopened.read({ file: 0, offset: 0 }, offset);
    assert.match(Buffer.from(bytes).toString('hex'), /^(01){10}(02)*(00)*$/);
    lengths.add(offset);
  }
  assert.deepEqual([...lengths].sort(), [10, 11, 12, 13, 14, 15]);
});

test('planned faults hit the write they were planned for', async () => {
  const disk = new FaultyDisk(seededRandom(3));
  const store = await disk.openStore('a');
  const files = disk.openFiles('b', { maxFileBytes: 100 });
  disk.faultAt(2, { kind: 'fail', code: 'DISK_FULL' });
  disk.faultAt(4, { kind: 'crash' });
  await store.write([put(1)]);
  await assert.rejects(files.append([Uint8Array.of(1)]), { code: 'DISK_FULL' });
  await files.append([Uint8Array.of(2)]);
  await assert.rejects(store.write([put(2)], { sync: true }), /crashed/);
  await assert.rejects(files.sync(), /crashed/);
  assert.equal((await disk.openStore('a')).get(Uint8Array.of(2)), undefined);
});

test('a store whose write failed takes no other until it is opened anew', async () => {
  const disk = new FaultyDisk(seededRandom(4));
  const store = await disk.openStore('a');
  disk.faultAt(1, { kind: 'fail', code: 'IO' });
  await assert.rejects(store.write([put(1)]), { code: 'IO' });
  await assert.rejects(store.write([put(2)]), { code: 'IO' });
  const reopened = await disk.openStore('a');
  await reopened.write([put(2)]);
  assert.equal(reopened.get(Uint8Array.of(2))?.[0], 2);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AppendFiles, createMemoryAppendFiles } from '#store';
import { concatBytes, fromHex, toHex } from '#util';
import { createBlockFiles, createUndoFiles } from '../../../src/chain/block-files.ts';

const MAGIC = fromHex('fabfb5da');
const OTHER_MAGIC = fromHex('f9beb4d9');
const PREV_HASH = new Uint8Array(32).fill(3);
const CORRUPT = { code: 'CORRUPT_DATA' };

const blockOf = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

async function contents(files: AppendFiles, file: number): Promise<Uint8Array> {
  const found = files.files().find((entry) => entry.file === file);
  return files.read({ file, offset: 0 }, found?.bytes ?? 0);
}

test('a record is magic, length, block; its position is behind the frame', async () => {
  await using files = createMemoryAppendFiles({ maxFileBytes: 1000 });
  const blocks = createBlockFiles(files, MAGIC);
  assert.deepEqual(await blocks.appendBlock(blockOf(80, 1)), { file: 0, offset: 8 });
  assert.deepEqual(await blocks.appendBlock(blockOf(100, 2)), { file: 0, offset: 96 });
  const expected = `fabfb5da50000000${'01'.repeat(80)}fabfb5da64000000${'02'.repeat(100)}`;
  assert.equal(toHex(await contents(files, 0)), expected);
});

test('blocks are read back, with or without their length known', async () => {
  await using files = createMemoryAppendFiles({ maxFileBytes: 500 });
  const blocks = createBlockFiles(files, MAGIC);
  const lengths = [80, 300, 200, 481, 492, 493, 80];
  const places = [];
  for (const [i, length] of lengths.entries()) places.push(await blocks.appendBlock(blockOf(length, i)));
  for (const [i, place] of places.entries()) {
    const length = lengths[i] ?? 0;
    assert.deepEqual(await blocks.readBlock(place), blockOf(length, i));
    assert.deepEqual(await blocks.readBlock(place, length), blockOf(length, i));
    await assert.rejects(blocks.readBlock(place, length - 1), CORRUPT);
  }
});

test('a wrong place, another network and an impossible length are CORRUPT_DATA', async () => {
  await using files = createMemoryAppendFiles({ maxFileBytes: 1000 });
  const blocks = createBlockFiles(files, MAGIC);
  const at = await blocks.appendBlock(blockOf(80, 1));
  await assert.rejects(blocks.readBlock({ file: 0, offset: at.offset + 1 }), CORRUPT);
  await assert.rejects(blocks.readBlock({ file: 1, offset: 8 }), CORRUPT);
  await assert.rejects(createBlockFiles(files, OTHER_MAGIC).readBlock(at), CORRUPT);
  await files.append([MAGIC, fromHex('01093d00')]); // 4,000,001
  await assert.rejects(blocks.readBlock({ file: 0, offset: 96 }), CORRUPT);
});

test('undo data is read back with the right parent only', async () => {
  await using files = createMemoryAppendFiles({ maxFileBytes: 1000 });
  const undos = createUndoFiles(files, MAGIC);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (undo) => {
      const at = await undos.appendUndo(undo, PREV_HASH);
      assert.deepEqual(await undos.readUndo(at, PREV_HASH), undo);
      await assert.rejects(undos.readUndo(at, new Uint8Array(32)), CORRUPT);
    }),
    { numRuns: 20 },
  );
});

test('the bytes of undo data are those of Core: the checksum covers parent hash and data', async () => {
  await using files = createMemoryAppendFiles({ maxFileBytes: 1000 });
  await createUndoFiles(files, MAGIC).appendUndo(Uint8Array.of(0), new Uint8Array(32));
  // hash256 of 33 zero bytes, computed apart from this code.
  const checksum = '44cf874abb7d10b323d5f6bf5bd4a5f25e3fe3d27fc74d59d7c258f4e5ed35c4';
  assert.equal(toHex(await contents(files, 0)), `fabfb5da0100000000${checksum}`);
});

test('one changed byte anywhere in an undo record is noticed', async () => {
  const undo = blockOf(20, 9);
  await using source = createMemoryAppendFiles({ maxFileBytes: 1000 });
  await createUndoFiles(source, MAGIC).appendUndo(undo, PREV_HASH);
  const record = await contents(source, 0);
  for (let i = 0; i < record.length; i++) {
    await using files = createMemoryAppendFiles({ maxFileBytes: 1000 });
    const damaged = Uint8Array.from(record);
    damaged[i] = (damaged[i] ?? 0) ^ 1;
    await files.append([concatBytes(damaged)]);
    await assert.rejects(
      createUndoFiles(files, MAGIC).readUndo({ file: 0, offset: 8 }, PREV_HASH),
      CORRUPT,
      `byte ${i}`,
    );
  }
});

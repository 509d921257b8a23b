/** How changed records of the block index reach the store: in slices, parents first, none lost. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BlockHeader } from '#primitives';
import { createMemoryAppendFiles, createMemoryStore, type KeyValueStore } from '#store';
import { NodeError, seededRandom } from '#util';
import { BlockIndex } from '../../../src/chain/block-index.ts';
import { createBlockStorage } from '../../../src/chain/block-storage.ts';
import { saveIndex } from '../../../src/chain/save-index.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createTestDisk, openTestChain } from '../../support/test-chain.ts';

const params = regtest();
const files = { maxFileBytes: 1 << 20 };
const storage = createBlockStorage(createMemoryAppendFiles(files), createMemoryAppendFiles(files), params.magic);

function nextHeader(parent: BlockHeader, nonce = 0): BlockHeader {
  const { bits, merkleRoot, hash } = parent;
  // More than twenty minutes: the difficulty rule need not look back.
  const time = parent.time + 1201;
  return BlockHeader.fromFields({ version: 4, prevHash: hash, merkleRoot, time, bits, nonce });
}

/** Genesis and so many headers behind it. */
function indexOf(count: number): BlockIndex {
  const index = new BlockIndex(seededRandom(1));
  index.addHeader(params.genesis.header, undefined);
  extend(index, count);
  return index;
}

function extend(index: BlockIndex, count: number): void {
  for (let i = 0; i < count; i++) {
    const last = index.tree.size - 1;
    index.addHeader(nextHeader(index.tree.entry(last).header), last);
  }
}

async function loaded(store: KeyValueStore): Promise<BlockIndex> {
  const index = new BlockIndex(seededRandom(2));
  await index.load(store);
  return index;
}

/** The store, but for what the test puts in its place. */
function passedOn(store: KeyValueStore, instead: Partial<KeyValueStore>): KeyValueStore {
  return {
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    write: (ops, options) => store.write(ops, options),
    clear: (range) => store.clear(range),
    entries: (range) => store.entries(range),
    sizeOnDisk: () => store.sizeOnDisk(),
    trim: () => store.trim(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    ...instead,
  };
}

/** Passes `writes` batches on; the next one fails. Tells the sizes of all. */
function failingAfter(store: KeyValueStore, writes: number, sizes: number[] = []): KeyValueStore {
  return passedOn(store, {
    write: async (ops, options) => {
      sizes.push(ops.length);
      if (sizes.length > writes) throw new NodeError('DISK_FULL', 'no room');
      await store.write(ops, options);
    },
  });
}

describe('block index on the disk', () => {
  it('is written in slices, and is the same when it is read again', async () => {
    const index = indexOf(1234);
    index.setData(700, { file: 3, offset: 99 }, 1);
    const store = createMemoryStore();
    const sizes: number[] = [];
    await saveIndex(index, failingAfter(store, 99, sizes), storage);
    // The last write says in one more record how far the block files are recorded.
    assert.deepEqual(sizes, [500, 500, 236]);
    assert.equal(index.dirtyCount, 0);
    const again = await loaded(store);
    assert.equal(again.tree.size, 1235);
    assert.equal(again.dirtyCount, 0);
    for (const id of [0, 1, 700, 1234]) {
      const [mine, theirs] = [index.tree.entry(id), again.tree.entry(id)];
      assert.deepEqual([theirs.hash, theirs.chainWork], [mine.hash, mine.chainWork]);
      assert.deepEqual(theirs.header.raw, mine.header.raw);
      assert.deepEqual(again.blockPosition(id), id === 700 ? { file: 3, offset: 99 } : undefined);
    }
  });

  it('can be read after a failure in the middle, whatever came meanwhile, and is whole after the next write', async () => {
    const index = indexOf(1200);
    const store = createMemoryStore();
    await assert.rejects(saveIndex(index, failingAfter(store, 1), storage), { code: 'DISK_FULL' });
    assert.equal((await loaded(store)).tree.size, 500);
    assert.equal(index.dirtyCount, 701);
    // A child is never written before its parent, also when the parent was given back.
    const changes = index.takeChanges(600);
    extend(index, 300);
    changes.giveBack();
    await assert.rejects(saveIndex(index, failingAfter(store, 1), storage), { code: 'DISK_FULL' });
    assert.equal((await loaded(store)).tree.size, 1000);
    await saveIndex(index, store, storage);
    assert.equal((await loaded(store)).tree.size, 1501);
  });

  it('writes what had changed when it began, also when an earlier header changes meanwhile, and ends there', async () => {
    const index = indexOf(1200);
    const store = createMemoryStore();
    await saveIndex(index, store, storage);
    for (const id of [10, ...Array.from({ length: 700 }, (_, i) => 400 + i)])
      index.setData(id, { file: 1, offset: id }, 1);
    const sizes: number[] = [];
    const disturbed = passedOn(store, {
      write: async (ops) => {
        sizes.push(ops.length);
        index.setData(5, { file: 2, offset: 5 }, 1);
        extend(index, 600);
        await store.write(ops);
      },
    });
    await saveIndex(index, disturbed, storage);
    assert.deepEqual(sizes, [500, 202]);
    const again = await loaded(store);
    assert.equal(again.tree.size, 1201);
    for (const id of [10, 400, 1099]) assert.deepEqual(again.blockPosition(id), { file: 1, offset: id });
    assert.equal(again.blockPosition(5), undefined);
    assert.equal(index.dirtyCount, 1201);
    await saveIndex(index, store, storage);
    assert.deepEqual((await loaded(store)).blockPosition(5), { file: 2, offset: 5 });
  });

  it('is read in several walks, and the store gives back what each took', async () => {
    const index = indexOf(1000);
    // Two of one height: a walk may end between them.
    index.addHeader(nextHeader(index.tree.entry(499).header, 1), 499);
    const store = createMemoryStore();
    await saveIndex(index, store, storage);
    for (const [walk, trims] of [
      [1002, 1],
      [1003, 0],
      [501, 2],
      [7, 143],
    ] as const) {
      let trimmed = 0;
      const counted = passedOn(store, {
        trim: async () => {
          trimmed++;
        },
      });
      const again = new BlockIndex(seededRandom(2));
      await again.load(counted, walk);
      assert.equal(again.tree.size, 1002);
      assert.equal(trimmed, trims);
    }
  });

  it('holds the headers of a sync that has brought no block yet, without a flush or a clean stop', async () => {
    const disk = createTestDisk();
    const chain = await openTestChain(params, disk);
    let parent = params.genesis.header;
    for (let batch = 0; batch < 22; batch++) {
      const headers: BlockHeader[] = [];
      while (headers.length < 2000) {
        let header = nextHeader(parent);
        for (let nonce = 1; (header.hashBytes[31] ?? 0) > 0x7f; nonce++) header = nextHeader(parent, nonce);
        headers.push(header);
        parent = header;
      }
      assert.equal(chain.submitHeaders(headers).kind, 'accepted');
    }
    await chain.idle();
    // A crash: the chain is not disposed of.
    const again = await openTestChain(params, disk);
    assert(again.bestHeader().height > 40_000);
  });

  it('loses no block to a crash between two writes, in whatever order the bodies came', async () => {
    const builder = createChainBuilder(params);
    const blocks = builder.mineMany(1100);
    const disk = createTestDisk();
    let writesLeft = Number.POSITIVE_INFINITY;
    const { indexStore: store } = disk;
    const indexStore = passedOn(store, {
      write: async (ops, options) => {
        if (writesLeft-- <= 0) throw new NodeError('DISK_FULL', 'no room');
        await store.write(ops, options);
      },
    });
    const chain = await openTestChain(params, { ...disk, indexStore });
    chain.submitHeaders(blocks.map(({ header }) => header));
    // The first records to be written are of the bodies that lie last.
    for (const block of [...blocks.slice(550), ...blocks.slice(0, 550)]) await chain.submitBlock(block);
    writesLeft = 1;
    await assert.rejects(chain.flush(), { code: 'DISK_FULL' });
    const again = await openTestChain(params, disk);
    assert.equal(again.tip().hash, builder.tip.hash);
    assert.ok(blocks.every(({ hash }) => again.hasBlock(hash)));
  });
});

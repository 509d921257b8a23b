/** Which files go and when; what a pruned chain still does, what it refuses, and that a refusal changes nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Chain, ChainObserver } from '#chain';
import type { Block } from '#primitives';
import type { NodeError } from '#util';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createTestDisk, openTestChain, type TestDisk } from '../../support/test-chain.ts';

const params = regtest();
/** Some eight blocks a file. */
const MAX_FILE_BYTES = 2048;
/** Always exceeded: everything that is old enough goes. */
const LEAST = { pruneBytes: 1, maxFileBytes: MAX_FILE_BYTES };
const KEPT = 288;

const builder = createChainBuilder(params, { seed: 31 });
builder.mineMany(420);

async function feed(chain: Chain, blocks: readonly Block[]): Promise<void> {
  for (const block of blocks) await chain.submitBlock(block);
}

async function prunedChain(height = 400): Promise<{ readonly chain: Chain; readonly disk: TestDisk }> {
  const disk = createTestDisk(MAX_FILE_BYTES);
  const chain = await openTestChain(params, disk, LEAST);
  await feed(chain, builder.blocks.slice(0, height));
  await chain.flush();
  return { chain, disk };
}

/** Heights of the builder's blocks whose bodies are stored. */
function storedHeights(chain: Chain, of: ChainBuilder = builder): number[] {
  return of.blocks.flatMap(({ hash }, at) => (chain.hasBlock(hash) ? [at + 1] : []));
}

function isPruned(error: unknown): boolean {
  return (error as NodeError).code === 'PRUNED' && /which were pruned; start with --reindex/.test(String(error));
}

/** Blocks in each block file, as they were stored. */
function heightsByFile(disk: TestDisk): Map<number, number[]> {
  const heights = new Map<number, number[]>();
  let [file, offset] = [0, 8 + params.genesis.raw.length];
  heights.set(0, [0]);
  builder.blocks.forEach(({ raw }, at) => {
    if (offset + 8 + raw.length > MAX_FILE_BYTES) {
      file++;
      offset = 0;
    }
    offset += 8 + raw.length;
    heights.set(file, [...(heights.get(file) ?? []), at + 1]);
  });
  assert(disk.blk.end().file <= file);
  return heights;
}

describe('pruning', () => {
  it('removes exactly the files whose blocks all lie 288 or more below the tip', async () => {
    for (const height of [400, 401, 402, 403, 404, 405, 406, 407, 408]) {
      const { chain, disk } = await prunedChain(height);
      const files = [...heightsByFile(disk)].filter(([file]) => file <= disk.blk.end().file);
      const kept = files.filter(([, heights]) => Math.max(...heights) > height - KEPT);
      assert.deepEqual(
        disk.blk.files().map(({ file }) => file),
        kept.map(([file]) => file),
        `tip ${height}`,
      );
      const lowest = kept[0]?.[1][0] ?? 0;
      assert.equal(chain.lowestStoredHeight(), lowest);
      assert.equal(storedHeights(chain)[0], lowest);
      assert.ok(lowest > 0 && lowest <= height - KEPT + 1);
      assert.notEqual(disk.rev.files()[0]?.file, 0, 'undo data go too');
      await chain[Symbol.asyncDispose]();
    }
  });

  it('keeps files while all together are below the target', async () => {
    const disk = createTestDisk(MAX_FILE_BYTES);
    const all = 420 * 300;
    const chain = await openTestChain(params, disk, { pruneBytes: all, maxFileBytes: MAX_FILE_BYTES });
    await feed(chain, builder.blocks);
    await chain.flush();
    assert.equal(chain.lowestStoredHeight(), 0);
    assert.equal(disk.blk.files()[0]?.file, 0);
    await chain[Symbol.asyncDispose]();
    // The same directory with less room: only so many files go.
    const bytes = await (
      await openTestChain(params, disk, { pruneBytes: all, maxFileBytes: MAX_FILE_BYTES })
    ).sizeOnDisk();
    const target = bytes - 3 * MAX_FILE_BYTES;
    const tighter = await openTestChain(params, disk, { pruneBytes: target, maxFileBytes: MAX_FILE_BYTES });
    const left = await tighter.sizeOnDisk();
    assert.ok(left < target && left > target - 2 * MAX_FILE_BYTES, `${left} of ${bytes}, target ${target}`);
    assert.ok(tighter.lowestStoredHeight() > 0 && tighter.lowestStoredHeight() < 100);
  });

  it('does not wait for a flush that is due by other means', async () => {
    const disk = createTestDisk(MAX_FILE_BYTES);
    const chain = await openTestChain(params, disk, LEAST);
    await feed(chain, builder.blocks.slice(0, 400));
    assert.ok(chain.lowestStoredHeight() > 0);
  });

  it('tells observers before the files go, and reads of what went find nothing', async () => {
    const disk = createTestDisk(MAX_FILE_BYTES);
    const chain = await openTestChain(params, disk, LEAST);
    const told: number[] = [];
    const pruned: ChainObserver['pruned'] = (lowest) => {
      told.push(lowest);
      assert.ok(disk.blk.files().some(({ file }) => file === 0) || told.length > 1);
    };
    chain.observe({ pruned });
    await feed(chain, builder.blocks.slice(0, 400));
    assert.equal(told.at(-1), chain.lowestStoredHeight());
    const [first] = builder.blocks;
    assert(first !== undefined);
    assert.equal(await chain.readBlock(first.hash), undefined);
    assert.equal(await chain.readBlock(params.genesis.hash), undefined);
    assert.notEqual(await chain.readBlock(builder.at(399).hash), undefined);
  });

  it('gives the same coins, and survives a restart', async () => {
    const { chain, disk } = await prunedChain();
    const reference = await openTestChain(params);
    await feed(reference, builder.blocks.slice(0, 400));
    const expected = await reference.utxoStats();
    const lowest = chain.lowestStoredHeight();
    assert.deepEqual(await chain.utxoStats(), expected);
    await chain[Symbol.asyncDispose]();
    const again = await openTestChain(params, disk, LEAST);
    assert.deepEqual(await again.utxoStats(), expected);
    assert.equal(again.lowestStoredHeight(), lowest);
    await feed(again, builder.blocks.slice(400));
    assert.equal(again.tip().height, 420);
    assert.ok(again.lowestStoredHeight() > lowest);
  });

  it('is remembered: without the option the chain is not opened, as it is it can be looked at', async () => {
    const { chain, disk } = await prunedChain();
    const lowest = chain.lowestStoredHeight();
    await chain[Symbol.asyncDispose]();
    await assert.rejects(openTestChain(params, disk), {
      code: 'BAD_CONFIG',
      message: /were pruned; start with --prune MIB, or with --reindex, which downloads/,
    });
    const looked = await openTestChain(params, disk, { pruneBytes: 'as-is' });
    assert.deepEqual([looked.lowestStoredHeight(), looked.pruneTargetBytes()], [lowest, 1]);
    await looked.flush();
    assert.equal(looked.lowestStoredHeight(), lowest);
  });

  it('removes at the start what a crash left, but nothing behind the last block that the index knows', async () => {
    const { chain, disk } = await prunedChain();
    await chain[Symbol.asyncDispose]();
    const before = disk.blk.files().map(({ file }) => file);
    // The files below the lowest come back, as after a power failure; and blocks were stored that nobody recorded.
    const back = createTestDisk(MAX_FILE_BYTES);
    await back.blk.append([new Uint8Array(MAX_FILE_BYTES - 10)]);
    for (let file = 1; file <= disk.blk.end().file; file++) {
      const bytes = disk.blk.files().find((each) => each.file === file)?.bytes ?? 0;
      const data = bytes === 0 ? new Uint8Array(MAX_FILE_BYTES - 10) : await disk.blk.read({ file, offset: 0 }, bytes);
      assert.equal((await back.blk.append([data])).file, file);
    }
    for (const { raw } of builder.blocks.slice(400)) {
      const frame = Buffer.alloc(8);
      frame.set(params.magic);
      frame.writeUInt32LE(raw.length, 4);
      await back.blk.append([frame, raw]);
    }
    const again = await openTestChain(params, { ...disk, blk: back.blk }, LEAST);
    assert.equal(again.tip().height, 420);
    const after = back.blk.files().map(({ file }) => file);
    assert.ok(after[0] !== undefined && before[0] !== undefined && after[0] >= before[0]);
  });
});

describe('a pruned chain', () => {
  it('takes a pruned block of the active chain for a duplicate and stores nothing', async () => {
    const { chain, disk } = await prunedChain();
    const end = disk.blk.end();
    const [first] = builder.blocks;
    assert(first !== undefined);
    assert.equal((await chain.submitBlock(first)).kind, 'duplicate');
    assert.deepEqual(disk.blk.end(), end);
    assert.equal(chain.hasBlock(first.hash), false);
  });

  it('forgets branches that were pruned with their descendants, until the bodies come again', async () => {
    const disk = createTestDisk(MAX_FILE_BYTES);
    const chain = await openTestChain(params, disk, LEAST);
    const fork = builder.fork(60);
    fork.mineMany(30);
    await feed(chain, builder.blocks.slice(0, 95));
    await feed(chain, fork.blocks.slice(60, 75));
    await feed(chain, builder.blocks.slice(95, 400));
    assert.equal(chain.hasBlock(fork.at(61).hash), false, 'pruned');
    // Its child is nothing to connect without it.
    const child = fork.blocks[75];
    assert(child !== undefined);
    assert.equal((await chain.submitBlock(child)).kind, 'stored');
    assert.equal((await chain.submitBlock(fork.at(61).block)).kind, 'stored', 'taken again');
    assert.equal(chain.hasBlock(fork.at(61).hash), true);
    assert.equal(chain.tip().height, 400);
  });

  it('reorganises as deep as it has undo data, and stays at its tip beyond', async () => {
    const { chain, disk } = await prunedChain();
    const lowest = chain.lowestStoredHeight();
    const near = builder.fork(lowest + 5);
    near.mineMany(400 - near.height + 1);
    await feed(chain, near.blocks.slice(lowest + 5));
    assert.equal(chain.tip().hash, near.tip.hash, 'some 290 blocks are disconnected');
    const before = await chain.utxoStats();
    const tip = chain.tip();

    const far = near.fork(chain.lowestStoredHeight() - 5);
    far.mineMany(tip.height - far.height + 1);
    const blocks = far.blocks.slice(chain.lowestStoredHeight() - 5);
    await feed(chain, blocks.slice(0, -1));
    const end = disk.blk.end();
    await assert.rejects(chain.submitBlock(far.tip.block), isPruned);
    assert.deepEqual(disk.blk.end(), end, 'it is not stored');
    assert.equal(chain.isInvalid(far.tip.hash), false);
    assert.deepEqual(await chain.utxoStats(), before);
    await assert.rejects(chain.submitBlock(far.tip.block), isPruned, 'each time');
    // The tip goes on.
    near.mineMany(3);
    await feed(chain, near.blocks.slice(-3));
    assert.equal(chain.tip().hash, near.tip.hash);
    await chain[Symbol.asyncDispose]();
    const again = await openTestChain(params, disk, LEAST);
    assert.equal(again.tip().hash, near.tip.hash, 'also after a restart');
    near.mineMany(1);
    assert.equal((await again.submitBlock(near.tip.block)).kind, 'connected');
  });

  it('leaves blocks as far as it can go back; a refusal changes nothing', async () => {
    const { chain } = await prunedChain();
    const lowest = chain.lowestStoredHeight();
    const before = await chain.utxoStats();
    await assert.rejects(chain.invalidateBlock(builder.at(lowest - 1).hash), isPruned);
    assert.equal(chain.isInvalid(builder.tip.hash), false);
    assert.deepEqual(await chain.utxoStats(), before);
    assert.equal(await chain.invalidateBlock(builder.at(lowest + 10).hash), true);
    assert.equal(chain.tip().height, lowest + 9);
    assert.equal(await chain.reconsiderBlock(builder.at(lowest + 10).hash), true);
    assert.deepEqual(await chain.utxoStats(), before);
  });

  it('does not go to a reconsidered branch that forks too deep', async () => {
    const disk = createTestDisk(MAX_FILE_BYTES);
    const chain = await openTestChain(params, disk, LEAST);
    const rival = builder.fork(50);
    rival.mineMany(KEPT + 62);
    await feed(chain, builder.blocks.slice(0, 300));
    await chain.submitBlock(rival.at(51).block);
    await chain.invalidateBlock(rival.at(51).hash);
    await feed(chain, builder.blocks.slice(300, 390));
    const before = await chain.utxoStats();
    await chain.reconsiderBlock(rival.at(51).hash);
    await assert.rejects(feed(chain, rival.blocks.slice(50)), isPruned);
    await assert.rejects(chain.reconsiderBlock(rival.at(51).hash), isPruned);
    assert.deepEqual(await chain.utxoStats(), before);
  });
});

/** Index and coins are built anew from whatever the block files hold; damage is passed over, and nothing of it is cut off. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Chain, OpenProgress, UtxoStats } from '#chain';
import type { Block, BlockHash, Transaction } from '#primitives';
import type { AppendFiles } from '#store';
import { concatBytes, NodeError, seededRandom } from '#util';
import { createInlineVerifier, type ScriptVerifier } from '#verify';
import { requestRebuild } from '../../../src/chain/reindex.ts';
import type { ReindexKind } from '../../../src/chain/repair.ts';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { FaultyDisk } from '../../support/faulty-store.ts';
import { createTestDisk, openTestChain, type TestDisk } from '../../support/test-chain.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';

const params = regtest();
const MAX_FILE_BYTES = 2048;

/** 120 blocks, the last of which spend, and a branch. */
function sample(): { readonly main: ChainBuilder; readonly side: ChainBuilder; readonly all: readonly Block[] } {
  const main = createChainBuilder(params, { seed: 41 });
  main.mineMany(110);
  const spend = (height: number): Transaction => buildTx([main.coin(height)], [pay(10_0000_0000n)]);
  for (let height = 1; height <= 10; height++) main.mine({ transactions: [spend(height)] });
  const side = main.fork(100);
  side.mineMany(5);
  return { main, side, all: [params.genesis, ...main.blocks, ...side.blocks.slice(100)] };
}

const { main, side, all } = sample();
const expected = await coinsOf(main.blocks);

async function coinsOf(blocks: readonly Block[]): Promise<UtxoStats> {
  const chain = await openTestChain(params);
  for (const block of blocks) await chain.submitBlock(block);
  return chain.utxoStats();
}

function record({ raw }: Block): Uint8Array {
  const frame = new Uint8Array(8);
  frame.set(params.magic);
  new DataView(frame.buffer).setUint32(4, raw.length, true);
  return concatBytes(frame, raw);
}

/** A disk with these records in its block files, and nothing else. */
async function diskOf(records: readonly Uint8Array[]): Promise<TestDisk> {
  const disk = createTestDisk(MAX_FILE_BYTES);
  for (const each of records) await disk.blk.append([each]);
  return disk;
}

async function reindexed(disk: TestDisk, kind: ReindexKind = 'all'): Promise<Chain> {
  await requestRebuild(disk.indexStore, params, kind, false);
  return openTestChain(params, disk);
}

async function contentOf(files: AppendFiles): Promise<Uint8Array> {
  const parts = files.files().map(({ file, bytes }) => files.read({ file, offset: 0 }, bytes));
  return concatBytes(...(await Promise.all(parts)));
}

/** A chain whose blocks and coins are on the disk. */
async function storedChain(blocks: readonly Block[] = all, options = {}): Promise<TestDisk> {
  const disk = createTestDisk(MAX_FILE_BYTES);
  const chain = await openTestChain(params, disk, options);
  for (const block of blocks) await chain.submitBlock(block);
  await chain[Symbol.asyncDispose]();
  return disk;
}

describe('reindex', () => {
  it('takes blocks in whatever order they lie, and some twice', async () => {
    const order = fc.shuffledSubarray([...all, ...all.slice(5, 9)], { minLength: all.length + 4 });
    await fc.assert(
      fc.asyncProperty(order, async (blocks) => {
        const disk = await diskOf(blocks.map(record));
        const before = await contentOf(disk.blk);
        const chain = await reindexed(disk);
        assert.deepEqual(await chain.utxoStats(), expected);
        assert.equal(chain.hasBlock(side.tip.hash), true);
        assert.deepEqual(await contentOf(disk.blk), before);
        const again = await openTestChain(params, disk);
        assert.deepEqual(await again.utxoStats(), expected);
      }),
      { numRuns: 5 },
    );
  });

  it('makes undo data: the chain can go back', async () => {
    const disk = await storedChain();
    const chain = await reindexed(disk);
    await chain.invalidateBlock(main.at(101).hash);
    assert.equal(chain.tip().hash, side.tip.hash);
    assert.deepEqual(await chain.utxoStats(), await coinsOf(side.blocks));
    await chain.reconsiderBlock(main.at(101).hash);
    assert.deepEqual(await chain.utxoStats(), expected);
  });

  it('passes over garbage, torn records and damaged bodies, and keeps what lies behind', async () => {
    const damagedHeights = [30, 60, 90];
    const records = all.slice(0, 121).map(record);
    const [flipped = new Uint8Array(0), torn = new Uint8Array(0), noMagic = new Uint8Array(0)] = damagedHeights.map(
      (height) => records[height],
    );
    // In the coinbase; cut short; no longer a record, though the block is whole.
    flipped[8 + 80 + 50] = (flipped[8 + 80 + 50] ?? 0) ^ 1;
    records[60] = torn.subarray(0, 60);
    noMagic[1] = (noMagic[1] ?? 0) ^ 1;
    records.splice(
      20,
      0,
      new Uint8Array(300),
      Uint8Array.from({ length: 77 }, (_, i) => i),
    );
    const disk = await diskOf(records);
    const before = await contentOf(disk.blk);
    // Headers that the files no longer have come from peers, as ever; with them all that is whole is used.
    const chain = await reindexed(disk);
    assert.equal(chain.tip().height, 29);
    assert.equal(chain.bestHeader().height, 59, 'its header was whole');
    assert.deepEqual(await contentOf(disk.blk), before);
    chain.submitHeaders(main.blocks.map(({ header }) => header));
    await chain[Symbol.asyncDispose]();

    const again = await openTestChain(params, disk);
    const missing = main.blocks.flatMap(({ hash }, at) => (again.hasBlock(hash) ? [] : [at + 1]));
    // Core's search, too, takes the length of a torn record at its word.
    const lost = [30, 60, 61, 90];
    assert.deepEqual(missing, lost, 'found by the next start');
    assert.deepEqual(await contentOf(disk.blk), before, 'and still nothing was cut off');
    for (const height of lost) await again.submitBlock(main.at(height).block);
    await again.idle();
    assert.deepEqual(await again.utxoStats(), expected);
  });

  it('finds again which blocks are invalid', async () => {
    const bad = main.fork(115);
    bad.mine({ coinbaseValue: 51_0000_0000n });
    bad.mineMany(10);
    const disk = await diskOf([...all, ...bad.blocks.slice(115)].map(record));
    const chain = await reindexed(disk);
    assert.deepEqual(await chain.utxoStats(), expected);
    assert.equal(chain.isInvalid(bad.at(116).hash), true);
  });

  it('goes on after a crash at any write, without being told again', async () => {
    for (let at = 1; ; at++) {
      const disk = new FaultyDisk(seededRandom(at));
      const open = async (): Promise<TestDisk> => ({
        indexStore: await disk.openStore('index'),
        coinsStore: await disk.openStore('coins'),
        blk: disk.openFiles('blk', { maxFileBytes: 1 << 14 }),
        rev: disk.openFiles('rev', { maxFileBytes: 1 << 14 }),
      });
      const chain = await openTestChain(params, await open());
      for (const block of main.blocks) await chain.submitBlock(block);
      await chain[Symbol.asyncDispose]();
      const parts = await open();
      await requestRebuild(parts.indexStore, params, 'all', false);
      disk.faultAt(at, { kind: 'crash' });
      const isWhole = await openTestChain(params, parts).then(
        (whole) => whole.utxoStats().then(() => true),
        (error: unknown) => {
          assert(error instanceof NodeError);
          return false;
        },
      );
      await disk.crash();
      const after = await openTestChain(params, await open());
      assert.deepEqual(await after.utxoStats(), expected, `write ${at}`);
      if (isWhole) {
        assert.ok(at > 10, `${at} writes`);
        return;
      }
      // The crash points of connecting blocks are those of any other start.
      if (at > 12) at += 10;
    }
  });

  it('stops when it is told to, and goes on at the next start', async () => {
    const disk = await storedChain();
    await requestRebuild(disk.indexStore, params, 'all', false);
    const seen = new Set<OpenProgress['what']>();
    for (let starts = 0; ; starts++) {
      assert.ok(starts < 100);
      const stop = new AbortController();
      let calls = 0;
      const onProgress = ({ what, done, total }: OpenProgress): void => {
        seen.add(what);
        assert.ok(done <= total, `${what}: ${done} of ${total}`);
        if (++calls > 4 * (starts + 1)) stop.abort();
      };
      const opening = openTestChain(params, disk, { signal: stop.signal, onProgress });
      const chain = await opening.catch((error: unknown) => {
        assert.equal((error as NodeError).code, 'ABORTED');
        return undefined;
      });
      if (chain === undefined) continue;
      assert.ok(starts > 1, 'it was stopped more than once');
      assert.deepEqual(await chain.utxoStats(), expected);
      assert.deepEqual([...seen], ['reading headers', 'indexing blocks', 'connecting blocks']);
      return;
    }
  });

  it('downloads again what was pruned', async () => {
    const long = createChainBuilder(params, { seed: 43 });
    long.mineMany(330);
    const prune = { pruneBytes: 1, maxFileBytes: MAX_FILE_BYTES };
    const disk = await storedChain(long.blocks, prune);
    await assert.rejects(openTestChain(params, disk), { code: 'BAD_CONFIG' });
    const chain = await reindexed(disk);
    assert.deepEqual([chain.tip().height, chain.pruneTargetBytes(), chain.lowestStoredHeight()], [0, undefined, 0]);
    assert.deepEqual(
      disk.blk.files().map(({ file }) => file),
      [0],
    );
    for (const block of long.blocks) await chain.submitBlock(block);
    assert.deepEqual(await chain.utxoStats(), await coinsOf(long.blocks));
    await chain[Symbol.asyncDispose]();
    assert.equal((await openTestChain(params, disk)).tip().height, 330, 'without the option');
  });

  it('prunes what it connected, when that is asked for too', async () => {
    const long = createChainBuilder(params, { seed: 43 });
    long.mineMany(330);
    const disk = await storedChain(long.blocks);
    await requestRebuild(disk.indexStore, params, 'all', true);
    const chain = await openTestChain(params, disk, { pruneBytes: 1, maxFileBytes: MAX_FILE_BYTES });
    await chain.flush();
    assert.ok(chain.lowestStoredHeight() > 0 && chain.lowestStoredHeight() <= 330 - 287);
    assert.deepEqual(await chain.utxoStats(), await coinsOf(long.blocks));
  });

  it('spares scripts as any other start: all headers are known before blocks are connected', async () => {
    const long = createChainBuilder(params, { seed: 44 });
    long.mineMany(105);
    long.mine({ transactions: [buildTx([long.coin(1)], [pay(10_0000_0000n)])] });
    long.mineMany(2100);
    const disk = await diskOf([params.genesis, ...long.blocks.toReversed()].map(record));
    const jobsWith = async (assumeValid: BlockHash | undefined): Promise<number> => {
      await requestRebuild(disk.indexStore, params, 'all', false);
      const inner = createInlineVerifier();
      let jobs = 0;
      const verify: ScriptVerifier['verify'] = (batch, signal) => {
        jobs += batch.length;
        return inner.verify(batch, signal);
      };
      const chain = await openTestChain({ ...params, assumeValid }, disk, { verifier: { ...inner, verify } });
      assert.equal(chain.tip().height, long.height);
      return jobs;
    };
    assert.equal(await jobsWith(long.at(106).hash), 0);
    assert.equal(await jobsWith(undefined), 1);
  });
});

describe('reindex of the coins', () => {
  it('gives the same coins from index and files', async () => {
    const disk = await storedChain();
    const before = await contentOf(disk.rev);
    await disk.coinsStore.write([{ kind: 'put', key: Uint8Array.of(0x43, 1), value: Uint8Array.of(1, 2, 3) }]);
    const chain = await reindexed(disk, 'chainstate');
    assert.deepEqual(await chain.utxoStats(), expected);
    assert.deepEqual(await contentOf(disk.rev), before, 'undo data are as they were');
  });

  it('is refused where blocks were pruned, or will be', async () => {
    const long = createChainBuilder(params, { seed: 43 });
    long.mineMany(330);
    const disk = await storedChain(long.blocks, { pruneBytes: 1, maxFileBytes: MAX_FILE_BYTES });
    const refusal = { code: 'BAD_CONFIG', message: /use --reindex, which downloads them again/ };
    await assert.rejects(requestRebuild(disk.indexStore, params, 'chainstate', false), refusal);
    await assert.rejects(requestRebuild((await storedChain()).indexStore, params, 'chainstate', true), refusal);
    const chain = await openTestChain(params, disk, { pruneBytes: 1 });
    assert.equal(chain.tip().height, 330, 'nothing was touched');
  });
});

describe('a data directory', () => {
  it('with blocks and no index is not taken for a new one', async () => {
    const disk = await storedChain();
    const before = await contentOf(disk.blk);
    const { indexStore, coinsStore } = createTestDisk();
    const code = 'CORRUPT_DATA';
    await assert.rejects(openTestChain(params, { ...disk, indexStore, coinsStore }), { code, message: /--reindex/ });
    assert.deepEqual(await contentOf(disk.blk), before);
    const chain = await reindexed({ ...disk, indexStore, coinsStore });
    assert.deepEqual(await chain.utxoStats(), expected);
  });

  it('without its coins says how to get them back', async () => {
    const disk = await storedChain();
    const { coinsStore } = createTestDisk();
    const code = 'CORRUPT_DATA';
    await assert.rejects(openTestChain(params, { ...disk, coinsStore }), { code, message: /--reindex-chainstate/ });
    assert.deepEqual(await (await reindexed({ ...disk, coinsStore }, 'chainstate')).utxoStats(), expected);
  });

  it('of another network is not wiped', async () => {
    const disk = await storedChain();
    const genesis = main.at(1).block;
    await assert.rejects(requestRebuild(disk.indexStore, { ...params, genesis }, 'all', false), {
      code: 'WRONG_NETWORK',
    });
    assert.deepEqual(await (await openTestChain(params, disk)).utxoStats(), expected);
  });
});

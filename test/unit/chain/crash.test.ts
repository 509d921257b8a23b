/**
 * A disk that crashes at any write: in a flush of many small batches, between stores, at a block, in a reorganisation,
 * while old files are removed.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Chain, UtxoStats } from '#chain';
import type { Block, Transaction } from '#primitives';
import { NodeError, seededRandom } from '#util';
import type { ChainOptions } from '../../../src/chain/options.ts';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { FaultyDisk } from '../../support/faulty-store.ts';
import { openTestChain, type TestDisk } from '../../support/test-chain.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';

const RUNS = process.env['STARLING_LONG'] === undefined ? 12 : 1000;
const MAX_FILE_BYTES = 1 << 14;
/** One or two coins a batch. */
const BATCH_BYTES = 200;

/** Splits a coinbase of the chain into ten coins. */
function split(builder: ChainBuilder, height: number): Transaction {
  return buildTx(
    [builder.coin(height)],
    Array.from({ length: 10 }, () => pay(4_0000_0000n)),
  );
}

/** A chain of some `height` blocks, and a heavier one that leaves it ten blocks below its tip. */
function rivals(height: number): { readonly main: ChainBuilder; readonly rival: ChainBuilder } {
  const main = createChainBuilder(regtest(), { seed: 11 });
  main.mineMany(height);
  for (let height = 1; height <= 5; height++) main.mine({ transactions: [split(main, height)] });
  const rival = main.fork(height - 5);
  main.mineMany(5);
  for (let height = 1; height <= 12; height++) rival.mine({ transactions: [split(rival, height)] });
  rival.mineMany(10);
  return { main, rival };
}

async function open(disk: FaultyDisk, options: Partial<ChainOptions>): Promise<Chain> {
  const { maxFileBytes = MAX_FILE_BYTES } = options;
  const parts: TestDisk = {
    indexStore: await disk.openStore('index'),
    coinsStore: await disk.openStore('coins'),
    blk: disk.openFiles('blk', { maxFileBytes }),
    rev: disk.openFiles('rev', { maxFileBytes }),
  };
  return openTestChain(regtest(), parts, options);
}

/** So many blocks at a time, until the disk crashes (undefined) or all is in and counted. */
async function feed(chain: Chain, blocks: readonly Block[], atOnce: number): Promise<UtxoStats | undefined> {
  try {
    for (let at = 0; at < blocks.length; at += atOnce) {
      const some = blocks.slice(at, at + atOnce).map((block) => chain.submitBlock(block));
      for (const result of await Promise.allSettled(some)) if (result.status === 'rejected') throw result.reason;
    }
    return await chain.utxoStats();
  } catch (error) {
    if (error instanceof NodeError) return undefined;
    throw error;
  }
}

type World = {
  readonly height: number;
  readonly prune: Partial<ChainOptions>;
  /** Crashes come within so many writes of each start. */
  readonly maxWrites: number;
  readonly runs: number;
};

/** Feeds a chain on a disk that crashes again and again; the coins must be those of a disk that never did. */
async function crashUntilDone({ height, prune, maxWrites, runs }: World): Promise<Chain | undefined> {
  const { main, rival } = rivals(height);
  const blocks = [...main.blocks, ...rival.blocks.slice(height - 5)];
  const expected = await coinsOf(rival.blocks);
  let crashes = 0;
  let last: Chain | undefined;
  for (let seed = 1; seed <= runs; seed++) {
    const random = seededRandom(seed);
    const disk = new FaultyDisk(random);
    // An empty cache budget: each block is flushed.
    const options = { dbCacheBytes: seed % 2 === 0 ? 0 : 1 << 20, dbBatchBytes: BATCH_BYTES, ...prune };
    for (let isDone = false; !isDone; ) {
      disk.faultAt(1 + random.below(maxWrites), { kind: 'crash' });
      const chain = await open(disk, options).catch((error: unknown) => {
        if (error instanceof NodeError && error.code !== 'CORRUPT_DATA') return undefined;
        throw error;
      });
      const stats = chain && (await feed(chain, blocks, 1 + (seed % 7)));
      isDone = stats !== undefined;
      if (isDone) assert.deepEqual(stats, expected, `seed ${seed}`);
      else crashes++;
      await chain?.idle();
      await disk.crash();
    }
    last = await open(disk, options);
    assert.deepEqual(await last.utxoStats(), expected, `seed ${seed}, reopened`);
  }
  assert(crashes > runs, `${crashes} crashes`);
  return last;
}

async function coinsOf(blocks: readonly Block[]): Promise<UtxoStats> {
  const reference = await openTestChain(regtest());
  for (const block of blocks) await reference.submitBlock(block);
  return reference.utxoStats();
}

/** What the index says is stored is there, and what is said to be served. */
async function checkBodies(chain: Chain, blocks: readonly Block[]): Promise<void> {
  for (const [at, { hash, raw }] of blocks.entries()) {
    const height = at + 1;
    if (height <= chain.tip().height && height >= chain.lowestStoredHeight()) assert(chain.hasBlock(hash), `${height}`);
    if (chain.hasBlock(hash)) assert.deepEqual(await chain.readBlock(hash), raw, `block ${height}`);
  }
}

describe('after a crash at any write', () => {
  it('the coins are right again, and the chain goes on', async () => {
    await crashUntilDone({ height: 110, prune: {}, maxWrites: 600, runs: RUNS });
  });

  it('also of a chain that removes old files as soon as it may', async () => {
    const prune = { pruneBytes: 1, maxFileBytes: 2048 };
    const chain = await crashUntilDone({ height: 330, prune, maxWrites: 1500, runs: RUNS / 3 });
    assert.ok((chain?.lowestStoredHeight() ?? 0) > 0);
  });

  it('around the first removal of files, when the coins were never written before', async () => {
    const { blocks } = rivals(330).main;
    const expected = await coinsOf(blocks);
    // Files are full when coins are still those of genesis.
    const options = { pruneBytes: 55_000, maxFileBytes: 2048 };
    /** Gives the number of writes before the files are about to be removed, if it came so far. */
    const run = async (disk: FaultyDisk): Promise<number | undefined> => {
      let writes: number | undefined;
      const chain = await open(disk, options);
      chain.observe({
        pruned: () => {
          writes ??= disk.writes;
        },
      });
      const stats = await feed(chain, blocks, 1);
      if (stats !== undefined) assert.deepEqual(stats, expected);
      return writes;
    };
    const middle = await run(new FaultyDisk(seededRandom(1)));
    assert(middle !== undefined);
    for (let at = middle - 4; at <= middle + 7; at++) {
      const disk = new FaultyDisk(seededRandom(1));
      disk.faultAt(at, { kind: 'crash' });
      await run(disk);
      // As it is first: nothing is mended by removing more.
      const asItIs = await open(disk, { ...options, pruneBytes: 'as-is' });
      await checkBodies(asItIs, blocks);
      assert.ok(asItIs.tip().height > 280, `the coins of block ${asItIs.tip().height} can be replayed to the tip`);
      const again = await open(disk, options);
      assert.deepEqual(await feed(again, blocks, 1), expected, `write ${at - middle}`);
      await checkBodies(again, blocks);
      assert.ok(again.lowestStoredHeight() > 0);
    }
  });
});

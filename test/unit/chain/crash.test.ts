/** A disk that crashes at any write: in a flush of many small batches, between stores, at a block, in a reorganisation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Chain, UtxoStats } from '#chain';
import type { Block, Transaction } from '#primitives';
import { NodeError, seededRandom } from '#util';
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

/** A chain, and a heavier one that leaves it ten blocks below its tip. */
function rivals(): { readonly main: ChainBuilder; readonly rival: ChainBuilder } {
  const main = createChainBuilder(regtest(), { seed: 11 });
  main.mineMany(110);
  for (let height = 1; height <= 5; height++) main.mine({ transactions: [split(main, height)] });
  const rival = main.fork(105);
  main.mineMany(5);
  for (let height = 3; height <= 14; height++)
    rival.mine({ transactions: rival.height > 104 ? [split(rival, height - 2)] : [] });
  rival.mineMany(10);
  return { main, rival };
}

async function open(disk: FaultyDisk, seed: number): Promise<Chain> {
  const parts = {
    indexStore: await disk.openStore('index'),
    coinsStore: await disk.openStore('coins'),
    blk: disk.openFiles('blk', { maxFileBytes: MAX_FILE_BYTES }),
    rev: disk.openFiles('rev', { maxFileBytes: MAX_FILE_BYTES }),
  } as TestDisk;
  // An empty cache budget: each block is flushed.
  return openTestChain(regtest(), parts, { dbCacheBytes: seed % 2 === 0 ? 0 : 1 << 20, dbBatchBytes: BATCH_BYTES });
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

describe('after a crash at any write', () => {
  const { main, rival } = rivals();
  const blocks = [...main.blocks, ...rival.blocks.slice(105)];
  let expected: UtxoStats;

  it('the coins are right again, and the chain goes on', async () => {
    const reference = await openTestChain(regtest());
    for (const block of rival.blocks) await reference.submitBlock(block);
    expected = await reference.utxoStats();
    let crashes = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const random = seededRandom(seed);
      const disk = new FaultyDisk(random);
      for (let isDone = false; !isDone; ) {
        disk.faultAt(1 + random.below(600), { kind: 'crash' });
        const chain = await open(disk, seed).catch((error: unknown) => {
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
      const reopened = await open(disk, seed);
      assert.deepEqual(await reopened.utxoStats(), expected, `seed ${seed}, reopened`);
    }
    assert(crashes > RUNS, `${crashes} crashes`);
  });
});

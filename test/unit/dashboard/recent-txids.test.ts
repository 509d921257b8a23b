/** Transactions of the newest blocks: each block is read once for all questions, and again only on another branch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderEntry } from '#chain';
import type { Txid } from '#primitives';
import { BlockBodies } from '../../../src/dashboard/explorer/block-bodies.ts';
import { RecentTxids, SEARCHED_BLOCKS } from '../../../src/dashboard/explorer/recent-txids.ts';
import { type BuiltBlock, createChainBuilder, regtest } from '../../support/chain-builder.ts';

const builder = createChainBuilder(regtest());
builder.mineMany(12);

function makeStage() {
  const reads: number[] = [];
  let tipHeight = 10;
  const entryAt = (height: number): HeaderEntry | undefined => {
    if (height > tipHeight || height < 1) return undefined;
    const { block, hash } = builder.at(height);
    return { hash, height, header: block.header, chainWork: 0n, medianTimePast: 0 };
  };
  const chain = {
    tip: () => entryAt(tipHeight) ?? assert.fail(),
    activeAt: entryAt,
    getHeader: () => undefined,
    readUndo: async () => [],
    readBlock: async (hash: string) => {
      const built = builderBlocks().find((each) => each.hash === hash) ?? assert.fail();
      reads.push(built.height);
      return built.block.raw;
    },
  };
  const recent = new RecentTxids(chain, new BlockBodies(chain));
  return {
    reads,
    moveTo: (height: number) => {
      tipHeight = height;
    },
    heightOf: async (txid: Txid) => (await recent.find(txid))?.height,
  };
}

const builderBlocks = (): readonly BuiltBlock[] => Array.from({ length: 12 }, (_, at) => builder.at(at + 1));
const coinbaseAt = (height: number): Txid => builder.at(height).block.transactions[0]?.txid ?? assert.fail();

test('from the tip down, as far as needed, each block once', async () => {
  const { reads, heightOf } = makeStage();
  assert.equal(await heightOf(coinbaseAt(9)), 9);
  assert.deepEqual(reads, [10, 9]);
  assert.equal(await heightOf(coinbaseAt(10)), 10);
  assert.equal(await heightOf('0'.repeat(64) as Txid), undefined);
  assert.deepEqual(reads, [10, 9, 8, 7, 6, 5]);
  assert.equal(await heightOf(coinbaseAt(10 - SEARCHED_BLOCKS)), undefined, 'too long ago');
  assert.equal(await heightOf(coinbaseAt(5)), 5);
  assert.equal(reads.length, SEARCHED_BLOCKS);
});

test('a further block is read, the others stay, and what is too long ago is forgotten', async () => {
  const { reads, heightOf, moveTo } = makeStage();
  await heightOf('0'.repeat(64) as Txid);
  moveTo(12);
  assert.equal(await heightOf(coinbaseAt(12)), 12);
  assert.equal(await heightOf(coinbaseAt(7)), 7);
  assert.equal(await heightOf(coinbaseAt(6)), undefined);
  assert.deepEqual(reads.slice(SEARCHED_BLOCKS), [12, 11]);
  moveTo(3);
  assert.equal(await heightOf('0'.repeat(64) as Txid), undefined, 'to the beginning of a short chain');
});

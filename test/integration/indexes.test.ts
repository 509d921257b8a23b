/** A whole node with all indexes: what its operator does to the chain, and what the mempool and the indexes make of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Block } from '#primitives';
import { type NodeError, nextTurn } from '#util';
import { regtest } from '../support/chain-builder.ts';
import { testKey } from '../support/keys.ts';
import { createTestNodes } from '../support/test-nodes.ts';
import { buildTx, outputOf, pay } from '../support/tx-builder.ts';

const ALL = { txIndex: true, blockFilterIndex: true, coinStatsIndex: true };
const ALONE = { listen: [], indexes: ALL };

test('a node with indexes: mined, invalidated, reconsidered, started again', async () => {
  await using nodes = await createTestNodes(regtest());
  const node = await nodes.start('a', ALONE);
  const { p2pkh } = testKey(0);
  for (let height = 1; height <= 101; height++) await node.mineBlock(p2pkh);
  const first = node.chain.activeAt(1);
  assert.ok(first);
  const raw = await node.chain.readBlock(first.hash);
  assert.ok(raw);
  const [coinbase] = new Block(raw).transactions;
  assert.ok(coinbase);
  const tx = buildTx([outputOf(coinbase)], [pay(49_0000_0000n)]);
  assert.equal((await node.submitTransaction(tx.raw)).kind, 'accepted');
  assert.equal(await node.indexes.transaction(tx.txid), undefined, 'not in a block');
  await node.mineBlock(p2pkh);
  const { hash } = node.chain.tip();
  assert.equal((await node.indexes.transaction(tx.txid))?.blockHash, hash);
  // Each index follows for itself, and reads no block that was left before it came there.
  assert.equal((await node.indexes.coinStats(hash))?.height, 102);
  assert.equal((await node.status()).mempool.count, 0);

  assert.equal(await node.chain.invalidateBlock(hash), true);
  assert.equal(node.chain.tip().height, 101);
  assert.equal((await node.status()).mempool.count, 1, 'the mempool has the transaction again');
  assert.equal((await node.indexes.coinStats(101))?.height, 101);
  assert.equal((await node.indexes.coinStats(hash))?.height, 102, 'of the block that was left, too');
  assert.equal((await node.indexes.transaction(tx.txid))?.blockHash, hash);

  assert.equal(await node.chain.reconsiderBlock(hash), true);
  assert.equal(node.chain.tip().hash, hash);
  assert.equal((await node.status()).mempool.count, 0);
  const stats = await node.indexes.coinStats(102);
  assert.equal(stats?.muhash, (await node.chain.utxoStats()).muhash);
  assert.equal(stats.blockInfo.unspendables.unclaimedRewards, 0n);
  await node[Symbol.asyncDispose]();

  const again = await nodes.start('a', ALONE);
  assert.deepEqual(await again.indexes.coinStats(hash), stats);
  assert.ok(again.indexes.info().every(({ bestBlockHeight }) => bestBlockHeight === 102));
  await again[Symbol.asyncDispose]();

  const pruning = nodes.start('a', { ...ALONE, pruneBytes: 1 << 30 });
  await assert.rejects(pruning, (error: NodeError) =>
    /^Prune mode is incompatible with --txindex$/.test(error.message),
  );
  const rebuilt = await nodes.start('a', { ...ALONE, reindex: 'all' });
  while (!rebuilt.indexes.info().every(({ synced }) => synced)) await nextTurn();
  assert.deepEqual(await rebuilt.indexes.coinStats(hash), stats);
});

/** A real node stops and starts: its mempool and fee estimates are there again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadNetwork } from '#node';
import { createChainBuilder } from '../support/chain-builder.ts';
import { createTestNodes, statusWhen } from '../support/test-nodes.ts';
import { buildTx, outputOf, pay } from '../support/tx-builder.ts';

const timeout = 60_000;

describe('a node that is started again', { timeout }, () => {
  it('has its mempool again, unless it shall not', async () => {
    const params = await loadNetwork('regtest');
    await using nodes = await createTestNodes(params);
    const builder = createChainBuilder(params);
    builder.mineMany(102);
    const parent = buildTx([builder.coin(1)], [pay(49_9999_0000n)]);
    const child = buildTx([outputOf(parent)], [pay(49_9998_0000n)]);
    {
      await using node = await nodes.start('node', { listen: [] });
      for (const block of builder.blocks) assert.deepEqual(await node.submitBlock(block.raw), { kind: 'accepted' });
      assert.equal((await node.submitTransaction(parent.raw)).kind, 'accepted');
      assert.equal((await node.submitTransaction(child.raw)).kind, 'accepted');
      const estimate = { errors: ['Insufficient data or no feerate found'], blocks: 0 };
      assert.deepEqual(node.estimateSmartFee(6, 'economical'), estimate);
    }
    {
      await using node = await nodes.start('node', { listen: [], persistMempool: false });
      assert.equal((await node.status()).mempool.count, 0);
    }
    await using node = await nodes.start('node', { listen: [] });
    await statusWhen(node, ({ mempool }) => mempool.count === 2);
    assert.deepEqual(await node.submitTransaction(child.raw), { kind: 'duplicate', txid: child.txid });
  });
});

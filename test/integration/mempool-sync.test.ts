import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadNetwork } from '#node';
import { createChainBuilder } from '../support/chain-builder.ts';
import { addressesOf, createTestNodes, phaseOf, statusWhen } from '../support/test-nodes.ts';
import { buildTx, outputOf, pay } from '../support/tx-builder.ts';

const CHAINS = 40;

it('a node that joins fetches what the mempools of its peers hold', { timeout: 120_000 }, async () => {
  const params = await loadNetwork('regtest');
  await using nodes = await createTestNodes(params);
  const first = await nodes.start('first');
  const builder = createChainBuilder(params);
  builder.mineMany(100 + CHAINS);
  for (const block of builder.blocks) assert.deepEqual(await first.submitBlock(block.raw), { kind: 'accepted' });
  for (let height = 1; height <= CHAINS; height++) {
    const parent = buildTx([builder.coin(height)], [pay(49_0000_0000n)]);
    const child = buildTx([outputOf(parent)], [pay(48_0000_0000n)]);
    for (const tx of [parent, child]) assert.equal((await first.submitTransaction(tx.raw)).kind, 'accepted');
  }

  const late = await nodes.start('late', { bootstrap: await addressesOf(first) });
  await phaseOf(late, 'at-tip');
  await statusWhen(late, (status) => status.mempool.count === 2 * CHAINS);
});

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadNetwork } from '#node';
import { createChainBuilder } from '../support/chain-builder.ts';
import { addressesOf, createTestNodes, phaseOf, statusWhen, tipOf } from '../support/test-nodes.ts';
import { buildTx, outputOf, pay } from '../support/tx-builder.ts';

it('a node that hears of a child first fetches the parents, the large one too', { timeout: 120_000 }, async () => {
  const params = await loadNetwork('regtest');
  await using nodes = await createTestNodes(params);
  const first = await nodes.start('first');
  const builder = createChainBuilder(params);
  builder.mineMany(120);
  for (const block of builder.blocks) assert.deepEqual(await first.submitBlock(block.raw), { kind: 'accepted' });
  const outputs = Array.from({ length: 200 }, () => pay(1_000_000n));
  const parents = [buildTx([builder.coin(1)], [pay(49_0000_0000n)]), buildTx([builder.coin(2)], outputs)];
  // Nobody is there to hear of these.
  for (const tx of parents) assert.equal((await first.submitTransaction(tx.raw)).kind, 'accepted');

  const late = await nodes.start('late', { bootstrap: await addressesOf(first) });
  await phaseOf(first, 'at-tip');
  for (let heard = false; !heard; heard = (await late.status()).lastBlockDelayMs !== undefined) {
    assert.deepEqual(await first.submitBlock(builder.mine().raw), { kind: 'accepted' });
    await tipOf(late, (tip) => tip.hash === builder.tip.hash);
  }
  await phaseOf(late, 'at-tip');
  assert.equal((await late.status()).mempool.count, 0);
  const child = buildTx(
    parents.map((tx) => outputOf(tx)),
    [pay(49_0000_0000n)],
  );
  assert.equal((await first.submitTransaction(child.raw)).kind, 'accepted');
  await statusWhen(late, (status) => status.mempool.count === 3);
});

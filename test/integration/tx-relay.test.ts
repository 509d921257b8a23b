import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadNetwork } from '#node';
import { createChainBuilder } from '../support/chain-builder.ts';
import { addressesOf, createTestNodes, gossipFlows, statusWhen } from '../support/test-nodes.ts';
import { buildTx, outputOf, pay } from '../support/tx-builder.ts';

it('a node that hears of a child first fetches the parents, the large one too', { timeout: 120_000 }, async () => {
  const params = await loadNetwork('regtest');
  await using nodes = await createTestNodes(params);
  const builder = createChainBuilder(params);
  builder.mineMany(120);
  const outputs = Array.from({ length: 200 }, () => pay(1_000_000n));
  const parents = [buildTx([builder.coin(1)], [pay(49_0000_0000n)]), buildTx([builder.coin(2)], outputs)];

  const young = await nodes.start('first');
  for (const block of builder.blocks) assert.deepEqual(await young.submitBlock(block.raw), { kind: 'accepted' });
  const late = await nodes.start('late', { bootstrap: await addressesOf(young) });
  await gossipFlows(young, [late], builder);
  await young[Symbol.asyncDispose]();

  // Nobody is there to hear of the parents, and the other node has asked this one for its mempool before.
  const alone = await nodes.start('first', { listen: [] });
  for (const tx of parents) assert.equal((await alone.submitTransaction(tx.raw)).kind, 'accepted');
  await alone[Symbol.asyncDispose]();
  const first = await nodes.start('first', { connect: await addressesOf(late) });
  await statusWhen(first, (status) => status.mempool.count === 2);
  await gossipFlows(first, [late], builder);
  assert.equal((await late.status()).mempool.count, 0);

  const child = buildTx(
    parents.map((tx) => outputOf(tx)),
    [pay(49_0000_0000n)],
  );
  assert.equal((await first.submitTransaction(child.raw)).kind, 'accepted');
  await statusWhen(late, (status) => status.mempool.count === 3);
});

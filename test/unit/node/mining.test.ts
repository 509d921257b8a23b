/** When the template for miners outside is made anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '#util';
import { createMining } from '../../../src/node/mining.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from '../mempool/harness.ts';

const spend = (h: Harness, height: number): ReturnType<typeof buildTx> =>
  buildTx([h.builder.coin(height)], [pay(1_000_000n)]);

test('a template holds until the tip moves, and for five seconds when transactions come', async () => {
  await using h = await createHarness();
  const mining = createMining({ ...h, random: seededRandom(1) });
  assert.equal(mining.lastTemplate(), undefined);
  const first = mining.current();
  assert.equal(first.version, h.mempool.version());
  assert.deepEqual(mining.lastTemplate(), { weight: 4_000, transactions: 0 });
  assert.equal(await h.submit(spend(h, 1)), 'accepted');
  assert.equal(mining.current(), first);
  await h.clock.advance(5_001);
  const second = mining.current();
  assert.equal(second.template.entries.length, 1);
  assert.equal(second.template.weight, 4_000 + (second.template.entries[0]?.weight ?? 0));
  await h.connect(h.builder.mine());
  const third = mining.current();
  assert.equal(third.template.block.header.prevHash, h.chain.tip().hash);
  assert.equal(third.template.entries.length, 1);
});

test('blocks for test chains hold what they are told to, and are solved within so many tries', async () => {
  await using h = await createHarness();
  const mining = createMining({ ...h, random: seededRandom(1) });
  const tx = spend(h, 1);
  assert.equal(await h.submit(spend(h, 2)), 'accepted');
  const block = mining.assemble(Uint8Array.of(0x51), [tx]);
  assert.deepEqual(
    block.transactions.slice(1).map(({ txid }) => txid),
    [tx.txid],
  );
  assert.equal(block.transactions[0]?.outputs[0]?.value, 50_0000_0000n, 'without the fee');
  assert.equal(await h.chain.checkProposal(block), undefined);
  const { signal } = new AbortController();
  assert.equal(await mining.solve(block, { maxHashes: 0, signal }), undefined);
  const solved = await mining.solve(block, { maxHashes: 10_000, signal });
  assert.equal((await h.chain.submitBlock(solved ?? assert.fail())).kind, 'connected');
});

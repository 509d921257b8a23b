/** Real nodes in a line: a block whose transactions nobody else has seen is passed on without being fetched whole. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadNetwork, type StarlingNode } from '#node';
import { type ChainBuilder, createChainBuilder } from '../support/chain-builder.ts';
import { addressesOf, createTestNodes, phaseOf, tipOf } from '../support/test-nodes.ts';
import { buildTx, pay } from '../support/tx-builder.ts';

const timeout = 120_000;

async function announcedBlocks(node: StarlingNode) {
  return (await node.status()).announcedBlocks;
}

/** A block with a transaction that only the first node sees, before it is everybody's tip. */
async function passOn(builder: ChainBuilder, nodes: readonly StarlingNode[], coinHeight: number): Promise<void> {
  const unseen = buildTx([builder.coin(coinHeight)], [pay(49_0000_0000n)]);
  const block = builder.mine({ transactions: [unseen] });
  assert.deepEqual(await nodes[0]?.submitBlock(block.raw), { kind: 'accepted' });
  await Promise.all(nodes.map((node) => tipOf(node, (tip) => tip.height >= builder.height)));
}

it('transactions that a node lacks come with one round trip, over several hops', { timeout }, async () => {
  const params = await loadNetwork('regtest');
  await using nodes = await createTestNodes(params);
  const alone = { targetOutbound: 0 };
  const a = await nodes.start('a', { ...alone, maxPeers: 1 });
  const b = await nodes.start('b', { ...alone, connect: await addressesOf(a) });
  const c = await nodes.start('c', { ...alone, connect: await addressesOf(b) });
  const line = [a, b, c];
  const builder = createChainBuilder(params);
  builder.mineMany(200);
  for (const block of builder.blocks) assert.deepEqual(await a.submitBlock(block.raw), { kind: 'accepted' });
  await Promise.all(line.map((node) => tipOf(node, (tip) => tip.height === builder.height)));
  await Promise.all(line.map((node) => phaseOf(node, 'at-tip')));
  assert.equal((await c.status()).net.peers.length, 1, 'the last one knows only its neighbour');

  // Gossip forms its mesh in heartbeats: blocks announced before come by hello. One that took too long is no failure.
  for (let height = 1; height < 100; height++) {
    await passOn(builder, line, height);
    const counts = await Promise.all([b, c].map(announcedBlocks));
    if (counts.every(({ withRoundTrip }) => withRoundTrip > 0)) break;
  }
  for (const node of [b, c]) assert.ok((await announcedBlocks(node)).withRoundTrip > 0);
  assert.equal((await announcedBlocks(a)).withRoundTrip, 0, 'who made them needs nothing');
});

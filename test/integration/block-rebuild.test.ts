/** Real nodes in a line: blocks are passed on by their headers, and rebuilt from what the neighbour gives. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadNetwork, type StarlingNode } from '#node';
import type { Block } from '#primitives';
import { type ChainBuilder, createChainBuilder } from '../support/chain-builder.ts';
import { addressesOf, createTestNodes, phaseOf, type TestNodes, tipOf } from '../support/test-nodes.ts';
import { buildTx, pay } from '../support/tx-builder.ts';

const timeout = 120_000;

type Line = {
  readonly builder: ChainBuilder;
  /** Each knows only its neighbours; all are at the builder's tip, 200 blocks high. */
  readonly nodes: readonly [StarlingNode, StarlingNode, StarlingNode];
};

async function startLine(network: TestNodes, builder: ChainBuilder): Promise<Line> {
  const alone = { targetOutbound: 0 };
  const a = await network.start('a', { ...alone, maxPeers: 1 });
  const b = await network.start('b', { ...alone, connect: await addressesOf(a) });
  const c = await network.start('c', { ...alone, connect: await addressesOf(b) });
  builder.mineMany(200);
  for (const block of builder.blocks) assert.deepEqual(await a.submitBlock(block.raw), { kind: 'accepted' });
  const nodes = [a, b, c] as const;
  await Promise.all(nodes.map((node) => tipOf(node, (tip) => tip.height === builder.height)));
  await Promise.all(nodes.map((node) => phaseOf(node, 'at-tip')));
  assert.equal((await c.status()).net.peers.length, 1, 'the last one knows only its neighbour');
  return { builder, nodes };
}

async function announcedBlocks(node: StarlingNode) {
  return (await node.status()).announcedBlocks;
}

/** Gives a block to the first node and waits until it is everybody's tip. */
async function passOn({ nodes }: Line, block: Block): Promise<void> {
  assert.deepEqual(await nodes[0].submitBlock(block.raw), { kind: 'accepted' });
  await Promise.all(nodes.map((node) => tipOf(node, (tip) => tip.hash === block.hash)));
}

/**
 * Passes on block after block, each with a coin of its own, until both that did not make it have rebuilt one as wanted.
 * Gossip forms its mesh in heartbeats: blocks announced before come by hello. One that took too long is no failure.
 */
async function passOnUntil(
  line: Line,
  how: 'withRoundTrip' | 'withoutRoundTrip',
  make: (coinHeight: number) => Block,
): Promise<void> {
  const [a, ...others] = line.nodes;
  for (let height = 1; height < 100; height++) {
    await passOn(line, make(height));
    const counts = await Promise.all(others.map(announcedBlocks));
    if (counts.every((count) => count[how] > 0)) break;
  }
  for (const node of others) assert.ok((await announcedBlocks(node))[how] > 0);
  assert.deepEqual(await announcedBlocks(a), { withoutRoundTrip: 0, withRoundTrip: 0, whole: 0 });
}

it('a large block goes by its header, and what nodes lack comes with one round trip', { timeout }, async () => {
  const params = await loadNetwork('regtest');
  await using network = await createTestNodes(params);
  const line = await startLine(network, createChainBuilder(params));
  const { builder } = line;
  // The one fits into the compact form, which is too long for gossip then; the other is above what it carries.
  const payments = (outputs: number) => Array.from({ length: outputs }, () => pay(1_000n));
  await passOnUntil(line, 'withRoundTrip', (height) => {
    const carried = buildTx([builder.coin(2 * height)], payments(100));
    const lacking = buildTx([builder.coin(2 * height + 1)], payments(400));
    return builder.mine({ transactions: [carried, lacking] });
  });
});

it('what a node alone knew goes with the block itself', { timeout }, async () => {
  const params = await loadNetwork('regtest');
  await using network = await createTestNodes(params);
  const line = await startLine(network, createChainBuilder(params));
  const { builder } = line;
  // Above what is announced by more than the header, below what compact blocks carry besides the coinbase.
  const outputs = Array.from({ length: 100 }, () => pay(1_000n));
  await passOnUntil(line, 'withoutRoundTrip', (height) =>
    builder.mine({ transactions: [buildTx([builder.coin(height)], outputs)] }),
  );
});

it('a reorganisation of several blocks is heard of by gossip, and the branch fetched', { timeout }, async () => {
  const params = await loadNetwork('regtest');
  await using network = await createTestNodes(params);
  const line = await startLine(network, createChainBuilder(params));
  const { builder, nodes } = line;
  await passOnUntil(line, 'withoutRoundTrip', () => builder.mine());
  // Who made the blocks says no hello for them: what the others hear of it, gossip has brought.
  const branch = builder.fork(builder.height - 3);
  branch.mineMany(5);
  for (const block of branch.blocks.slice(-5)) {
    assert.deepEqual(await nodes[0].submitBlock(block.raw), { kind: 'accepted' });
  }
  await Promise.all(nodes.map((node) => tipOf(node, (tip) => tip.hash === branch.tip.hash)));
});

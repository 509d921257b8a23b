/** What two nodes count of each other, with the network in either thread: figures agree with what happened. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createNet, createWorkerNet, type MeteredNet, type NetHandlers } from '#net';
import type { NodeFigures, StarlingNode } from '#node';
import { regtest } from '../support/chain-builder.ts';
import { addressesOf, createTestNodes, statusWhen, tipOf } from '../support/test-nodes.ts';
import { deps, eventually, netOptions } from './net-support.ts';

/** OP_TRUE. */
const ANYONE = Uint8Array.of(0x51);

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Waits for gossip, which is judged after the block is there. */
async function figuresWhen(node: StarlingNode, when: (figures: NodeFigures) => boolean): Promise<NodeFigures> {
  for (;;) {
    const figures = await node.figures();
    if (when(figures)) return figures;
    await nextTurn();
  }
}

function isQuiet({ net, relay }: NodeFigures): boolean {
  const { waiting, withNode } = net.gossip.topics.block;
  return waiting + withNode === 0 && relay.blockDelaySeconds.sum > 0;
}

for (const netThread of ['worker', 'main'] as const) {
  test(`blocks, requests, dials and bytes are counted with the network in the ${netThread} thread`, async () => {
    await using nodes = await createTestNodes(regtest());
    const miner = await nodes.start('miner', { netThread });
    const other = await nodes.start('other', { netThread, connect: await addressesOf(miner) });
    for (const node of [miner, other]) await statusWhen(node, ({ net }) => net.peers.length === 1);
    await eventually(async () => (await miner.figures()).net.gossip.topics.block.meshPeers === 1);
    for (let height = 1; height <= 3; height++) {
      await miner.mineBlock(ANYONE);
      await tipOf(other, (tip) => tip.height === height);
    }

    const { net, chain, relay, stores } = await figuresWhen(other, isQuiet);
    const { block } = net.gossip.topics;
    assert.ok(block.received >= 1 && block.meshPeers === 1 && block.subscribers === 1);
    assert.equal(block.received - block.duplicates, total([block.accepted, block.ignored, block.rejected]));
    assert.equal(total(block.verdictSeconds.counts), block.received - block.duplicates);
    assert.ok(net.gossip.control.in.graft + net.gossip.control.out.graft >= 1);
    assert.ok((net.asked.headers.results['answered'] ?? 0) >= 1 && net.asked.headers.running === 0);
    assert.equal(net.dials.manual.connected, 1);
    assert.ok((net.protocols['hello']?.bytesIn ?? 0) > 0 && (net.protocols['gossipsub']?.openedOut ?? 0) >= 1);
    assert.deepEqual(net.addresses, { tried: 1, new: 0 });
    assert.equal(total(Object.values(net.offences)), 0);
    assert.equal(total(chain.connectSeconds.check.counts), 3);
    assert.equal(chain.headers, 4);
    assert.ok(total(relay.blockDelaySeconds.counts) >= 1);
    assert.ok(stores.coins.reads > 0);

    const mined = await miner.figures();
    assert.equal(mined.net.gossip.topics.block.published, 3);
    assert.ok((mined.net.served.hello.results['answered'] ?? 0) >= 1);
    if (netThread === 'main') return assert.equal(mined.net.thread, undefined);
    const thread = mined.net.thread ?? assert.fail();
    assert.ok(thread.use.activeMs > 0 && thread.messages.toNet > 0 && thread.messages.fromNet > 0);
    assert.ok(thread.use.heapBytes > 1e6 && thread.answerMs >= 0);
  });
}

for (const [where, create] of [
  ['this thread', createNet],
  ['a thread of its own', createWorkerNet],
] as const) {
  test(`offences count by their names, in ${where}`, async () => {
    const handlers: NetHandlers = {
      peerConnected: () => {},
      peerDisconnected: () => {},
      async *serve() {},
      gossip: async () => 'ignore',
    };
    await using net: MeteredNet = await create(netOptions(), handlers, deps);
    net.charge(net.peerId, 'stalled', 'for a test');
    net.charge(net.peerId, 'stalled', 'for a test');
    const { offences } = await net.figures();
    assert.deepEqual([offences.stalled, offences['invalid-block']], [2, 0]);
  });
}

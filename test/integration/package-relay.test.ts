/** Real nodes in a line: a parent that no node takes alone reaches all of them with the child that pays for it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadNetwork } from '#node';
import { createChainBuilder } from '../support/chain-builder.ts';
import { addressesOf, createTestNodes, gossipFlows, phaseOf, statusWhen, tipOf } from '../support/test-nodes.ts';
import { buildTx, outputOf, pay } from '../support/tx-builder.ts';

const timeout = 120_000;
const COIN = 1_0000_0000n;

describe('one parent and one child', () => {
  it('travel together over several hops, in whatever order they are announced', { timeout }, async () => {
    const params = await loadNetwork('regtest');
    await using nodes = await createTestNodes(params);
    // Announcements wait: parents and children do not arrive in one order everywhere.
    const alone = { targetOutbound: 0, trickleMs: 200 };
    const a = await nodes.start('a', { ...alone, maxPeers: 1 });
    const b = await nodes.start('b', { ...alone, connect: await addressesOf(a) });
    const c = await nodes.start('c', { ...alone, connect: await addressesOf(b) });
    const line = [a, b, c];
    const builder = createChainBuilder(params);
    builder.mineMany(120);
    for (const block of builder.blocks) assert.deepEqual(await a.submitBlock(block.raw), { kind: 'accepted' });
    await Promise.all(line.map((node) => tipOf(node, (tip) => tip.height === builder.height)));
    await Promise.all(line.map((node) => phaseOf(node, 'at-tip')));
    await gossipFlows(a, [b, c], builder);

    const pairs = [1, 2, 3, 4].map((height) => {
      const parent = buildTx([builder.coin(height)], [pay(50n * COIN)], { version: 3 });
      return { parent, child: buildTx([outputOf(parent)], [pay(49n * COIN)], { version: 3 }) };
    });
    for (const { parent, child } of pairs) {
      const refused = { kind: 'rejected', code: 'min relay fee not met', txid: parent.txid };
      assert.deepEqual(await a.submitTransaction(parent.raw), refused);
      assert.deepEqual(await a.submitPackage(parent.raw, child.raw), {
        kind: 'accepted',
        parent: { kind: 'accepted', txid: parent.txid },
        child: { kind: 'accepted', txid: child.txid },
      });
    }
    for (const node of line) await statusWhen(node, (status) => status.mempool.count === 2 * pairs.length);
  });

  it('are answered for as a package and one by one', { timeout }, async () => {
    const params = await loadNetwork('regtest');
    await using nodes = await createTestNodes(params);
    const node = await nodes.start('alone', { listen: [] });
    const builder = createChainBuilder(params);
    builder.mineMany(103);
    for (const block of builder.blocks) await node.submitBlock(block.raw);
    const parent = buildTx([builder.coin(1)], [pay(50n * COIN)], { version: 3 });
    const poor = buildTx([outputOf(parent)], [pay(50n * COIN - 100n)], { version: 3 });
    const rich = buildTx([outputOf(parent)], [pay(49n * COIN)], { version: 3 });
    const stranger = buildTx([builder.coin(2)], [pay(49n * COIN)]);
    const tooLittle = { kind: 'rejected', code: 'min relay fee not met' } as const;

    assert.deepEqual(await node.submitPackage(parent.raw, new Uint8Array(10).fill(255)), {
      kind: 'rejected',
      code: 'TX decode failed',
    });
    assert.deepEqual(await node.submitPackage(parent.raw, stranger.raw), {
      kind: 'rejected',
      code: 'package-not-child-with-parents',
    });
    assert.deepEqual(await node.submitPackage(parent.raw, poor.raw), {
      kind: 'rejected',
      code: 'transaction failed',
      parent: { ...tooLittle, txid: parent.txid },
      child: { ...tooLittle, txid: poor.txid },
    });
    assert.equal((await node.submitPackage(parent.raw, rich.raw)).kind, 'accepted');
    assert.deepEqual(await node.submitPackage(parent.raw, rich.raw), {
      kind: 'duplicate',
      parent: { kind: 'duplicate', txid: parent.txid },
      child: { kind: 'duplicate', txid: rich.txid },
    });
  });
});

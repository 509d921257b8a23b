import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { NetworkParams } from '#consensus';
import { loadNetwork, type StarlingNode } from '#node';
import { createChainBuilder } from '../support/chain-builder.ts';
import { ANYONE_CAN_SPEND, testKey } from '../support/keys.ts';
import { addressesOf, createTestNodes, phaseOf, statusWhen, tipOf } from '../support/test-nodes.ts';
import { buildTx, pay } from '../support/tx-builder.ts';

let params: NetworkParams;
before(async () => {
  params = await loadNetwork('regtest');
});

const timeout = 120_000;

async function mine(node: StarlingNode, count: number): Promise<void> {
  for (let i = 0; i < count; i++) assert.deepEqual(await node.mineBlock(testKey(0).p2pkh), { kind: 'accepted' });
}

describe('nodes', () => {
  it(
    'find each other by a seed that has no blocks, sync, and pass on blocks and transactions',
    { timeout },
    async () => {
      await using nodes = await createTestNodes(params);
      const seed = await nodes.start('seed');
      const bootstrap = await addressesOf(seed);
      const miner = await nodes.start('miner', { bootstrap });
      const builder = createChainBuilder(params);
      builder.mineMany(120);
      for (const block of builder.blocks) assert.deepEqual(await miner.submitBlock(block.raw), { kind: 'accepted' });
      // A mempool that is asked for tells of what was not announced, too.
      const late = await nodes.start('late', { bootstrap, syncsMempool: false });
      await tipOf(late, (tip) => tip.hash === builder.tip.hash);
      assert.deepEqual(await late.chain.utxoStats(), await miner.chain.utxoStats());
      const minerId = (await miner.status()).net.peerId;
      const { net } = await statusWhen(late, (status) => status.net.peers.some((peer) => peer.id === minerId));
      assert.ok(net.peers.length >= 1, 'found by the DHT: only the seed was told');

      await phaseOf(late, 'at-tip');
      await phaseOf(miner, 'at-tip');
      const tx = buildTx([builder.coin(1)], [pay(49_0000_0000n)]);
      // Gossip forms its mesh in heartbeats: what is said before it is lost, as peers expect.
      let heard = false;
      while (!heard) {
        await mine(miner, 1);
        const { height } = miner.chain.tip();
        await tipOf(late, (tip) => tip.height >= height);
        heard = (await late.status()).lastBlockDelayMs !== undefined;
      }
      const entered: string[] = [];
      const stopListening = late.onTransaction(({ txid }) => entered.push(txid));
      const kept = buildTx([builder.coin(2)], [pay(48_0000_0000n)]);
      assert.equal((await miner.submitTransaction(kept.raw, { announce: false })).kind, 'accepted');
      const sent = await miner.submitTransaction(tx.raw);
      assert.deepEqual(sent, { kind: 'accepted', txid: tx.txid });
      const { net: netAfter } = await statusWhen(late, (status) => status.mempool.count > 0);
      assert.deepEqual(entered, [tx.txid], 'of the other nobody was told');
      stopListening();
      const { connections, streams, gossip } = netAfter;
      assert.ok(connections >= 1 && streams >= connections && gossip.fresh >= 2 && gossip.received >= gossip.fresh);
      await mine(miner, 1);
      await statusWhen(late, (status) => status.mempool.count === 0);
      for (const [mined, value] of [[tx, 49_0000_0000n] as const, [kept, 48_0000_0000n] as const]) {
        assert.equal(late.chain.getCoin({ txid: mined.txidBytes, index: 0 })?.output.value, value);
      }
    },
  );

  it('all end on the heavier chain when two halves meet', { timeout }, async () => {
    await using nodes = await createTestNodes(params);
    const a1 = await nodes.start('a1');
    const a2 = await nodes.start('a2', { bootstrap: await addressesOf(a1) });
    const b1 = await nodes.start('b1');
    const b2 = await nodes.start('b2', { bootstrap: await addressesOf(b1) });
    await mine(a1, 12);
    await mine(b1, 15);
    await tipOf(a2, (tip) => tip.height === 12);
    await tipOf(b2, (tip) => tip.height === 15);
    const heavier = b1.chain.tip().hash;
    const bridge = await nodes.start('bridge', { bootstrap: [...(await addressesOf(a2)), ...(await addressesOf(b2))] });
    const all = [a1, a2, b1, b2, bridge];
    await Promise.all(all.map((node) => tipOf(node, (tip) => tip.hash === heavier)));
    const expected = await b1.chain.utxoStats();
    for (const node of all) assert.deepEqual(await node.chain.utxoStats(), expected);
  });

  it('says what is wrong with what its own user brings, in the words of Core', { timeout }, async () => {
    await using nodes = await createTestNodes(params);
    const node = await nodes.start('alone', { listen: [] });
    const builder = createChainBuilder(params);
    builder.mineMany(101);
    for (const block of builder.blocks) await node.submitBlock(block.raw);
    assert.deepEqual(await node.submitBlock(builder.tip.block.raw), { kind: 'duplicate' });
    assert.deepEqual(await node.submitBlock(builder.build({ work: 'invalid' }).raw), {
      kind: 'rejected',
      code: 'high-hash',
    });
    assert.deepEqual(await node.submitBlock(new Uint8Array(100)), { kind: 'rejected', code: 'Block decode failed' });
    assert.equal((await node.submitTransaction(new Uint8Array(10).fill(255))).kind, 'rejected');
    const orphan = buildTx([{ ...builder.coin(1), txid: new Uint8Array(32).fill(9) }], [pay(1_000n)]);
    assert.deepEqual(await node.submitTransaction(orphan.raw), {
      kind: 'rejected',
      code: 'bad-txns-inputs-missingorspent',
      txid: orphan.txid,
    });
    const template = await node.mineBlock(ANYONE_CAN_SPEND);
    assert.deepEqual(template, { kind: 'accepted' });
  });

  it('take what their options say', { timeout }, async () => {
    await using nodes = await createTestNodes(params);
    const builder = createChainBuilder(params);
    builder.mineMany(101);
    const tx = buildTx([builder.coin(1)], [pay(49_0000_0000n, { kind: 'anyone' })]);
    const answers: string[] = [];
    for (const mempool of [{}, { requireStandard: false }]) {
      const node = await nodes.start(`with ${Object.keys(mempool)}`, { mempool });
      for (const block of builder.blocks) assert.deepEqual(await node.submitBlock(block.raw), { kind: 'accepted' });
      const result = await node.submitTransaction(tx.raw);
      answers.push(result.kind === 'rejected' ? result.code : result.kind);
    }
    assert.deepEqual(answers, ['scriptpubkey', 'accepted']);
  });

  it('stops and leaves no handle', { timeout }, async (t) => {
    const handles = process.getActiveResourcesInfo().length;
    const nodes = await createTestNodes(params);
    const first = await nodes.start('first', { netThread: 'worker' });
    await nodes.start('second', { bootstrap: await addressesOf(first) });
    await statusWhen(first, (status) => status.net.peers.length === 1);
    const startedMs = performance.now();
    await nodes[Symbol.asyncDispose]();
    const tookMs = performance.now() - startedMs;
    // Sockets close in the background for a turn or two of the event loop.
    for (let turn = 0; turn < 100 && process.getActiveResourcesInfo().length > handles; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(process.getActiveResourcesInfo().length <= handles, process.getActiveResourcesInfo().join());
    t.diagnostic(`two nodes stopped in ${tookMs.toFixed(0)} ms (aim: under 2000 each)`);
  });
});

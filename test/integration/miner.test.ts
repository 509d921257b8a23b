/** A node that mines in a thread of its own: real nodes, real proof of work. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createGrinder } from '#miner';
import { Block, BlockHeader } from '#primitives';
import { mineHeader } from '../../src/miner/grind.ts';
import type { Grinder } from '../../src/miner/grinder.ts';
import { regtest } from '../support/chain-builder.ts';
import { testKey } from '../support/keys.ts';
import { addressesOf, createTestNodes, statusWhen, tipOf } from '../support/test-nodes.ts';

const PARAMS = regtest();
const scriptPubKey = testKey(9).p2pkh;
/** A target of 1, which nothing meets. */
const HOPELESS_BITS = 0x03000001;

function header(bits: number, time = 1): BlockHeader {
  return BlockHeader.fromFields({
    version: 1,
    prevHash: PARAMS.genesis.hash,
    merkleRoot: new Uint8Array(32).fill(7),
    time,
    bits,
    nonce: 0,
  });
}

const never = new AbortController().signal;

suite('grinder', () => {
  test('finds the nonce that the search on this thread finds', async () => {
    await using grinder = createGrinder();
    for (const time of [1, 2, 3]) {
      const { bits } = PARAMS.genesis.header;
      const expected = await mineHeader(header(bits, time), PARAMS.pow.limit);
      assert.equal((await grinder.grind(header(bits, time), never))?.hash, expected?.hash);
    }
  });

  test('a search that is given up makes room for the next at once', async () => {
    await using grinder = createGrinder();
    const round = new AbortController();
    const hopeless = grinder.grind(header(HOPELESS_BITS), round.signal);
    const why = new Error('the tip moved');
    round.abort(why);
    await assert.rejects(hopeless, why);
    assert.ok(await grinder.grind(header(PARAMS.genesis.header.bits), never));
    const replaced = grinder.grind(header(HOPELESS_BITS), never);
    const next = grinder.grind(header(PARAMS.genesis.header.bits), never);
    await assert.rejects(replaced, { code: 'ABORTED' });
    assert.ok(await next);
  });

  test('without its thread it fails, instead of waiting', async () => {
    let grinder: Grinder;
    let pending: Promise<unknown>;
    {
      await using ended = createGrinder();
      grinder = ended;
      pending = assert.rejects(ended.grind(header(HOPELESS_BITS), never), { code: 'IO' });
    }
    await pending;
    await assert.rejects(grinder.grind(header(HOPELESS_BITS), never), { code: 'IO' });
  });
});

suite('mining node', () => {
  test('makes block after block, and none once it was told to stop', async () => {
    await using nodes = await createTestNodes(PARAMS);
    const node = await nodes.start('miner');
    {
      await using _miner = node.mine({ scriptPubKey, minIntervalMs: 0 });
      await tipOf(node, ({ height }) => height >= 5);
    }
    const { height, hash } = node.chain.tip();
    const raw = await node.chain.readBlock(hash);
    assert.ok(raw !== undefined);
    assert.deepEqual(Block.fromBytes(raw).transactions[0]?.outputs[0]?.scriptPubKey, scriptPubKey);
    assert.equal((await node.mineBlock(scriptPubKey)).kind, 'accepted');
    assert.equal(node.chain.tip().height, height + 1);
  });

  test('joins the chain of the peer that it was told of before it mines', async () => {
    await using nodes = await createTestNodes(PARAMS);
    const first = await nodes.start('first');
    for (let count = 0; count < 30; count++) await first.mineBlock(scriptPubKey);
    const second = await nodes.start('second', { connect: await addressesOf(first) });
    await using _miner = second.mine({ scriptPubKey, minIntervalMs: 0 });
    const tip = await tipOf(first, ({ height }) => height > 30);
    const old = await statusWhen(second, (status) => status.tip.height >= tip.height);
    assert.equal(second.chain.ancestor(old.tip, 30)?.hash, first.chain.ancestor(tip, 30)?.hash);
  });
});

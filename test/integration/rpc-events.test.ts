/** The stream of events of a real node, read over HTTP while another node mines, pays and leaves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEndpoint, type RpcTarget, readEvents } from '#rpc';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { httpRequest } from '../support/rpc-client.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { addressesOf, createTestNodes, gossipFlows } from '../support/test-nodes.ts';
import { buildTx, pay } from '../support/tx-builder.ts';

type Item = Readonly<Record<string, unknown>>;

type Events = Disposable & {
  /** The first item in the list `key` of an event that fits; what came before is passed over. */
  readonly find: (event: string, fits: (item: Item) => boolean) => Promise<Item>;
};

function openEvents({ address, login }: RpcNode): Events {
  const leaving = new AbortController();
  const target = { endpoint: parseEndpoint(address, 0), login, timeoutMs: 0 };
  const items = readItems(target, leaving.signal);
  return {
    find: async (event, fits) => {
      for (;;) {
        const { done, value } = await items.next();
        assert.ok(done !== true, 'the stream goes on');
        if (value.event === event && fits(value.item)) return value.item;
      }
    },
    [Symbol.dispose]: () => leaving.abort(),
  };
}

/** What has a list is taken apart. */
async function* readItems(
  target: RpcTarget,
  signal: AbortSignal,
): AsyncGenerator<{ readonly event: string; readonly item: Item }> {
  for await (const { name, data } of readEvents(target, signal)) {
    const list = name === 'state' ? [data] : ((data[name] as readonly Item[] | undefined) ?? [data]);
    for (const item of list) yield { event: name, item };
  }
}

test('who may read is who may call', async () => {
  await using rpc = await startRpcNode({}, { whitelist: ['__cookie__:getblockcount'] });
  const { address, login } = rpc;
  assert.equal((await httpRequest(address, { method: 'GET', path: '/events' })).status, 401);
  assert.equal((await httpRequest(address, { method: 'POST', path: '/events', login })).status, 405);
  assert.equal((await httpRequest(address, { method: 'GET', path: '/events', login })).status, 403);
  using events = openEvents(rpc);
  await assert.rejects(
    events.find('state', () => true),
    { code: 'BAD_CONFIG', message: /gives no events: HTTP 403/ },
  );
});

test('a stop does not wait for readers', async () => {
  const rpc = await startRpcNode();
  using events = openEvents(rpc);
  await events.find('state', () => true);
  await rpc[Symbol.asyncDispose]();
  await assert.rejects(events.find('none', () => true));
});

test('blocks with who told of them, transactions, and peers that come and go', { timeout: 120_000 }, async () => {
  await using rpc = await startRpcNode({ listen: ['/ip4/127.0.0.1/tcp/0'] });
  const builder = createChainBuilder(regtest());
  builder.mineMany(101);
  for (const { raw } of builder.blocks) await rpc.node.submitBlock(raw);
  using events = openEvents(rpc);
  const state = await events.find('state', () => true);
  assert.equal((state['tip'] as Item)['hash'], builder.tip.hash);
  assert.deepEqual([state['chain'], state['peers']], ['regtest', []]);
  await using nodes = await createTestNodes(regtest());
  const other = await nodes.start('other', { connect: await addressesOf(rpc.node) });
  const joined = await events.find('peers', ({ event }) => event === 'joined');
  await gossipFlows(other, [rpc.node], builder);
  const block = await events.find('blocks', ({ firstPeer }) => firstPeer === joined['id']);
  assert.equal(typeof block['delayMs'], 'number');
  const tx = buildTx([builder.coin(1)], [pay(49_9990_0000n)]);
  assert.equal((await other.submitTransaction(tx.raw)).kind, 'accepted');
  const entered = await events.find('transactions', ({ txid }) => txid === tx.txid);
  assert.equal(entered['vsize'], Math.ceil(tx.weight / 4));
  await other[Symbol.asyncDispose]();
  await events.find('peers', ({ event, id }) => event === 'left' && id === joined['id']);
});

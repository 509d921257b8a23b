/** Slots over real sockets: block-only connections and anchors, and a full node that gives a place to a newcomer. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { createNet, type NetHandlers, type NetOptions } from '#net';
import { topicId } from '#protocol';
import { TestPeer } from '../compliance/net.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { startRawPeer } from './net-raw-peer.ts';
import { deps, inProcess, NETWORK, netOptions, within } from './net-support.ts';

const tuning = { walkBusyMs: 300, dialBusyMs: 100, backoffFirstMs: 200, cooldownMs: 500 };

function start(changed: Partial<NetOptions>): Promise<TestPeer> {
  const create = (_setup: unknown, handlers: NetHandlers) =>
    createNet(netOptions({ tuning, ...changed }), handlers, deps);
  return TestPeer.start({ ...inProcess, create }, 'peer');
}

/** What a node started with it has as anchors: its first outbound connections are block-only ones with these. */
async function writeAnchors(dataDir: string, peers: readonly TestPeer[]): Promise<void> {
  const anchors = await Promise.all(
    peers.map(async (peer) => ({ id: peer.id, address: (await peer.address()).replace(`/p2p/${peer.id}`, '') })),
  );
  await writeFile(join(dataDir, 'anchors.json'), JSON.stringify(anchors));
}

suite('net slots', () => {
  test('over a block-only connection blocks travel both ways, and nothing of transactions either way', async () => {
    await using stack = new AsyncDisposableStack();
    const dir = stack.use(await makeTempDir());
    const server = stack.use(await start({ targetOutbound: 0 }));
    await writeAnchors(dir.path, [server]);
    const node = stack.use(await start({ dataDir: dir.path, targetOutbound: 1, targetBlockOnly: 1 }));
    await Promise.all([node.isWith(server), server.isWith(node)]);
    assert.equal(node.connected.get(server.id)?.kind, 'block-only');
    assert.equal(server.connected.get(node.id)?.kind, 'inbound');
    // Blocks flow once both know of each other's topics, and those of one peer come together.
    await node.publishToSome('block', 200, 1);
    await server.publishToSome('block', 200, 2);
    await Promise.all([node.when(() => node.messages.length > 0), server.when(() => server.messages.length > 0)]);
    for (const peer of [node, server]) assert.equal(await peer.net.publish('tx', new Uint8Array(100).fill(7)), 0);
    assert.deepEqual([...node.messages, ...server.messages].map(({ topic }) => topic).includes('tx'), false);
  });

  test('a raw peer at the other end of one hears of the topic of blocks alone, and its transactions are not heard', async () => {
    await using stack = new AsyncDisposableStack();
    const dir = stack.use(await makeTempDir());
    const [tx, block] = [topicId(NETWORK, 'tx'), topicId(NETWORK, 'block')];
    const raw = stack.use(await startRawPeer({ gossip: { globalSignaturePolicy: 'StrictNoSign' } }));
    const heard = new Set<string>();
    raw.pubsub.addEventListener('subscription-change', ({ detail }) => {
      for (const { topic, subscribe } of detail.subscriptions) if (subscribe) heard.add(topic);
    });
    for (const topic of [tx, block]) raw.pubsub.subscribe(topic);
    await writeFile(
      join(dir.path, 'anchors.json'),
      JSON.stringify([{ id: raw.id, address: raw.address.replace(`/p2p/${raw.id}`, '') }]),
    );
    const node = stack.use(await start({ dataDir: dir.path, targetOutbound: 1, targetBlockOnly: 1 }));
    await node.when(() => node.connected.has(raw.id));
    const send = async (): Promise<void> => {
      for (let round = 0; node.messages.length === 0; round += 1) {
        // To all that it is connected with, whether they said that they want it or not.
        for (const topic of [tx, block]) {
          await raw.pubsub.publish(topic, new Uint8Array(100).fill(round)).catch(() => {});
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await within(send());
    assert.deepEqual([...heard], [block]);
    assert.deepEqual([...new Set(node.messages.map(({ topic }) => topic))], ['block']);
  });

  test('block-only peers are anchors over a restart, and used once', async () => {
    await using stack = new AsyncDisposableStack();
    const dir = stack.use(await makeTempDir());
    const servers = [stack.use(await start({ targetOutbound: 0 })), stack.use(await start({ targetOutbound: 0 }))];
    await writeAnchors(dir.path, servers);
    const stored = async (): Promise<unknown[]> =>
      JSON.parse(await readFile(join(dir.path, 'anchors.json'), 'utf8')) as unknown[];
    const before = await stored();
    const options = { dataDir: dir.path, targetOutbound: 2, targetBlockOnly: 2 };
    for (let life = 0; life < 3; life += 1) {
      const node = await start(options);
      for (const server of servers) await node.isWith(server);
      assert.deepEqual(
        servers.map(({ id }) => node.connected.get(id)?.kind),
        ['block-only', 'block-only'],
      );
      assert.deepEqual(await stored(), [], 'a crash would not find them');
      await node[Symbol.asyncDispose]();
      assert.deepEqual(new Set(await stored()), new Set(before));
      for (const server of servers) await server.isWithout(node);
    }
  });

  test('a full node takes in a newcomer that identified itself, in place of another', async () => {
    await using stack = new AsyncDisposableStack();
    const places = 24;
    const node = stack.use(await start({ targetOutbound: 0, maxPeers: places }));
    const address = await node.address();
    for (let count = 0; count < places; count += 1) {
      const raw = stack.use(await startRawPeer());
      await raw.dial(address);
      await node.when(() => node.connected.has(raw.id));
    }
    const before = new Set(node.connected.keys());
    const silent = stack.use(await startRawPeer({ identify: false }));
    await silent.dial(address);
    const newcomer = stack.use(await startRawPeer());
    await newcomer.dial(address);
    await node.when(() => node.connected.has(newcomer.id) && node.connected.size === places);
    const lost = [...before].filter((id) => !node.connected.has(id));
    assert.equal(lost.length, 1, 'one for the newcomer, none for who says nothing');
  });
});

/** Nobody but the seed is configured: peers find each other, hold their number, and come back without the seed. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { PeerIdText } from '#net';
import type { TestPeer } from '../compliance/net.ts';

import { makeTempDir } from '../support/temp-dir.ts';
import { quietAddress, startPeer, within } from './net-support.ts';

/** A quick network: what takes seconds by default takes tenths here. */
const tuning = { walkBusyMs: 300, dialBusyMs: 100, backoffFirstMs: 200, cooldownMs: 500 };
const DAY_MS = 86_400_000;

suite('net discovery', () => {
  test('six nodes that know only a seed find each other by the DHT', async () => {
    await using stack = new AsyncDisposableStack();
    const seed = stack.use(await startPeer({ tuning, targetOutbound: 0 }));
    const bootstrap = [await seed.address()];
    const nodes = [];
    for (let count = 0; count < 6; count += 1)
      nodes.push(stack.use(await startPeer({ tuning, bootstrap, targetOutbound: 3 })));
    for (const node of nodes) {
      await node.when(() => [...node.connected.keys()].filter((id) => id !== seed.id).length >= 3);
    }
    for (const node of nodes) assert.ok((await node.net.status()).knownAddresses >= 3);
  });

  test('with the seed dead a restarted node comes back by what it remembered, even a month later', async () => {
    await using stack = new AsyncDisposableStack();
    const dir = stack.use(await makeTempDir());
    const seed = await startPeer({ tuning, targetOutbound: 0 });
    const bootstrap = [await seed.address()];
    const other = stack.use(await startPeer({ tuning, bootstrap, targetOutbound: 2 }));
    const wanderer = await startPeer({ tuning, bootstrap, targetOutbound: 2, dataDir: dir.path });
    await wanderer.when(() => wanderer.connected.has(other.id));
    // An address counts as tried only if we dialled it: ask for it, in case the other was quicker.
    await Promise.all([seed[Symbol.asyncDispose](), wanderer[Symbol.asyncDispose]()]);
    await other.isWithout(wanderer);

    const path = join(dir.path, 'peers.json');
    const book: { entries: [string, string, number, number[], number, number, number, number][] } = JSON.parse(
      await readFile(path, 'utf8'),
    );
    assert.ok(book.entries.length >= 1);
    const monthAgo = (seconds: number) => Math.max(0, seconds - (30 * DAY_MS) / 1000);
    book.entries = book.entries.map(([id, address, isTried, sources, lastSeen, lastTry, lastSuccess, attempts]) => {
      const times = [lastSeen, lastTry, lastSuccess].map(monthAgo) as [number, number, number];
      return [id, address, isTried, sources, ...times, attempts];
    });
    await writeFile(path, JSON.stringify(book));

    const again = stack.use(await startPeer({ tuning, bootstrap, targetOutbound: 2, dataDir: dir.path }));
    assert.equal(again.id, wanderer.id);
    await again.isWith(other);
  });

  test('a peer asked for by --connect is called again and again', async () => {
    await using stack = new AsyncDisposableStack();
    const dir = stack.use(await makeTempDir());
    const listen = [await quietAddress()];
    const first = await startPeer({ tuning, targetOutbound: 0, dataDir: dir.path, listen });
    const address = await first.address();
    const node = stack.use(await startPeer({ tuning, connect: [address], targetOutbound: 0 }));
    await node.isWith(first);
    assert.equal(node.connected.get(first.id)?.isManual, true);
    await first[Symbol.asyncDispose]();
    await node.isWithout(first);
    const second = stack.use(await startPeer({ tuning, targetOutbound: 0, dataDir: dir.path, listen }));
    await node.isWith(second);
  });

  test('what a DHT query dials fills no slot and is closed again', async () => {
    await using stack = new AsyncDisposableStack();
    const seed = stack.use(await startPeer({ tuning, targetOutbound: 0 }));
    const bootstrap = [await seed.address()];
    const nodes: TestPeer[] = [];
    for (let count = 0; count < 7; count += 1) {
      nodes.push(stack.use(await startPeer({ tuning: { ...tuning, dialIdleMs: 200 }, bootstrap, targetOutbound: 1 })));
    }
    const queried = async (node: TestPeer): Promise<PeerIdText[]> =>
      (await node.net.status()).peers.filter(({ kind }) => kind === 'query').map(({ id }) => id);
    /** Looks again and again until the condition holds. */
    const until = async (condition: () => Promise<boolean>): Promise<void> => {
      while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const open = new Map<TestPeer, PeerIdText[]>();
    const look = async (): Promise<boolean> => {
      for (const node of nodes) open.set(node, await queried(node));
      return [...open.values()].some((ids) => ids.length > 0);
    };
    await within(until(look), 'the first call of a DHT query');
    for (const [node, ids] of open)
      for (const id of ids) await within(until(async () => !(await queried(node)).includes(id)));
  });

  test('nodes of another network do not become peers', async () => {
    await using stack = new AsyncDisposableStack();
    const seed = stack.use(await startPeer({ tuning }));
    const stranger = stack.use(await startPeer({ tuning, network: '6fe28c0a', bootstrap: [await seed.address()] }));
    const friend = stack.use(await startPeer({ tuning, bootstrap: [await seed.address()] }));
    await friend.isWith(seed);
    await seed.isWith(friend);
    assert.deepEqual(stranger.events, []);
    assert.ok(!seed.events.some((event) => event.includes(stranger.id)));
  });

  test('simultaneous calls end in one connection, and gossip runs over it', async () => {
    await using stack = new AsyncDisposableStack();
    for (let round = 0; round < 5; round += 1) {
      const homes: { readonly dataDir: string; readonly listen: readonly string[]; readonly address: string }[] = [];
      for (const dir of [stack.use(await makeTempDir()), stack.use(await makeTempDir())]) {
        // A first life each, for a key that the other can be told of.
        const home = { dataDir: dir.path, listen: [await quietAddress()] };
        const earlier = await startPeer({ ...home, targetOutbound: 0 });
        homes.push({ ...home, address: await earlier.address() });
        await earlier[Symbol.asyncDispose]();
      }
      const [a, b] = await Promise.all(
        homes.map(({ address, ...home }) =>
          startPeer({ tuning, ...home, connect: homes.map((each) => each.address).filter((each) => each !== address) }),
        ),
      );
      assert.ok(a && b);
      await Promise.all([a.isWith(b), b.isWith(a)]);
      await a.publishToSome('tx', 100, round);
      await b.when(() => b.messages.length > 0);
      await b.publishToSome('tx', 100, round + 100);
      await a.when(() => a.messages.length > 0);
      assert.equal(a.events.filter((event) => event.startsWith('connected')).length, 1);
      assert.equal(b.events.filter((event) => event.startsWith('connected')).length, 1);
      assert.equal((await a.net.status()).peers.length, 1);
      await within(Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()]));
    }
  });
});

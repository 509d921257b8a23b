/** What an operator sees and decides that only real connections have: ips, protocols, meshes, pings. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { PeerDetails } from '#net';
import { streams } from '#protocol';
import { pair, type TestPeer } from '../compliance/net.ts';
import { inProcess, startPeer, within } from './net-support.ts';

const SOON = { cooldownMs: 1, backoffFirstMs: 50, backoffLastMs: 50, dialBusyMs: 50, dialIdleMs: 50 };

/** Asks until what it lists of its one peer satisfies the condition. */
async function detailsWhen(peer: TestPeer, condition: (details: PeerDetails) => boolean): Promise<PeerDetails> {
  const look = async (): Promise<PeerDetails> => {
    for (;;) {
      const [details] = await peer.net.peers.list();
      if (details !== undefined && condition(details)) return details;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return within(look());
}

suite('net operator', () => {
  test('a subnet is shut out, who is in it is disconnected, and loopback is no exception', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(inProcess, stack, { tuning: SOON });
    assert.equal(await a.net.peers.ban('127.0.1.0/24'), 'banned');
    assert.ok(a.connected.has(b.id), 'another subnet');
    assert.equal(await a.net.peers.ban('127.0.0.0/24'), 'banned');
    await Promise.all([a.isWithout(b), b.isWithout(a)]);
    assert.equal(await b.net.peers.tryOnce(await a.address()), 'failed');
    assert.equal(await a.net.peers.tryOnce(await b.address()), 'failed', 'nor does it call anybody there');
    assert.equal(await a.net.peers.unban('127.0.0.0/24'), 'lifted');
    await Promise.all([a.isWith(b), b.isWith(a)]);
  });

  test('each protocol is accounted for, in both directions, and ends agree', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(inProcess, stack);
    a.serve = async function* () {
      yield { status: 0, payload: new Uint8Array(300_000) };
    };
    const request = Uint8Array.of(1, ...new Uint8Array(32));
    for (let count = 0; count < 3; count += 1) await b.ask(a, 'blocks', request);
    const blocksOf = ({ bytesByProtocol }: PeerDetails): { bytesIn: number; bytesOut: number } => {
      const [row] = Object.entries(bytesByProtocol).filter(([protocol]) => protocol.includes('/blocks/'));
      return row?.[1] ?? { bytesIn: 0, bytesOut: 0 };
    };
    const asked = await detailsWhen(b, (details) => blocksOf(details).bytesIn >= 900_000);
    const served = await detailsWhen(a, (details) => blocksOf(details).bytesOut >= 900_000);
    assert.equal(blocksOf(asked).bytesIn, blocksOf(served).bytesOut);
    assert.equal(blocksOf(asked).bytesOut, blocksOf(served).bytesIn);
    assert.ok(blocksOf(asked).bytesIn < 900_000 + 1000, 'frames cost little');
    assert.ok(asked.bytesIn > blocksOf(asked).bytesIn, 'the socket carries the rest too');
    const protocols = Object.keys(asked.bytesByProtocol);
    for (const part of ['/ipfs/id/', '/meshsub/'])
      assert.ok(
        protocols.some((each) => each.includes(part)),
        part,
      );
    assert.ok((asked.lastReceivedAt ?? 0) >= asked.connectedAt && (asked.lastSentAt ?? 0) >= asked.connectedAt);
    assert.ok(asked.protocols.length > Object.keys(streams).length);
  });

  test('a ping by hand is measured, and the meshes show who is in them', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(inProcess, stack);
    await b.net.peers.pingAll();
    const pinged = await detailsWhen(b, ({ minLatencyMs, pingWaitMs }) => minLatencyMs !== undefined && !pingWaitMs);
    assert.ok((pinged.latencyMs ?? -1) >= (pinged.minLatencyMs ?? 0));
    await a.publishToSome('tx', 50, 1);
    const meshed = await detailsWhen(b, ({ meshTopics }) => meshTopics.includes('tx'));
    assert.ok(meshed.streams > 0);
  });

  test('one of many callers is found by where it calls from', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await startPeer({ targetOutbound: 0, tuning: SOON }));
    const b = stack.use(await startPeer({ bootstrap: [await a.address()], tuning: SOON }));
    await Promise.all([a.isWith(b), b.isWith(a)]);
    const [info] = await a.net.peers.list();
    const [, , ip, , port] = info?.address.split('/') ?? [];
    assert.equal(await a.net.peers.disconnect(`${ip}:${Number(port) + 1}`), 0);
    assert.equal(await a.net.peers.disconnect(`${ip}:${port}`), 1);
    await a.isWithout(b);
  });

  test('no more than 64 peers are added', async () => {
    await using stack = new AsyncDisposableStack();
    const { id, net } = stack.use(await startPeer({ listen: [], targetOutbound: 0 }));
    for (let port = 1; port <= 64; port += 1) {
      assert.equal(await net.peers.add(`/ip4/127.0.0.1/tcp/${port}/p2p/${id}`), 'added');
    }
    assert.equal(await net.peers.add(`/ip4/127.0.0.1/tcp/65/p2p/${id}`), 'full');
    assert.equal(await net.peers.remove(id), 'removed', 'all addresses of a peer, by its id');
    assert.deepEqual(await net.peers.added(), []);
  });

  test('a node that calls no local address calls those that the operator gives', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await startPeer({ tuning: SOON }));
    const c = stack.use(await startPeer({ tuning: SOON }));
    const b = stack.use(await startPeer({ listen: [], allowPrivateAddresses: false, tuning: SOON }));
    const address = await a.address();
    assert.equal(await b.net.peers.add(address), 'added');
    await b.isWith(a);
    assert.equal(await b.net.peers.tryOnce(await c.address()), 'connected');
    await b.isWith(c);
    await b.net.peers.disconnect(c.id);
    await b.isWithout(c);
    assert.equal(await b.net.peers.remove(address), 'removed');
    await b.net.peers.disconnect(a.id);
    await b.isWithout(a);
    assert.equal(await b.net.peers.tryOnce(address), 'connected', 'the operator may change his mind');
  });
});

/** WebSockets on both sides, against libp2p's own transport, behind TLS, and against those who only waste our time. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { suite, test } from 'node:test';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { ping } from '@libp2p/ping';
import { webSockets } from '@libp2p/websockets';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { WebSocket } from 'ws';
import { filled } from '../compliance/net.ts';
import { startTlsFront } from '../support/tls-front.ts';
import { startPeer, within } from './net-support.ts';

const LISTEN = ['/ip4/127.0.0.1/tcp/0/ws'];

/** The port in a multiaddr. */
function portOf(address: string): number {
  return Number(address.split('/')[4]);
}

suite('net web sockets', () => {
  test('peers meet, blocks and gossip pass, bytes are counted', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await startPeer({ listen: LISTEN }));
    const address = await a.address();
    assert.match(address, /\/ws\/p2p\//);
    const b = stack.use(await startPeer({ connect: [address] }));
    await Promise.all([a.isWith(b), b.isWith(a)]);
    const block = filled(3_000_000, 7);
    a.serve = async function* () {
      yield { status: 0, payload: block };
    };
    const [frame] = await b.ask(a, 'blocks', filled(32, 1));
    assert.deepEqual(frame?.payload, block);
    const message = await b.publishToSome('tx', 200, 3);
    await a.when(() => a.messages.some(({ data }) => Buffer.from(data).equals(message)));
    const [atA, atB] = [await a.net.status(), await b.net.status()];
    assert.ok(atA.bytesOut > block.length && (atB.peers[0]?.bytesIn ?? 0) > block.length);
    assert.match(atB.peers[0]?.address ?? '', /\/ws/);
  });

  test('a banned peer stays out', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await startPeer({ listen: LISTEN }));
    const b = stack.use(await startPeer({ connect: [await a.address()], tuning: { backoffFirstMs: 50 } }));
    await a.isWith(b);
    a.net.charge(b.id, 'invalid-block', 'test');
    await a.isWithout(b);
    const client = new WebSocket(`ws://127.0.0.1:${portOf(await a.address())}`);
    await within(once(client, 'open'));
    client.terminate();
    // b goes on dialling as --connect says; a never takes it.
    assert.equal(a.events.filter((event) => event.startsWith('connected')).length, 1);
  });

  test('libp2p’s own WebSockets dial us and are dialled', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await startPeer({ listen: LISTEN }));
    const foreign = await createLibp2p({
      addresses: { listen: LISTEN },
      transports: [webSockets()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { ping: ping() },
    });
    stack.defer(async () => foreign.stop());
    assert.ok((await within(foreign.services.ping.ping(multiaddr(await a.address())))) >= 0);
    const [theirs] = foreign.getMultiaddrs();
    const dialled = within(once(foreign, 'connection:open'));
    stack.use(await startPeer({ connect: [String(theirs)] }));
    await dialled;
  });

  test('whoever says nothing, or no upgrade, or too much, is cut off', async () => {
    await using a = await startPeer({ listen: LISTEN, tuning: { inboundUpgradeTimeoutMs: 300 } });
    const port = portOf(await a.address());
    const silent = connectPlain(port, '127.0.0.1');
    silent.resume();
    silent.on('error', () => {});
    await within(once(silent, 'close'));
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(response.status, 426);
    const mute = new WebSocket(`ws://127.0.0.1:${port}`);
    await within(once(mute, 'open'));
    await within(once(mute, 'close'));
    const loud = new WebSocket(`ws://127.0.0.1:${port}`);
    await within(once(loud, 'open'));
    loud.on('error', () => {});
    loud.send(Buffer.alloc(2 << 20));
    await within(once(loud, 'close'));
    assert.deepEqual(a.events, []);
  });

  test('behind a reverse proxy with TLS', async (t) => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await startPeer({ listen: LISTEN }));
    const front = await startTlsFront(portOf(await a.address()));
    if (front === undefined) return t.skip('no openssl to make a certificate with');
    stack.use(front);
    const address = `/dns4/localhost/tcp/${front.port}/tls/ws/p2p/${a.id}`;
    const b = stack.use(await startPeer({ connect: [address], allowPrivateAddresses: true }));
    await Promise.all([a.isWith(b), b.isWith(a)]);
  });
});

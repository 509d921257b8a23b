/** Two nodes that were told of nobody find each other on the local network. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { NETWORK, startPeer } from './net-support.ts';

/** Whether a datagram to the group comes back: not in every container. */
async function hasMulticast(): Promise<boolean> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    socket.bind(0);
    await once(socket, 'listening');
    socket.addMembership('224.0.0.251');
    socket.setMulticastLoopback(true);
    const back = once(socket, 'message', { signal: AbortSignal.timeout(1_000) });
    socket.send('?', socket.address().port, '224.0.0.251', (error) => error && socket.emit('error', error));
    await back;
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

suite('net mdns', () => {
  test('nodes find each other, and only those of their network', async (t) => {
    if (!(await hasMulticast())) return t.skip('no multicast on this machine');
    await using stack = new AsyncDisposableStack();
    const tuning = { dialBusyMs: 100 };
    // Listening everywhere is listening in public: without mDNS neither would keep a private address.
    const options = { tuning, listen: ['/ip4/0.0.0.0/tcp/0'], reach: { usesMdns: true } };
    const other = stack.use(await startPeer({ ...options, network: `${NETWORK.slice(1)}0` }));
    const a = stack.use(await startPeer(options));
    const b = stack.use(await startPeer(options));
    await Promise.all([a.isWith(b), b.isWith(a)]);
    assert.deepEqual(other.events, []);
    assert.equal((await other.net.status()).knownAddresses, 0);
  });
});

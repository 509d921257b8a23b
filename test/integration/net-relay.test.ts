/** Peers that nobody can call are reached by a relay; what runs there, what does not, and who is refused. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { identify } from '@libp2p/identify';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { filled, requestErrorOf, type TestPeer } from '../compliance/net.ts';
import { spyOnNetwork } from '../support/network-spy.ts';
import { SOCKS_SOURCE, startSocksServer } from '../support/socks-server.ts';
import { startPeer, within } from './net-support.ts';

const tuning = { reachLookMs: 50, backoffFirstMs: 100, dialBusyMs: 50 };
const BY_RELAYS = ['/p2p-circuit'];

/** The relayed address that a peer has in the end. The port has no event for it: its status is looked at again and again. */
async function relayedAddress(peer: TestPeer): Promise<string> {
  const look = async (): Promise<string> => {
    for (;;) {
      const { listenAddresses, reachability } = await peer.net.status();
      const [address] = listenAddresses;
      if (reachability === 'relayed' && address !== undefined) return address;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return within(look(), 'the reservation');
}

suite('net relay', () => {
  test('two peers that listen nowhere meet by a relay: gossip and small requests, no blocks', async () => {
    await using stack = new AsyncDisposableStack();
    const relay = stack.use(await startPeer({ tuning, targetOutbound: 0, reach: { isRelay: true } }));
    const bootstrap = [await relay.address()];
    const hidden = stack.use(await startPeer({ tuning, listen: BY_RELAYS, bootstrap, targetOutbound: 1 }));
    const address = await relayedAddress(hidden);
    assert.equal(address, `${bootstrap[0]}/p2p-circuit/p2p/${hidden.id}`);
    const caller = stack.use(await startPeer({ tuning, listen: [], connect: [address], targetOutbound: 0 }));
    await Promise.all([caller.isWith(hidden), hidden.isWith(caller)]);
    assert.deepEqual(
      [caller.connected.get(hidden.id), hidden.connected.get(caller.id)].map((info) => info?.isRelayed),
      [true, true],
    );
    hidden.serve = async function* () {
      yield { status: 0, payload: filled(80, 1) };
    };
    assert.equal((await caller.ask(hidden, 'headers', filled(65, 1))).length, 1);
    assert.equal(await requestErrorOf(caller.ask(hidden, 'blocks', filled(32, 1))), 'STREAM_RESET');
    const message = await caller.publishToSome('tx', 200, 3);
    await hidden.when(() => hidden.messages.some(({ data }) => Buffer.from(data).equals(message)));
  });

  test('what a relayed peer does is not charged to its relay’s address', async () => {
    await using stack = new AsyncDisposableStack();
    const relay = stack.use(await startPeer({ tuning, targetOutbound: 0, reach: { isRelay: true } }));
    const bootstrap = [await relay.address()];
    const hidden = stack.use(await startPeer({ tuning, listen: BY_RELAYS, bootstrap, targetOutbound: 1 }));
    const address = await relayedAddress(hidden);
    const caller = stack.use(await startPeer({ tuning, listen: [], connect: [address], targetOutbound: 0 }));
    await hidden.isWith(caller);
    hidden.net.charge(caller.id, 'invalid-block', 'test');
    await hidden.isWithout(caller);
    assert.ok(hidden.connected.has(relay.id));
  });

  test('strangers get no reservation, and who is no relay gives none', async () => {
    await using stack = new AsyncDisposableStack();
    const relay = stack.use(await startPeer({ tuning, targetOutbound: 0, reach: { isRelay: true } }));
    const plain = stack.use(await startPeer({ tuning, targetOutbound: 0 }));
    for (const peer of [relay, plain]) {
      const stranger = await createLibp2p({
        transports: [tcp(), circuitRelayTransport()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
        services: { identify: identify() },
      });
      stack.defer(async () => stranger.stop());
      const { transportManager } = Reflect.get(stranger, 'components');
      const listening: Promise<void> = transportManager.listen([multiaddr(`${await peer.address()}/p2p-circuit`)]);
      await assert.rejects(within(listening));
    }
  });

  test('behind a proxy: reached by a relay that is reached by the proxy', async () => {
    await using stack = new AsyncDisposableStack();
    const proxy = stack.use(await startSocksServer());
    const relay = stack.use(await startPeer({ tuning, targetOutbound: 0, reach: { isRelay: true } }));
    const bootstrap = [await relay.address()];
    using spy = spyOnNetwork();
    const reach = { proxy: { host: '127.0.0.1', port: proxy.port, login: undefined } };
    const hidden = stack.use(await startPeer({ tuning, listen: BY_RELAYS, bootstrap, targetOutbound: 1, reach }));
    const address = await relayedAddress(hidden);
    const caller = stack.use(await startPeer({ tuning, listen: [], connect: [address], targetOutbound: 0, reach }));
    await Promise.all([caller.isWith(hidden), hidden.isWith(caller)]);
    const around = spy.seen.filter(
      (text) => text !== `connect 127.0.0.1:${proxy.port} from undefined` && !text.endsWith(` from ${SOCKS_SOURCE}`),
    );
    assert.deepEqual(around, []);
  });
});

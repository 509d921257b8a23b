/** `--proxy`: everything that is dialled goes by a SOCKS5 server, and the system is asked for nothing else. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { NetOptions } from '#net';
import { filled } from '../compliance/net.ts';
import { spyOnNetwork } from '../support/network-spy.ts';
import { SOCKS_SOURCE, type SocksServer, startSocksServer } from '../support/socks-server.ts';
import { startTlsFront } from '../support/tls-front.ts';
import { startPeer, within } from './net-support.ts';

const NAMES = { 'node.invalid': '127.0.0.1', localhost: '127.0.0.1' };

function behind({ port }: SocksServer, login?: { user: string; password: string }): Partial<NetOptions> {
  return {
    listen: [],
    allowPrivateAddresses: true,
    tuning: { backoffFirstMs: 50, dialBusyMs: 50 },
    reach: { proxy: { host: '127.0.0.1', port, login } },
  };
}

/** The same address with another host. */
function withHost(address: string, host: string): string {
  return address.replace(/^\/ip4\/[\d.]+/, host);
}

suite('net proxy', () => {
  test('by ip and by name, over TCP and WebSockets, nothing passes the proxy by', async () => {
    await using stack = new AsyncDisposableStack();
    const proxy = stack.use(await startSocksServer(NAMES));
    const a = stack.use(await startPeer({ targetOutbound: 0 }));
    const c = stack.use(await startPeer({ targetOutbound: 0, listen: ['/ip4/127.0.0.1/tcp/0/ws'] }));
    const [ip, name] = [await a.address(), withHost(await c.address(), '/dns4/node.invalid')];
    using spy = spyOnNetwork();
    const b = stack.use(await startPeer({ ...behind(proxy), connect: [ip, name] }));
    await Promise.all([a.isWith(b), b.isWith(a), b.isWith(c)]);
    const block = filled(1_000_000, 7);
    c.serve = async function* () {
      yield { status: 0, payload: block };
    };
    assert.deepEqual((await b.ask(c, 'blocks', filled(32, 1)))[0]?.payload, block);
    const others = spy.seen.filter(
      (text) => text !== `connect 127.0.0.1:${proxy.port} from undefined` && !text.endsWith(` from ${SOCKS_SOURCE}`),
    );
    assert.deepEqual(others, []);
    assert.ok(
      proxy.asked.some(({ host }) => host === 'node.invalid'),
      'the name goes to the proxy as it is',
    );
    const logins = proxy.asked.map(({ login }) => login);
    assert.ok(logins.every((login) => /^[0-9a-f]{32}:[0-9a-f]{32}$/.test(login ?? '')));
    assert.equal(new Set(logins).size, logins.length, 'another login for each connection');
    assert.ok((await b.net.status()).bytesIn > block.length, 'bytes are counted');
    assert.deepEqual((await b.net.status()).listenAddresses, []);
  });

  test('the spy of these tests sees a dial that goes around, and its lookup', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await startPeer({ targetOutbound: 0 }));
    const address = withHost(await a.address(), '/dns4/localhost');
    using spy = spyOnNetwork();
    const b = stack.use(await startPeer({ listen: [], allowPrivateAddresses: true, connect: [address] }));
    await b.isWith(a);
    assert.ok(spy.seen.includes('lookup localhost'));
    assert.ok(spy.seen.some((text) => text.startsWith('connect localhost:')));
  });

  test('with TLS inside, and the login that was given', async (t) => {
    await using stack = new AsyncDisposableStack();
    const proxy = stack.use(await startSocksServer(NAMES));
    const a = stack.use(await startPeer({ targetOutbound: 0, listen: ['/ip4/127.0.0.1/tcp/0/ws'] }));
    const front = await startTlsFront(Number((await a.address()).split('/')[4]));
    if (front === undefined) return t.skip('no openssl to make a certificate with');
    stack.use(front);
    const address = `/dns4/localhost/tcp/${front.port}/tls/ws/p2p/${a.id}`;
    const login = { user: 'me', password: 'p:w' };
    const b = stack.use(await startPeer({ ...behind(proxy, login), connect: [address] }));
    await b.isWith(a);
    assert.deepEqual(proxy.asked[0], { host: 'localhost', port: front.port, login: 'me:p:w' });
  });

  test('a proxy that refuses or is not there is no reason to go around it', async () => {
    await using stack = new AsyncDisposableStack();
    const proxy = stack.use(await startSocksServer({}, { refuses: true }));
    const gone = await startSocksServer();
    await gone[Symbol.asyncDispose]();
    const a = stack.use(await startPeer({ targetOutbound: 0 }));
    const connect = [await a.address()];
    using spy = spyOnNetwork();
    stack.use(await startPeer({ ...behind(gone), connect }));
    stack.use(await startPeer({ ...behind(proxy), connect }));
    await within(proxy.whenAsked(3));
    assert.deepEqual(a.events, []);
    const proxies = [proxy.port, gone.port].map((port) => `connect 127.0.0.1:${port} from undefined`);
    assert.deepEqual(new Set(spy.seen), new Set(proxies));
  });

  test('what would show us around the proxy is refused at the start', async () => {
    await using proxy = await startSocksServer();
    const { reach, ...options } = behind(proxy);
    for (const around of ['usesUpnp', 'usesMdns', 'isRelay']) {
      await assert.rejects(startPeer({ ...options, reach: { ...reach, [around]: true } }), { code: 'BAD_CONFIG' });
    }
    await assert.rejects(startPeer({ ...options, reach: reach ?? {}, connect: ['/dnsaddr/node.invalid'] }), {
      code: 'BAD_CONFIG',
    });
    assert.deepEqual(proxy.asked, []);
  });
});

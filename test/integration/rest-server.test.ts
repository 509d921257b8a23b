/** REST's HTTP side over real sockets, with answers that the test decides on: who may ask, and what is bounded. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { type Clock, nullLogger, systemClock } from '#util';
import { Credentials } from '../../src/rpc/http/credentials.ts';
import { endpointText } from '../../src/rpc/http/hosts.ts';
import { RpcHttpServer } from '../../src/rpc/http/server.ts';
import { DEFAULT_RPC_OPTIONS, type RpcOptions } from '../../src/rpc/options.ts';
import type { Rest } from '../../src/rpc/rest/rest.ts';
import { type HttpAnswer, type HttpRequest, httpRequest } from '../support/rpc-client.ts';

type TestServer = AsyncDisposable & {
  readonly address: string;
  readonly ask: (request: HttpRequest) => Promise<HttpAnswer>;
};

const PATH = '/rest/x.json';
const MIB = 1 << 20;

async function startServer(
  rest: Rest,
  options: Partial<RpcOptions> = {},
  clock: Clock = systemClock,
): Promise<TestServer> {
  const full = { ...DEFAULT_RPC_OPTIONS, ...options };
  const credentials = new Credentials(full, { user: 'user', password: 'password' });
  const call = (): Promise<null> => Promise.resolve(null);
  const server = new RpcHttpServer(full, { credentials, call, rest, clock, log: nullLogger });
  const address = endpointText(await server.listen({ host: '127.0.0.1', port: 0 }));
  return {
    address,
    ask: (request) => httpRequest(address, { method: 'GET', path: PATH, ...request }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const plain = (body: string | Uint8Array): ReturnType<Rest> =>
  Promise.resolve({ status: 200, contentType: 'text/plain', body });

test('no login is asked for, the path comes as it was sent, and no web page may read the answer', async () => {
  await using server = await startServer(({ path }) => plain(path));
  const { headers, status, text } = await server.ask({
    path: '/rest/a%20b.json?c=d',
    headers: { origin: 'https://x.example' },
  });
  assert.deepEqual([status, text], [200, 'a%20b.json?c=d']);
  assert.ok(!Object.keys(headers).some((name) => name.startsWith('access-control')));
  assert.equal((await server.ask({ headers: { host: 'evil.example' } })).status, 403);
  assert.equal((await server.ask({ path: '/rest' })).status, 404);
  assert.equal((await server.ask({ path: '/', method: 'POST' })).status, 401, 'calls still need one');
});

test('methods are those that Core takes', async () => {
  await using server = await startServer(({ body }) => plain(body));
  assert.equal((await server.ask({ method: 'POST', body: 'abc' })).text, 'abc');
  assert.equal((await server.ask({ method: 'PUT', body: 'abc' })).text, 'abc');
  const head = await server.ask({ method: 'HEAD' });
  assert.deepEqual([head.status, head.text], [200, '']);
  assert.equal((await server.ask({ method: 'DELETE' })).status, 405);
  assert.equal((await server.ask({ method: 'OPTIONS' })).status, 405);
});

test('a body beyond 16 KiB is refused', async () => {
  await using server = await startServer(({ body }) => plain(String(body.length)));
  assert.equal((await server.ask({ method: 'POST', body: 'x'.repeat(16_384) })).text, '16384');
  const more = await server.ask({ method: 'POST', body: 'x'.repeat(16_385) }).catch(() => undefined);
  assert.ok(more === undefined || more.status === 413);
});

test('requests beyond the queue are refused with 503', async () => {
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const rest: Rest = async () => {
    started.resolve();
    await gate.promise;
    return plain('done');
  };
  await using server = await startServer(rest, { threads: 1, workQueue: 1 });
  const asked = Array.from({ length: 5 }, () => server.ask({}));
  await started.promise;
  // Three find no room, and are answered before the gate opens.
  let refused = 0;
  await new Promise<void>((resolve) => {
    for (const each of asked) {
      void each.then(({ status }) => {
        if (status === 503 && ++refused === 3) resolve();
      });
    }
  });
  gate.resolve();
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 200).length, 2);
});

test('a client that goes away aborts its request', async () => {
  const started = Promise.withResolvers<AbortSignal>();
  await using server = await startServer((_request, signal) => {
    started.resolve(signal);
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  });
  const client = new AbortController();
  const answer = server.ask({ signal: client.signal });
  const signal = await started.promise;
  client.abort();
  await assert.rejects(answer);
  if (!signal.aborted) await once(signal, 'abort');
});

/** Asks, and reads nothing until told to. Resolves when the answer has begun to come. */
async function slowReader(address: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) });
  socket.on('error', () => {});
  socket.write(`GET ${PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

test('who does not read an answer in ten server timeouts is dropped', async () => {
  const limits: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, fn) => {
      if (delayMs !== 50_000) return systemClock.after(delayMs, fn);
      limits.push(fn);
      return { cancel: () => limits.splice(limits.indexOf(fn), 1) };
    },
  };
  await using server = await startServer(() => plain(Buffer.alloc(64 * MIB)), { serverTimeoutMs: 5_000 }, clock);
  const reader = await slowReader(server.address);
  const [limit] = limits;
  assert.ok(limit);
  limit();
  reader.resume();
  await once(reader, 'close');
  assert.ok(reader.bytesRead < 64 * MIB, 'cut off');
  assert.equal((await server.ask({})).bytes.length, 64 * MIB);
});

test('answers that nobody takes are bounded together, and their room comes back', async () => {
  await using server = await startServer(() => plain(Buffer.alloc(100 * MIB)));
  const readers = [await slowReader(server.address), await slowReader(server.address)];
  const refused = await server.ask({});
  assert.deepEqual([refused.status, refused.text], [503, 'Work queue depth exceeded']);
  for (const reader of readers) reader.destroy();
  // A closed connection is noticed soon after.
  let status = 503;
  while (status === 503) ({ status } = await server.ask({}));
  assert.equal(status, 200);
});

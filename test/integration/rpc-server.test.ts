/** The RPC server's HTTP side over real sockets, with calls that the test decides on. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Clock, nextTurn, nullLogger, systemClock } from '#util';
import { Credentials } from '../../src/rpc/http/credentials.ts';
import { endpointText } from '../../src/rpc/http/hosts.ts';
import { RpcHttpServer } from '../../src/rpc/http/server.ts';
import type { JsonValue } from '../../src/rpc/json/value.ts';
import { DEFAULT_RPC_OPTIONS, type RpcOptions } from '../../src/rpc/options.ts';
import type { Request } from '../../src/rpc/protocol.ts';
import { type HttpAnswer, type HttpRequest, httpRequest } from '../support/rpc-client.ts';

type Call = (request: Request, signal: AbortSignal) => Promise<JsonValue>;

type TestServer = AsyncDisposable & {
  readonly address: string;
  /** With the right login unless told otherwise. */
  readonly ask: (request: HttpRequest) => Promise<HttpAnswer>;
};

const LOGIN = 'user:password';
const PING = '{"method":"ping","params":[],"id":1}';

async function startServer(
  call: Call = async () => 'pong',
  options: Partial<RpcOptions> = {},
  clock: Clock = systemClock,
): Promise<TestServer> {
  const full = { ...DEFAULT_RPC_OPTIONS, ...options };
  const credentials = new Credentials(full, { user: 'user', password: 'password' });
  const server = new RpcHttpServer(full, { credentials, call, clock, log: nullLogger });
  const address = endpointText(await server.listen({ host: '127.0.0.1', port: 0 }));
  return {
    address,
    ask: (request) => httpRequest(address, { login: LOGIN, ...request }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test('a call is answered, whatever the content type, and nothing lets a web page read it', async () => {
  await using server = await startServer();
  for (const type of ['text/plain;', 'application/json', 'application/x-www-form-urlencoded', 'nonsense']) {
    const { status, headers, text } = await server.ask({ body: PING, headers: { 'content-type': type } });
    assert.equal(status, 200);
    assert.equal(text, '{"result":"pong","error":null,"id":1}\n');
    assert.equal(headers['content-type'], 'application/json');
    assert.ok(!Object.keys(headers).some((name) => name.startsWith('access-control')));
  }
});

test('what is no call gets the status that Core gives', async () => {
  await using server = await startServer();
  const get = await server.ask({ method: 'GET' });
  assert.deepEqual([get.status, get.text], [405, 'JSONRPC server handles only POST requests']);
  assert.equal((await server.ask({ path: '/wallet/x', body: PING })).status, 404);
  assert.equal((await server.ask({ body: '{' })).status, 500);
  assert.equal((await server.ask({ body: '' })).status, 500);
  assert.equal((await server.ask({ method: 'OPTIONS', headers: { origin: 'https://evil.example' } })).status, 405);
});

test('a name that was not allowed is refused as host', async () => {
  await using server = await startServer(undefined, { allowHosts: ['node.example'] });
  const status = async (host: string): Promise<number> => (await server.ask({ body: PING, headers: { host } })).status;
  assert.equal(await status('evil.example:8332'), 403);
  assert.equal(await status('node.example:8332'), 200);
  assert.equal(await status('localhost'), 200);
});

test('without a login 401 at once, with a wrong one after a quarter of a second', async () => {
  const delays: number[] = [];
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, fn) => {
      if (delayMs === 250) delays.push(delayMs);
      return systemClock.after(0, fn);
    },
  };
  await using server = await startServer(undefined, {}, clock);
  const none = await httpRequest(server.address, { body: PING });
  assert.deepEqual([none.status, none.headers['www-authenticate']], [401, 'Basic realm="jsonrpc"']);
  assert.deepEqual(delays, []);
  const wrong = await server.ask({ body: PING, login: 'user:wrong' });
  assert.deepEqual([wrong.status, wrong.headers['www-authenticate']], [401, 'Basic realm="jsonrpc"']);
  assert.deepEqual(delays, [250]);
});

test('while many wrong logins wait, no other is tried, and who was let in before is answered', async () => {
  const gate = Promise.withResolvers<void>();
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, fn) => {
      if (delayMs !== 250) return systemClock.after(delayMs, fn);
      void gate.promise.then(fn);
      return { cancel: () => {} };
    },
  };
  const auths = [`second:salt$${createHmac('sha256', 'salt').update('word').digest('hex')}`];
  await using server = await startServer(undefined, { auths }, clock);
  const ask = async (login: string): Promise<number> => (await server.ask({ body: PING, login })).status;
  assert.equal(await ask(LOGIN), 200);
  // 16 are made to wait and 64 wait for that; the others are refused at once.
  const wrong = Array.from({ length: 90 }, (_, at) => ask(`user:wrong${at}`));
  let refused = 0;
  await new Promise<void>((resolve) => {
    for (const each of wrong) {
      void each.then((status) => {
        if (status === 503 && ++refused === 10) resolve();
      });
    }
  });
  assert.equal(await ask('second:word'), 503);
  assert.equal(await ask(LOGIN), 200);
  gate.resolve();
  const statuses = await Promise.all(wrong);
  assert.equal(statuses.filter((status) => status === 401).length, 80);
  assert.equal(await ask('second:word'), 200);
});

test('a method that is not in the whitelist of its user is refused, also in a batch', async () => {
  await using server = await startServer(undefined, { whitelist: ['user:ping'] });
  assert.equal((await server.ask({ body: PING })).status, 200);
  assert.equal((await server.ask({ body: '{"method":"stop"}' })).status, 403);
  assert.equal((await server.ask({ body: `[${PING},{"method":"stop"}]` })).status, 403);
});

test('calls beyond the queue are refused with 503, the others answered', async () => {
  const gate = Promise.withResolvers<void>();
  let atWork = 0;
  let most = 0;
  const call: Call = async () => {
    most = Math.max(most, ++atWork);
    await gate.promise;
    atWork--;
    return null;
  };
  await using server = await startServer(call, { threads: 2, workQueue: 3 });
  const answers = Array.from({ length: 20 }, () => server.ask({ body: PING }));
  // 15 find no room, and are answered before the gate opens.
  let refused = 0;
  const enough = new Promise<void>((resolve) => {
    for (const answer of answers) {
      void answer.then(({ status, text }) => {
        if (status !== 503) return;
        assert.equal(text, 'Work queue depth exceeded');
        if (++refused === 15) resolve();
      });
    }
  });
  await enough;
  gate.resolve();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 200).length, 5);
  assert.equal(most, 2);
});

test('two thousand calls at once are all answered, or refused for lack of room', async () => {
  await using server = await startServer(async () => {
    await nextTurn();
    return null;
  });
  const answers = await Promise.all(Array.from({ length: 2_000 }, () => server.ask({ body: PING })));
  const statuses = new Set(answers.map(({ status }) => status));
  assert.ok(statuses.has(200));
  assert.deepEqual([...statuses.difference(new Set([200, 503]))], []);
  assert.equal((await server.ask({ body: PING })).status, 200);
});

test('a body that is too large is refused, said beforehand or not', async () => {
  await using server = await startServer();
  const said = await server
    .ask({ body: '{}', headers: { 'content-length': String(0x0200_0001) } })
    .catch(() => undefined);
  assert.ok(said === undefined || said.status === 413);
  const socket = connect(Number(server.address.split(':')[1]), '127.0.0.1');
  socket.on('error', () => {});
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: ');
  socket.write(`Basic ${Buffer.from(LOGIN).toString('base64')}\r\nTransfer-Encoding: chunked\r\n\r\n`);
  const piece = Buffer.alloc(1 << 20, ' ');
  for (let sent = 0; sent <= 33; sent++) {
    if (socket.destroyed) break;
    socket.write(`${piece.length.toString(16)}\r\n`);
    socket.write(piece);
    socket.write('\r\n');
  }
  const [head] = (await once(socket, 'data')) as [Buffer];
  assert.match(head.toString('latin1'), /^HTTP\/1\.1 413 /);
  socket.destroy();
  assert.equal((await server.ask({ body: PING })).status, 200);
});

test('lines may end in LF alone, and no Host be named; a request of two lengths is refused', async () => {
  await using server = await startServer();
  const [host = '', port] = server.address.split(':');
  const ask = async (...lines: readonly string[]): Promise<string> => {
    const socket = connect(Number(port), host);
    const login = `Authorization: Basic ${Buffer.from(LOGIN).toString('base64')}`;
    socket.write(['POST / HTTP/1.1', login, ...lines].join('\n'));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return answer.toString('latin1');
  };
  const plain = await ask(`Content-Length: ${PING.length}`, '', PING);
  assert.match(plain, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n\{"result":"pong","error":null,"id":1\}\n$/s);
  const chunks = ['', PING.length.toString(16), PING, '0', '', ''].join('\r\n');
  assert.match(await ask('Transfer-Encoding: chunked', chunks), /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(await ask('Content-Length: 5', 'Transfer-Encoding: chunked', chunks), /^HTTP\/1\.1 400 /);
  assert.match(await ask('Transfer-Encoding: chunked, identity', chunks), /^HTTP\/1\.1 400 /);
});

test('a client that goes away aborts its call', async () => {
  const started = Promise.withResolvers<AbortSignal>();
  const call: Call = (_request, signal) => {
    started.resolve(signal);
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)));
  };
  await using server = await startServer(call);
  const client = new AbortController();
  const answer = server.ask({ body: PING, signal: client.signal });
  const signal = await started.promise;
  client.abort();
  await assert.rejects(answer);
  if (!signal.aborted) await once(signal, 'abort');
});

test('a stop answers who waits, and takes no more', async () => {
  const started = Promise.withResolvers<void>();
  const call: Call = (_request, signal) => {
    started.resolve();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped')));
  };
  const server = await startServer(call);
  const answer = server.ask({ body: PING });
  await started.promise;
  await server[Symbol.asyncDispose]();
  assert.equal((await answer).text, '{"result":"stopped","error":null,"id":1}\n');
  await assert.rejects(server.ask({ body: PING }), { code: 'ECONNREFUSED' });
});

test('a call that fails by a bug costs a connection, not the server', async () => {
  await using server = await startServer(() => Promise.reject(new Error('a bug')));
  await assert.rejects(server.ask({ body: PING }));
  await assert.rejects(server.ask({ body: PING }), { code: 'ECONNRESET' });
});

test('bodies at random never crash it', async () => {
  await using server = await startServer();
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json({ maxDepth: 3 }),
    fc.tuple(fc.jsonValue(), fc.jsonValue(), fc.jsonValue()).map((parts) => {
      const [method, params, id] = parts;
      return JSON.stringify({ method, params, id });
    }),
    fc.json({ maxDepth: 2 }).map((text) => text.slice(1)),
  );
  await fc.assert(
    fc.asyncProperty(body, async (sent) => {
      const { status } = await server.ask({ body: sent });
      assert.ok([200, 204, 400, 500].includes(status), String(status));
    }),
    { numRuns: 300, seed: 3 },
  );
});

test('requests changed at random never crash it', async () => {
  const called: string[] = [];
  await using server = await startServer(async ({ method }) => {
    called.push(method);
    return 'pong';
  });
  const [host = '', port] = server.address.split(':');
  const login = `Authorization: Basic ${Buffer.from(LOGIN).toString('base64')}`;
  const request = (lineEnd: string, ...framed: readonly string[]): Buffer =>
    Buffer.from(['POST / HTTP/1.1', 'Host: localhost', login, ...framed].join(lineEnd));
  const good = [
    request('\r\n', `Content-Length: ${PING.length}`, '', PING),
    request('\n', `Content-Length: ${PING.length}`, '', PING),
    request('\r\n', 'Transfer-Encoding: chunked', '', PING.length.toString(16), PING, '0', '', ''),
  ];
  const change = fc.tuple(fc.nat(), fc.constantFrom('set', 'cut', 'add'), fc.nat({ max: 255 }));
  const changed = fc
    .tuple(fc.constantFrom(...good), fc.array(change, { minLength: 1, maxLength: 6 }))
    .map(([bytes, changes]) => changes.reduce(applyChange, bytes));
  await fc.assert(
    fc.asyncProperty(changed, async (bytes) => {
      const socket = connect(Number(port), host);
      socket.on('error', () => {});
      socket.resume();
      socket.end(bytes);
      await once(socket, 'close');
    }),
    { numRuns: 400, seed: 5 },
  );
  assert.equal((await server.ask({ body: PING })).text, '{"result":"pong","error":null,"id":1}\n');
  assert.ok(called.length > 0);
});

type Change = readonly [at: number, how: 'set' | 'cut' | 'add', byte: number];

function applyChange(bytes: Buffer, [place, how, byte]: Change): Buffer {
  const at = place % bytes.length;
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(how === 'add' ? at : at + 1)];
  return Buffer.concat([before, how === 'cut' ? Buffer.alloc(0) : Buffer.of(byte), after]);
}

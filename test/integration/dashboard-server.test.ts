/** The listener of the dashboard over real sockets: the page, whom it answers, and what hostile clients get. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DashboardServer, type DashboardSource, type Explorer, serveDashboard, type Tell } from '#dashboard';
import { type Clock, nextTurn, nullLogger, systemClock } from '#util';
import { BUSY, createSyntheticSource } from '../support/dashboard-source.ts';
import { openEventStream } from '../support/event-client.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { type HttpAnswer, type HttpRequest, httpRequest } from '../support/rpc-client.ts';
import { makeTempDir, type TempDir } from '../support/temp-dir.ts';

const SMALL = { ...BUSY, peers: 3, transactions: 20 };
const PAGE = '<!doctype html><title>page</title>';
const SECRET = 'not for readers';

const nothingFound: Explorer = {
  block: async () => ({ status: 404, body: { error: 'none' } }),
  tx: async () => ({ status: 404, body: { error: 'none' } }),
  search: async () => ({ status: 404, body: { error: 'none' } }),
  peer: async () => ({ status: 404, body: { error: 'none' } }),
};

async function buildPage(): Promise<TempDir> {
  const folder = await makeTempDir();
  await mkdir(join(folder.path, 'dashboard', 'assets', 'deeper'), { recursive: true });
  const inside = (name: string) => join(folder.path, 'dashboard', name);
  await writeFile(join(folder.path, 'secret.html'), SECRET);
  await writeFile(inside('index.html'), PAGE);
  await writeFile(inside('assets/page-0a1b.js'), 'run()');
  await writeFile(inside('assets/deeper/more.js'), SECRET);
  await writeFile(inside('assets/private.key'), SECRET);
  await symlink(join(folder.path, 'secret.html'), inside('assets/link.html'));
  return folder;
}

type Options = {
  readonly source?: DashboardSource;
  readonly folder?: TempDir;
  readonly allowHosts?: readonly string[];
  readonly clock?: Clock;
};

function start({ source, folder, allowHosts = [], clock = systemClock }: Options = {}): Promise<DashboardServer> {
  const pageDirectory = join(folder?.path ?? '/nonexistent', 'dashboard');
  const endpoint = { host: '127.0.0.1', port: 0 };
  const deps = { clock, log: nullLogger };
  return serveDashboard(source ?? createSyntheticSource(SMALL), { endpoint, allowHosts, pageDirectory }, deps);
}

function get({ address }: DashboardServer, path: string, options: HttpRequest = {}): Promise<HttpAnswer> {
  return httpRequest(address, { method: 'GET', path, ...options });
}

test('the page and its assets, with what browsers need to keep them and to hold them in', async () => {
  await using folder = await buildPage();
  await using server = await start({ folder });
  const page = await get(server, '/');
  assert.deepEqual([page.status, page.text, page.headers['content-type']], [200, PAGE, 'text/html; charset=utf-8']);
  assert.equal(page.headers['cache-control'], 'no-cache');
  const etag = String(page.headers['etag']);
  const again = await get(server, '/', { headers: { 'if-none-match': etag } });
  assert.deepEqual([again.status, again.text], [304, '']);
  const script = await get(server, '/assets/page-0a1b.js');
  assert.deepEqual([script.text, script.headers['content-type']], ['run()', 'text/javascript; charset=utf-8']);
  assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.notEqual(script.headers['etag'], etag);
  const head = await get(server, '/', { method: 'HEAD' });
  assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', String(PAGE.length)]);
});

test('every answer is held in: no other origin, no frame, no guessing of types', async () => {
  await using folder = await buildPage();
  await using server = await start({ folder });
  using _feed = await openEventStream(server.address, '/feed');
  const origin = { origin: 'http://evil.example' };
  for (const path of ['/', '/assets/page-0a1b.js', '/api/block/1', '/nowhere', '/feed']) {
    const { headers } = await get(server, path, { headers: origin, method: path === '/feed' ? 'HEAD' : 'GET' });
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'.*script-src 'self'.*connect-src 'self'.*frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|http/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('access-control')),
      [],
    );
  }
});

test('nothing but what was read at the start is served, however its path is written', async () => {
  await using folder = await buildPage();
  await using server = await start({ folder });
  const paths = [
    ...['/../secret.html', '/assets/../../secret.html', '/%2e%2e/secret.html', '/assets/%2e%2e%2f%2e%2e%2fsecret.html'],
    ...['//secret.html', '/..\\secret.html', '/assets/link.html', '/assets/deeper/more.js', '/assets/private.key'],
    ...['/assets/', '/assets', '/index.html/', '/.', '/constructor', '/__proto__', '/api', '/api/', '/api/block'],
    ...['/api/block/1/2', '/api/constructor/1', '/api/search/1', '*', 'http://evil.example/../secret.html'],
  ];
  for (const path of paths) {
    const { status, text } = await get(server, path);
    assert.equal(status, 404, path);
    assert.doesNotMatch(text, new RegExp(SECRET));
  }
});

test('a page that was not built is said to be, and the rest is there', async () => {
  await using server = await start();
  const { status, text } = await get(server, '/');
  assert.equal(status, 503);
  assert.match(text, /npm run build/);
  assert.equal((await get(server, '/api/search?q=1')).status, 200);
});

test('it can only be read', async () => {
  await using server = await start();
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
    for (const path of ['/', '/feed', '/api/block/1']) {
      const { status, headers } = await get(server, path, { method });
      assert.deepEqual([status, headers['allow']], [405, 'GET, HEAD'], `${method} ${path}`);
    }
  }
  const body = 'x'.repeat(1 << 20);
  const posted = await get(server, '/', { method: 'POST', body }).catch(() => undefined);
  assert.ok(posted === undefined || posted.status === 405, 'a body is not read');
});

test('names that were not allowed, and pages of other sites, are refused', async () => {
  await using folder = await buildPage();
  await using server = await start({ folder, allowHosts: ['node.example'] });
  const status = async (headers: Record<string, string>, path = '/api/search?q=1'): Promise<number> =>
    (await get(server, path, { headers })).status;
  assert.equal(await status({ host: 'evil.example' }), 403);
  assert.equal(await status({ host: 'evil.example:8333' }, '/'), 403);
  assert.equal(await status({ host: 'node.example:8333' }), 200);
  assert.equal(await status({ host: 'localhost:1' }), 200);
  for (const site of ['cross-site', 'same-site']) {
    for (const path of ['/', '/feed', '/assets/page-0a1b.js', '/api/block/1']) {
      assert.equal(await status({ 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' }, path), 403, path);
    }
  }
  assert.equal(await status({ 'sec-fetch-site': 'same-origin' }), 200);
  assert.equal(await status({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, '/'), 200);
  const followed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
  assert.equal(await status({ ...followed, 'sec-fetch-dest': 'document' }, '/'), 200, 'who follows a link');
  assert.equal(await status({ ...followed, 'sec-fetch-dest': 'iframe' }, '/'), 403);
});

test('what is larger than a request may be ends its connection alone', async () => {
  await using server = await start();
  await assert.rejects(get(server, `/api/search?q=${'x'.repeat(9_000)}`));
  await assert.rejects(get(server, '/', { headers: { cookie: 'x'.repeat(9_000) } }));
  assert.equal((await get(server, `/api/search?q=${'x'.repeat(1_000)}`)).status, 200);
});

test('there are 16 readers of the feed; the next is refused until one leaves', async () => {
  const source = createSyntheticSource(SMALL);
  await using server = await start({ source });
  using readers = new DisposableStack();
  const streams = await Promise.all(Array.from({ length: 16 }, () => openEventStream(server.address, '/feed')));
  for (const stream of streams) readers.use(stream);
  assert.equal((await get(server, '/feed')).status, 503);
  assert.equal(source.watches(), 1);
  streams[0]?.[Symbol.dispose]();
  while ((await get(server, '/feed', { method: 'HEAD' })).status !== 200) await nextTurn();
});

test('a reader of the feed that does not read is dropped, and the node is watched no more', async () => {
  let told: Tell | undefined;
  let ended = 0;
  const synthetic = createSyntheticSource(SMALL);
  const source: DashboardSource = {
    explorer: nothingFound,
    watch: async (tell) => {
      told = tell;
      return { state: synthetic.state, [Symbol.dispose]: () => void ended++ };
    },
  };
  await using server = await start({ source });
  const reader = await silentReader(server.address);
  while (told === undefined) await nextTurn();
  const text = 'x'.repeat(1 << 20);
  // As much as the system's buffers take, and a mebibyte.
  let sentMebibytes = 0;
  for (; ended === 0 && sentMebibytes < 100; sentMebibytes++) {
    told('logs', { lines: [{ number: sentMebibytes, atMs: 0, level: 'info', module: null, text }], leftOut: 0 });
    await nextTurn();
  }
  assert.equal(ended, 1);
  assert.ok(sentMebibytes < 100, `${sentMebibytes} MiB`);
  reader.destroy();
});

/** Asks for the feed, and reads nothing of it. */
async function silentReader(address: string): Promise<Socket> {
  const [host = '', port] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET /feed HTTP/1.1\r\nHost: ${address}\r\n\r\n`);
  return socket;
}

test('look-ups have a rate, and a bound on what is at work and waits', async () => {
  const clock = createManualClock();
  const release = Promise.withResolvers<void>();
  let begun = 0;
  const explorer: Explorer = {
    ...nothingFound,
    block: async () => {
      begun++;
      await release.promise;
      return { status: 200, body: {} };
    },
  };
  await using server = await start({ clock, source: { ...createSyntheticSource(SMALL), explorer } });
  const answers = Array.from({ length: 50 }, () => get(server, '/api/block/1'));
  const refused = new Set<number>();
  // Ten come too often, six find the line full.
  const early = await Promise.all(firstOf(answers, 16));
  for (const { status, headers } of early) {
    refused.add(status);
    assert.equal(headers['retry-after'], status === 429 ? '1' : undefined);
  }
  assert.deepEqual(refused, new Set([429, 503]));
  assert.equal(begun, 2);
  release.resolve();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  const count = (wanted: number): number => statuses.filter((status) => status === wanted).length;
  assert.deepEqual([count(200), count(503), count(429)], [34, 6, 10]);
  assert.equal((await get(server, '/api/block/1')).status, 429);
  await clock.advance(1_000);
  assert.equal((await get(server, '/api/block/1')).status, 200);
});

/** As many promises, each for the next that settles. */
function firstOf<T>(promises: readonly Promise<T>[], count: number): Promise<T>[] {
  const next = Array.from({ length: count }, () => Promise.withResolvers<T>());
  let settled = 0;
  for (const promise of promises) void promise.then((value) => next[settled++]?.resolve(value));
  return next.map(({ promise }) => promise);
}

test('a look-up that fails says nothing of why', async () => {
  const explorer: Explorer = { ...nothingFound, peer: () => Promise.reject(new Error(SECRET)) };
  await using server = await start({ source: { ...createSyntheticSource(SMALL), explorer } });
  const { status, text } = await get(server, '/api/peer/x');
  assert.equal(status, 503);
  assert.doesNotMatch(text, new RegExp(SECRET));
  const cannotBeWatched: DashboardSource = { explorer, watch: () => Promise.reject(new Error(SECRET)) };
  await using other = await start({ source: cannotBeWatched });
  await assert.rejects(get(other, '/feed'));
  assert.equal((await get(other, '/api/block/1')).status, 404);
});

test('a stop closes what is open, and leaves no watch', async () => {
  const source = createSyntheticSource(SMALL);
  const server = await start({ source });
  using feed = await openEventStream(server.address, '/feed');
  await feed.next();
  assert.equal(source.watches(), 1);
  await server[Symbol.asyncDispose]();
  await assert.rejects(
    (async () => {
      for (;;) await feed.next();
    })(),
  );
  assert.equal(source.watches(), 0);
  await assert.rejects(get(server, '/'));
});

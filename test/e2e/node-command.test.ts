/** `starling node`: what it prints, how it stops, and what it says when it cannot start. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSocksServer } from '../support/socks-server.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { resultOf, runCli, startCli, waitForLine } from './run-cli.ts';

const LOOPBACK = '/ip4/127.0.0.1/tcp/0';

test('a node from a configuration file: its address, its log, an orderly stop', async (t) => {
  await using dir = await makeTempDir();
  const config = join(dir.path, 'starling.conf');
  await writeFile(config, `network=regtest\ndatadir=${dir.path}\nlisten=${LOOPBACK}\n[regtest]\nlog-level=debug\n`);
  const child = startCli(['node', '--config', config], { signal: t.signal });
  const result = resultOf(child);
  const address = await waitForLine(child, (line) => /others reach it at address=(\S+)$/.exec(line)?.[1]);
  assert.match(address, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3KooW\w+$/);

  const second = await runCli('node', '--config', config);
  assert.equal(second.code, 3);
  assert.match(second.err, /^starling: data directory .* is in use by another process.*\n$/);

  const askedAt = performance.now();
  child.kill('SIGINT');
  const { code, out, err } = await result;
  const stoppedAfterMs = performance.now() - askedAt;
  t.diagnostic(`stopped in ${Math.round(stoppedAfterMs)} ms`);
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /info {2}node is running network=regtest height=0 /);
  const log = await readFile(join(dir.path, 'regtest', 'debug.log'), 'utf8');
  assert.ok(out.startsWith(log.slice(0, 200)), 'debug.log has what was printed, from the first line on');

  // The key is made once: the same node comes back.
  const again = startCli(['node', '--config', config], { signal: t.signal });
  const ended = resultOf(again);
  const peer = await waitForLine(again, (line) => /\/p2p\/(\w+)$/.exec(line)?.[1]);
  assert.equal(peer, address.split('/').at(-1));
  again.kill('SIGTERM');
  assert.equal((await ended).code, 0);
});

test('when nobody reads the output any more, it stops', async (t) => {
  await using dir = await makeTempDir();
  const args = ['--network', 'regtest', '--datadir', dir.path, '--listen', LOOPBACK, '--log-format', 'json'];
  const child = startCli(['node', ...args], { signal: t.signal });
  await waitForLine(child, (line) => (line.includes('others reach it at') ? true : undefined));
  child.stdout?.destroy();
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
});

test('settings of the mempool that do not fit are one line and exit code 2, before anything is opened', async () => {
  await using dir = await makeTempDir();
  const place = ['--datadir', dir.path, '--listen', 'none'];
  for (const [flags, message] of [
    [['--accept-nonstd-txn'], /^starling: .*--accept-nonstd-txn.* not on mainnet\n$/],
    [['--max-mempool', '4'], /^starling: --max-mempool 4 is below the least of 5 MB.*\n$/],
  ] as const) {
    const { code, err } = await runCli('node', ...place, ...flags);
    assert.equal(code, 2);
    assert.match(err, message);
  }
  assert.deepEqual(await readdir(dir.path), []);
});

test('a port in use is one line and exit code 7', async (t) => {
  await using dir = await makeTempDir();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const args = ['--network', 'regtest', '--datadir', dir.path, '--listen', `/ip4/127.0.0.1/tcp/${port}`];
  const { code, err } = await resultOf(startCli(['node', ...args], { signal: t.signal }));
  server.close();
  assert.equal(code, 7, err);
  assert.match(err, /^starling: .*\n$/);
  assert.match(err, new RegExp(`${port}`));
});

test('a network file of one’s own', async (t) => {
  await using dir = await makeTempDir();
  const file = new URL('../../config/networks/example-private.json', import.meta.url).pathname;
  const args = ['--network', file, '--datadir', dir.path, '--listen', 'none', '--log-format', 'json'];
  const child = startCli(['node', ...args], { signal: t.signal });
  const result = resultOf(child);
  const network = await waitForLine(child, (line) => {
    const { msg, network: name } = JSON.parse(line);
    return msg === 'node is running' ? String(name) : undefined;
  });
  child.kill('SIGINT');
  assert.equal((await result).code, 0);
  assert.notEqual(network, 'regtest');
});

test('--mine: a chain of one’s own grows, and an address of another network is refused before anything is opened', async (t) => {
  await using dir = await makeTempDir();
  const args = ['node', '--network', 'regtest', '--datadir', dir.path, '--listen', LOOPBACK, '--mine-interval', '0'];
  const wrong = await runCli(...args, '--mine', '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2');
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /^starling: --mine 1BvB\w+: .*\n$/);
  const child = startCli([...args, '--mine', 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'], { signal: t.signal });
  const ended = resultOf(child);
  await waitForLine(child, (line) => (/block mined height=3 /.test(line) ? true : undefined));
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);
});

test('a private network: the key is made once, kept secret, and brings its nodes together', async (t) => {
  await using dir = await makeTempDir();
  const key = join(dir.path, 'swarm.key');
  const made = await runCli('psk', key);
  assert.deepEqual([made.code, made.err], [0, '']);
  const text = await readFile(key, 'utf8');
  const [, digits = ''] = /^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n([0-9a-f]{64})\n$/.exec(text) ?? [];
  assert.equal(digits.length, 64);
  assert.equal((await stat(key)).mode & 0o777, 0o600);
  assert.equal((await runCli('psk', key)).code, 5);
  assert.equal(await readFile(key, 'utf8'), text);

  const args = ['node', '--network', 'regtest', '--listen', LOOPBACK, '--psk', key, '--log-level', 'debug'];
  const first = startCli([...args, '--datadir', join(dir.path, 'a')], { signal: t.signal });
  const firstResult = resultOf(first);
  const address = await waitForLine(first, (line) => /others reach it at address=(\S+)$/.exec(line)?.[1]);
  const second = startCli([...args, '--datadir', join(dir.path, 'b'), '--connect', address], { signal: t.signal });
  const secondResult = resultOf(second);
  await waitForLine(second, (line) => (/peer ready/.test(line) ? true : undefined));
  first.kill('SIGTERM');
  second.kill('SIGTERM');
  for (const { code, out, err } of await Promise.all([firstResult, secondResult])) {
    assert.equal(code, 0);
    assert.ok(!`${made.out}${out}${err}`.includes(digits), 'the key is in no line');
  }
});

test('--proxy: a node dials by a SOCKS5 server, and nobody is told where it is', async (t) => {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await makeTempDir());
  const proxy = stack.use(await startSocksServer());
  const args = ['node', '--network', 'regtest', '--log-level', 'debug'];
  const first = startCli([...args, '--datadir', join(dir.path, 'a'), '--listen', LOOPBACK], { signal: t.signal });
  const firstResult = resultOf(first);
  const address = await waitForLine(first, (line) => /others reach it at address=(\S+)$/.exec(line)?.[1]);
  const url = `socks5://me:secret-word@127.0.0.1:${proxy.port}`;
  const proxied = [...args, '--datadir', join(dir.path, 'b'), '--connect', address, '--proxy', url];
  const second = startCli(proxied, { signal: t.signal });
  const secondResult = resultOf(second);
  await waitForLine(second, (line) => (/peer ready/.test(line) ? true : undefined));
  first.kill('SIGTERM');
  second.kill('SIGTERM');
  const [, { code, out, err }] = await Promise.all([firstResult, secondResult]);
  assert.equal(code, 0);
  assert.deepEqual(proxy.asked[0], { host: '127.0.0.1', port: Number(address.split('/')[4]), login: 'me:secret-word' });
  assert.ok(!out.includes('others reach') && !out.includes('listening'));
  assert.ok(!`${out}${err}`.includes('secret-word'));
});

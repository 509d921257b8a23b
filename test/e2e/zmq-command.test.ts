/** `starling node --zmqpub…`, as operators set it and programs made for Core listen to it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { serving } from '#rpc';
import { makeTempDir } from '../support/temp-dir.ts';
import { pythonZmqLacks, startPython } from '../support/zmq-subscriber.ts';
import { resultOf, runCli, startCli, waitForLine } from './run-cli.ts';

const ADDRESS = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202';

test('a bitcoin.conf says what a node publishes', { skip: await pythonZmqLacks() }, async (t) => {
  await using folder = await makeTempDir();
  const [file, path] = [join(folder.path, 'bitcoin.conf'), join(folder.path, 'zmq')];
  const text = `regtest=1\nzmqpubhashblock=ipc://${path}\nzmqpubrawblock=tcp://127.0.0.1:*\nzmqpubhashblockhwm=5\n`;
  await writeFile(file, text);
  const where = ['--config', file, '--datadir', folder.path];
  const more = ['--listen', 'none', '--rpc-port', '0', '--log-format', 'json', '--log-module', 'zmq=debug'];
  const node = startCli(['node', ...where, ...more], { signal: t.signal });
  const ended = resultOf(node);
  await waitForLine(node, (line) => line.includes('"msg":"publishing by ZMQ"') || undefined);
  const { out } = await runCli('rpc', ...where, 'getzmqnotifications');
  const [first, second] = JSON.parse(out);
  assert.deepEqual(first, { type: 'pubhashblock', address: `ipc://${path}`, hwm: 5 });
  assert.match(second.address, /^tcp:\/\/127\.0\.0\.1:[1-9]\d+$/);
  await using subscriber = startPython(first.address, ['hash']);
  await waitForLine(node, (line) => line.includes('"msg":"subscribed"') || undefined);
  const made = await runCli('rpc', ...where, 'generatetoaddress', '2', ADDRESS);
  for (const [sequence, hash] of JSON.parse(made.out).entries()) {
    const message = await subscriber.next();
    assert.deepEqual([message.topic, message.sequence, message.body.toString('hex')], ['hashblock', sequence, hash]);
  }
  node.kill('SIGTERM');
  assert.equal((await ended).code, 0);
  assert.equal(existsSync(path), false);
});

test('an address that is taken, or none, stops the start before anything is opened', async () => {
  await using folder = await makeTempDir();
  const where = ['--network', 'regtest', '--datadir', folder.path];
  const other = createServer();
  await serving.listenOn(other, { host: '127.0.0.1', port: 0 }, 'the test');
  const address = `tcp://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const taken = await runCli('node', ...where, '--zmqpubrawtx', address);
  other.close();
  assert.notEqual(taken.code, 0);
  assert.match(taken.err, /^starling: ZMQ cannot listen on tcp:.*EADDRINUSE.*; give an address that is free\n$/);
  const none = await runCli('node', ...where, '--zmqpubrawtx', '127.0.0.1:28332');
  assert.equal(none.code, 2);
  assert.match(none.err, /^starling: Invalid -zmqpubrawtx address 127\.0\.0\.1:28332: tcp:\/\/IP:PORT or /);
  assert.deepEqual(await readdir(folder.path), []);
});

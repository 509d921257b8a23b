/** `starling node --metrics`: scraped and asked for its health as operators do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExposition } from '../support/exposition.ts';
import { httpRequest } from '../support/rpc-client.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { resultOf, runCli, startCli, waitForLine } from './run-cli.ts';

test('a node tells its figures and its health, and closes that door when it ends', async (t) => {
  await using folder = await makeTempDir();
  const where = ['--network', 'regtest', '--datadir', folder.path, '--server', 'false', '--listen', 'none'];
  const node = startCli(['node', ...where, '--metrics', '127.0.0.1:0', '--log-format', 'json'], { signal: t.signal });
  const ended = resultOf(node);
  const address = await waitForLine(node, (line) => /"address":"(127\.0\.0\.1:\d+)".*\/metrics/.exec(line)?.[1]);
  const get = (path: string) => httpRequest(address, { method: 'GET', path });
  assert.equal((await get('/live')).status, 200);
  const ready = await get('/ready');
  assert.deepEqual([ready.status, ready.text], [503, 'no peer is connected\n']);
  const families = parseExposition((await get('/metrics')).text);
  assert.equal(families.get('starling_chain_height')?.samples.get('starling_chain_height'), 0);
  assert.ok((families.get('starling_store_disk_free_bytes')?.samples.get('starling_store_disk_free_bytes') ?? 0) > 0);
  node.kill('SIGTERM');
  assert.equal((await ended).code, 0);
  await assert.rejects(get('/live'), { code: 'ECONNREFUSED' });
});

test('an address that is none is refused before anything is opened', async () => {
  await using folder = await makeTempDir();
  const { code, err } = await runCli('node', '--network', 'regtest', '--datadir', folder.path, '--metrics', 'all:1');
  assert.equal(code, 2);
  assert.match(err, /^starling: Invalid --metrics address all:1: an IP address/);
});

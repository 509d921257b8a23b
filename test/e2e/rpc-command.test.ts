/** `starling rpc`, `status` and `stop` against a node in another process, as people and scripts use them. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { httpRequest } from '../support/rpc-client.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { type CliResult, resultOf, runCli, startCli, waitForLine } from './run-cli.ts';

const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206';

test('a node is called, asked for its state, and stopped', async (t) => {
  await using folder = await makeTempDir();
  const where = ['--network', 'regtest', '--datadir', folder.path];
  const rpc = (...args: readonly string[]): Promise<CliResult> => runCli('rpc', ...where, ...args);
  const noNode = await rpc('uptime');
  assert.equal(noNode.code, 2);
  assert.match(noNode.err, /^starling: no node runs in /);

  const waiting = runCli('rpc', ...where, '--rpc-wait', 'getblockcount');
  const node = startCli(['node', ...where, '--listen', 'none', '--rpc-port', '0', '--log-format', 'json'], {
    signal: t.signal,
  });
  const ended = resultOf(node);
  const address = await waitForLine(node, (line) => /"address":"(127\.0\.0\.1:\d+)".*answering/.exec(line)?.[1]);
  assert.deepEqual(await waiting, { code: 0, out: '0\n', err: '' });

  const cookie = join(folder.path, 'regtest', '.cookie');
  assert.equal(statSync(cookie).mode & 0o777, 0o600);
  const login = await readFile(cookie, 'utf8');
  const direct = await httpRequest(address, { login, body: '{"method":"getblockhash","params":[0]}' });
  assert.equal(direct.text, `{"result":"${GENESIS}","error":null,"id":null}\n`);

  assert.deepEqual(await rpc('getblockhash', '0'), { code: 0, out: `${GENESIS}\n`, err: '' });
  assert.deepEqual(await rpc('--named', 'getblockhash', 'height=0'), { code: 0, out: `${GENESIS}\n`, err: '' });
  assert.deepEqual(await rpc('getblockhash', '5'), {
    code: 8,
    out: '',
    err: 'error code: -8\nerror message:\nBlock height out of range\n',
  });
  assert.deepEqual(await rpc('getblockhash', 'x'), { code: 1, out: '', err: 'error: Error parsing JSON: x\n' });
  // What looks like a flag behind the method is an argument.
  assert.equal((await rpc('getblockhash', '-1')).code, 8);
  const header = await rpc('getblockheader', GENESIS);
  assert.match(header.out, /^\{\n {2}"hash": "0f91[\s\S]*"difficulty": 4\.656542373906925e-10,\n/);
  const wrong = await rpc('--rpc-password', 'wrong', 'uptime');
  assert.deepEqual([wrong.code, wrong.out], [2, '']);

  const status = await runCli('status', ...where);
  assert.equal(status.code, 0, status.err);
  assert.match(status.out, /^chain +regtest\nheight +0 of 0 headers\n/);
  assert.match(status.out, /\npeers +0 \(0 outbound\)\n/);
  assert.equal(JSON.parse((await runCli('status', ...where, '--json')).out).chain.chain, 'regtest');
  const peers = await runCli('peers', ...where);
  assert.deepEqual([peers.code, peers.out.split('\n').at(-2)], [0, '0 peers']);

  assert.deepEqual(await runCli('stop', ...where), { code: 0, out: 'Starling stopping\n', err: '' });
  assert.equal((await ended).code, 0);
  assert.ok(!existsSync(cookie));
});

/** `starling ban` against a node in another process: bans hold until they are lifted, also over a restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTempDir } from '../support/temp-dir.ts';
import { type CliResult, resultOf, runCli, startCli } from './run-cli.ts';

const NOBODY = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf';
const SUBNET = '192.0.2.0/24';

test('bans are added, listed, lifted and cleared', async (t) => {
  await using folder = await makeTempDir();
  const where = ['--network', 'regtest', '--datadir', folder.path];
  const ban = (...args: readonly string[]): Promise<CliResult> => runCli('ban', ...where, '--rpc-wait', ...args);
  const start = (): Promise<CliResult> =>
    resultOf(startCli(['node', ...where, '--listen', 'none', '--rpc-port', '0'], { signal: t.signal }));
  let ended = start();
  assert.deepEqual(await ban(), { code: 0, out: '0 bans\n', err: '' });
  const added = await ban('add', SUBNET, '--for', '7d', '--reason', 'floods us');
  assert.deepEqual(added, { code: 0, out: `${SUBNET} is banned for 7 d 0 h\n`, err: '' });
  assert.deepEqual(await ban('add', NOBODY), { code: 0, out: `${NOBODY} is banned for a day\n`, err: '' });

  await runCli('stop', ...where);
  assert.equal((await ended).code, 0);
  ended = start();
  const list: readonly Record<string, unknown>[] = JSON.parse((await ban('list', '--json')).out);
  assert.deepEqual(
    list.map(({ address, ban_duration, ban_reason }) => [address, ban_duration, ban_reason]),
    [
      [SUBNET, 604_800, 'floods us'],
      [NOBODY, 86_400, undefined],
    ],
  );
  for (const [args, message] of [
    [['add', SUBNET], /is banned already.*starling ban list/],
    [['add', 'nobody'], /"nobody" is no peer id, IP address or subnet/],
    [['lift', '198.51.100.1'], /no ban is for "198\.51\.100\.1".*starling ban list/],
    [['lift', SUBNET, '--for', '1h'], /--for and --reason go with/],
    [['add', SUBNET, '--for', 'long'], /"long" does not fit/],
    [['add'], /"starling ban add TARGET".* is expected/],
    [['clear', SUBNET], / is expected/],
    [['remove', SUBNET], / is expected/],
  ] as const) {
    const { code, out, err } = await ban(...args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, message);
  }
  assert.deepEqual(await ban('lift', SUBNET), { code: 0, out: `${SUBNET} is not banned any more\n`, err: '' });
  assert.deepEqual(await ban('clear'), { code: 0, out: 'all bans are lifted\n', err: '' });
  assert.equal((await ban('list')).out, '0 bans\n');
  await runCli('stop', ...where);
  assert.equal((await ended).code, 0);
});

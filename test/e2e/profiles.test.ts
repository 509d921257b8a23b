/** Each profile that comes with the program starts a node; what a node is started with is what `config show` says. */
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROFILE_NAMES } from '../../src/cli/config/names.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { resultOf, runCli, startCli, waitForLine } from './run-cli.ts';

const LOOPBACK = '/ip4/127.0.0.1/tcp/0';

for (const profile of PROFILE_NAMES) {
  test(`a node starts with the profile ${profile}`, async (t) => {
    await using dir = await makeTempDir();
    const flags = ['--profile', profile, '--datadir', dir.path, '--listen', LOOPBACK];
    const shown = JSON.parse((await runCli('config', 'show', '--json', ...flags)).out);
    const child = startCli(['node', ...flags], { signal: t.signal });
    const ended = resultOf(child);
    const network = await waitForLine(child, (line) => /node is running network=(\S+)/.exec(line)?.[1]);
    assert.equal(network, shown.settings.network.value);
    child.kill('SIGTERM');
    const { code, err } = await ended;
    assert.deepEqual([code, err], [0, '']);
  });
}

test('a bitcoin.conf starts a node, which names once what it does not use, and never a password', async (t) => {
  await using dir = await makeTempDir();
  const file = join(dir.path, 'bitcoin.conf');
  const text = `regtest=1\ndatadir=${dir.path}\nblocknotify=hunter3\ntorpassword=hunter2\ndbcache=8\n[regtest]\nport=1\nport=2\nlisten=${LOOPBACK}\n`;
  await writeFile(file, text);
  const child = startCli(['node', '--config', file], { signal: t.signal });
  const ended = resultOf(child);
  await waitForLine(child, (line) => (line.includes('node is running network=regtest') ? true : undefined));
  child.kill('SIGTERM');
  const { code, err } = await ended;
  assert.equal(code, 0);
  const named = err.match(/\w+(?= is not used)/g);
  assert.deepEqual(named, ['blocknotify', 'torpassword', 'port']);
  assert.doesNotMatch(err, /hunter/);
  const { out } = await runCli('config', 'show', '--config', file);
  assert.match(out, new RegExp(`^db-cache +8 +file ${file}:5$`, 'm'));
});

test('a data directory of Bitcoin Core is left alone, also with reindex', async () => {
  await using dir = await makeTempDir();
  const folder = join(dir.path, 'regtest');
  await mkdir(folder);
  await writeFile(join(folder, 'settings.json'), '{}');
  const file = join(dir.path, 'bitcoin.conf');
  await writeFile(file, `regtest=1\nreindex=1\ndatadir=${dir.path}\nlisten=0\n`);
  for (const args of [['node'], ['import', file]]) {
    const { code, err } = await runCli(...args, '--config', file);
    assert.equal(code, 2);
    assert.match(
      err,
      /^starling: .*regtest belongs to Bitcoin Core \(it has settings\.json\): give another --datadir;.*\n$/,
    );
  }
  assert.deepEqual(await readdir(folder), ['settings.json']);
});

test('config check says all that is wrong in a file, with lines, and ends with exit code 2', async () => {
  await using dir = await makeTempDir();
  const file = join(dir.path, 'starling.toml');
  await writeFile(file, 'max-peer = 4\npar = "x"\n');
  const bad = await runCli('config', 'check', file);
  assert.deepEqual([bad.code, bad.err], [2, '']);
  assert.deepEqual(bad.out.split('\n'), [
    `wrong: ${file}:1: unknown setting "max-peer" (did you mean "max-peers"?)`,
    `wrong: ${file}:2: par: "x" does not fit: a whole number from 0 to 16 is expected`,
    '',
  ]);
  await writeFile(file, 'max-peers = 4\n');
  assert.deepEqual(await runCli('config', 'check', file), { code: 0, out: `${file} can be used\n`, err: '' });
  const none = await runCli('config', 'chek', file);
  assert.equal(none.code, 2);
  assert.match(none.err, /"starling config show", or "starling config check FILE" is expected/);
});

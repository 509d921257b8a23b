/** `import`, `info` and `export` on real blocks, against the figures of Bitcoin Core. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { loadNetwork } from '#node';
import { lockDirectory } from '#store';
import { sharedPath } from '../support/shared.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { resultOf, runCli, startCli } from './run-cli.ts';

const BLOCKS = sharedPath('data/mainnet-0-4312.dat');
const LATER_BLOCK = sharedPath('data/mainnet-413567.raw');
const skip = BLOCKS === undefined || LATER_BLOCK === undefined ? 'shared/data is not there' : false;

/** What Bitcoin Core 27.0 says of these blocks (shared/data/README.md). */
const CORE = {
  network: 'mainnet',
  height: 4312,
  bestblock: '00000000a9da635727dce622d78361b153ce3334e6a60d4377fad529abfc7863',
  txouts: 4149,
  total_amount: 215600,
  hash_serialized_3: 'fa5670424a993c1c40c2ec80fdac5deaf80f14f3857ea2e16a1339ee7a596e62',
  muhash: '8ddda2747fb03d2bf57e08a23d4cab90f9e062c28bf5822760edc5238128a7e5',
};

async function infoOf(datadir: string) {
  const { code, out, err } = await runCli('info', '--datadir', datadir, '--json');
  assert.equal(code, 0, err);
  return { text: out, json: JSON.parse(out) };
}

test('import gives the figures of Bitcoin Core, and export gives the file back', { skip }, async () => {
  await using dir = await makeTempDir();
  const datadir = join(dir.path, 'data');
  const imported = await runCli('import', '--datadir', datadir, BLOCKS ?? '');
  assert.equal(imported.code, 0, imported.err);
  assert.match(imported.out, /^imported 4,312 blocks .*tip is block 4312 00000000a9da6357/);

  const { text, json } = await infoOf(datadir);
  const { chainwork, size_on_disk, pruned, ...rest } = json;
  assert.deepEqual(rest, CORE);
  assert.equal(pruned, false);
  assert.deepEqual(Object.keys(json), [
    ...['network', 'height', 'bestblock', 'chainwork', 'txouts', 'total_amount', 'hash_serialized_3', 'muhash'],
    ...['size_on_disk', 'pruned'],
  ]);
  assert.match(text, /"total_amount": 215600\.00000000,/);
  assert.match(chainwork, /^[0-9a-f]{64}$/);
  assert.ok(Number.isInteger(size_on_disk) && size_on_disk > 1_000_000);
  const human = await runCli('info', '--datadir', datadir);
  assert.match(human.out, /^height +4,312$/m);
  assert.ok(existsSync(join(datadir, 'debug.log')));

  const file = join(dir.path, 'all.dat');
  const exported = await runCli('export', '--datadir', datadir, file);
  assert.equal(exported.code, 0, exported.err);
  assert.deepEqual(await readFile(file), await readFile(BLOCKS ?? ''));
  const part = join(dir.path, 'part.dat');
  assert.equal((await runCli('export', '--datadir', datadir, '--from', '170', '--to', '170', part)).code, 0);
  assert.equal((await readFile(part)).length, 8 + 490);

  const again = await runCli('export', '--datadir', datadir, file);
  assert.deepEqual([again.code, again.err], [2, `starling: ${file} exists; name a new file, nothing is overwritten\n`]);
  const beyond = await runCli('export', '--datadir', datadir, '--to', '5000', join(dir.path, 'x'));
  assert.match(beyond.err, /--to 5000 is above the tip, which is block 4312/);
});

test('files in any order, also of raw blocks, make the same chain', { skip }, async () => {
  await using dir = await makeTempDir();
  const bytes = await readFile(BLOCKS ?? '');
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 8 + bytes.readUInt32LE(at + 4)) {
    records.push(bytes.subarray(at, at + 8 + bytes.readUInt32LE(at + 4)));
  }
  assert.equal(records.length, 4313);
  // Even heights backwards, then the odd ones as raw blocks.
  const even = records.filter((_, height) => height % 2 === 0).reverse();
  const odd = records.filter((_, height) => height % 2 === 1).map((record) => record.subarray(8));
  await writeFile(join(dir.path, 'even.dat'), Buffer.concat(even));
  await writeFile(join(dir.path, 'odd.raw'), Buffer.concat(odd));
  const datadir = join(dir.path, 'data');
  const result = await runCli('import', '--datadir', datadir, join(dir.path, 'even.dat'), join(dir.path, 'odd.raw'));
  assert.equal(result.code, 0, result.err);
  const { json } = await infoOf(datadir);
  assert.deepEqual([json.height, json.muhash], [CORE.height, CORE.muhash]);
});

test('a damaged file: offset and reason, everything before it kept, exit code 6', { skip }, async () => {
  await using dir = await makeTempDir();
  const bytes = await readFile(BLOCKS ?? '');
  let offset = 0;
  for (let height = 0; height < 1000; height++) offset += 8 + bytes.readUInt32LE(offset + 4);
  // Inside block 1000: the number of transactions.
  bytes[offset + 8 + 80] = 0xff;
  const file = join(dir.path, 'damaged.dat');
  await writeFile(file, bytes);
  const datadir = join(dir.path, 'data');
  const result = await runCli('import', '--datadir', datadir, file);
  assert.equal(result.code, 6);
  assert.match(result.err, new RegExp(`damaged\\.dat: damaged at offset ${offset}: .+`));
  assert.match(result.out, /tip is block 999 /);
  assert.match(result.out, /3,312 wait for block 1000, which no file has whole/);
  assert.equal((await infoOf(datadir)).json.height, 999);
  // The rest follows from a good file.
  assert.equal((await runCli('import', '--datadir', datadir, BLOCKS ?? '')).code, 0);
  assert.equal((await infoOf(datadir)).json.muhash, CORE.muhash);
});

test('what cannot be imported is said in one line', { skip }, async () => {
  await using dir = await makeTempDir();
  const datadir = join(dir.path, 'data');
  const alone = await runCli('import', '--datadir', datadir, LATER_BLOCK ?? '');
  assert.deepEqual([alone.code, alone.out.includes('1 left out: their parents are unknown')], [6, true]);
  const other = await runCli('import', '--datadir', datadir, '--network', 'regtest', BLOCKS ?? '');
  assert.equal(other.code, 6);
  assert.match(other.err, /damaged at offset 0: no block with the magic fabfb5da of this network/);
  const missing = await runCli('import', '--datadir', datadir, join(dir.path, 'none.dat'));
  assert.equal(missing.code, 2);
  assert.match(missing.err, /^starling: cannot read .*none\.dat.*\n$/);
});

test('an interrupted import keeps what it has and goes on later', { skip }, async () => {
  await using dir = await makeTempDir();
  const datadir = join(dir.path, 'data');
  const child = startCli(['import', '--datadir', datadir, BLOCKS ?? '']);
  const result = resultOf(child);
  // The log appears when the chain is open: the import is running, or about to.
  while (!existsSync(join(datadir, 'debug.log')) && child.exitCode === null) await setImmediate();
  child.kill('SIGINT');
  const { code, out, err } = await result;
  assert.ok(code === 130 || code === 0, `${code} ${err}`);
  assert.match(out, /^imported /);
  if (code === 130) assert.equal(err.trimEnd().split('\n').at(-1), 'starling: interrupted; what was imported is kept');
  assert.equal((await runCli('import', '--datadir', datadir, BLOCKS ?? '')).code, 0);
  assert.equal((await infoOf(datadir)).json.muhash, CORE.muhash);
});

test('a data directory in use, absent, or of nobody: one line and its own exit code', async () => {
  await using dir = await makeTempDir();
  const absent = await runCli('info', '--datadir', dir.path, '--network', 'regtest');
  assert.equal(absent.code, 2);
  assert.match(absent.err, /^starling: there is no regtest chain in .*: run "starling node".*\n$/);
  const unknown = await runCli('info', '--network', 'mainet');
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /^starling: network mainet: no such network.*mainnet.*\n$/);

  const file = join(dir.path, 'genesis.raw');
  await writeFile(file, (await loadNetwork('regtest')).genesis.raw);
  await using _lock = await lockDirectory(join(dir.path, 'regtest'));
  const locked = await runCli('import', '--network', 'regtest', '--datadir', dir.path, file);
  assert.equal(locked.code, 3);
  assert.match(locked.err, /^starling: data directory .* is in use by another process.*\n$/);
});

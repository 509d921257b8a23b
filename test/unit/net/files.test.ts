/** The key and the JSON files on a real disk. */
import assert from 'node:assert/strict';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { loadPeerKey } from '../../../src/net/identity.ts';
import { openJsonFile } from '../../../src/net/json-file.ts';
import { loadPsk } from '../../../src/net/psk.ts';
import { NodeError, nullLogger } from '../../../src/util/index.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

suite('net files', () => {
  test('the key is made once, private, and the same ever after', async () => {
    await using dir = await makeTempDir();
    const home = join(dir.path, 'libp2p');
    const first = await loadPeerKey(home, nullLogger);
    const path = join(home, 'peer.key');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.ok((await loadPeerKey(home, nullLogger)).equals(first));
    await chmod(path, 0o644);
    await loadPeerKey(home, nullLogger);
    assert.equal((await stat(path)).mode & 0o777, 0o600, 'a readable key is made private again');
    assert.deepEqual(await readdir(home), ['peer.key']);
    assert.ok(!(await loadPeerKey(undefined, nullLogger)).equals(first));
  });

  test('a damaged key is refused, wherever the damage is, and left as it is', async () => {
    await using dir = await makeTempDir();
    await loadPeerKey(dir.path, nullLogger);
    const path = join(dir.path, 'peer.key');
    const intact = await readFile(path);
    const samples = [Buffer.alloc(0), intact.subarray(0, 40), Buffer.concat([intact, intact]), Buffer.from('hello')];
    for (const at of [0, 3, 10, 35, 36, 40, 67]) {
      const flipped = Buffer.from(intact);
      flipped.writeUInt8((intact[at] ?? 0) ^ 1, at);
      samples.push(flipped);
    }
    for (const sample of samples) {
      await writeFile(path, sample);
      await assert.rejects(
        loadPeerKey(dir.path, nullLogger),
        (error) => error instanceof NodeError && error.code === 'CORRUPT_DATA' && error.message.includes(path),
      );
      assert.ok((await readFile(path)).equals(sample));
    }
  });

  test('a swarm key is read strictly, and told of if others can read it', async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, 'swarm.key');
    const digits = 'Ab'.repeat(32);
    const good = `/key/swarm/psk/1.0.0/\n/base16/\n${digits}\n`;
    const warnings: string[] = [];
    const log = { ...nullLogger, warn: (message: string) => void warnings.push(message) };
    await writeFile(path, good, { mode: 0o600 });
    await loadPsk(path, log);
    await writeFile(path, good.replaceAll('\n', '\r\n'));
    await loadPsk(path, log);
    assert.deepEqual(warnings, []);
    await chmod(path, 0o640);
    await loadPsk(path, log);
    assert.equal(warnings.length, 1);
    for (const bad of ['', 'x', good.slice(1), good.replace('base16', 'base64'), good.slice(0, -2), `${good}more`]) {
      await writeFile(path, bad);
      await assert.rejects(
        loadPsk(path, log),
        (error) => error instanceof NodeError && error.code === 'BAD_CONFIG' && !error.message.includes('AbAb'),
      );
    }
    await assert.rejects(loadPsk(join(dir.path, 'none'), log), { name: 'NodeError', code: 'IO' });
  });

  test('a JSON file is replaced as a whole, last write wins', async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, 'deep', 'peers.json');
    const file = openJsonFile(path, nullLogger);
    assert.equal(await file.read(), undefined);
    await Promise.all([file.write([1]), file.write([2]), file.write([3])]);
    assert.deepEqual(await file.read(), [3]);
    assert.deepEqual(await readdir(join(dir.path, 'deep')), ['peers.json']);
  });

  test('a damaged JSON file is set aside and told of', async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, 'peers.json');
    await writeFile(path, '[{"id":');
    const warnings: string[] = [];
    const file = openJsonFile(path, { ...nullLogger, warn: (message) => warnings.push(message) });
    assert.equal(await file.read(), undefined);
    assert.deepEqual(warnings, ['a damaged file was set aside']);
    assert.equal(await readFile(`${path}.damaged`, 'utf8'), '[{"id":');
  });

  test('a write that fails is logged, not thrown', async () => {
    await using dir = await makeTempDir();
    await writeFile(join(dir.path, 'occupied'), '');
    const warnings: string[] = [];
    const log = { ...nullLogger, warn: (message: string) => warnings.push(message) };
    await openJsonFile(join(dir.path, 'occupied', 'peers.json'), log).write([1]);
    assert.deepEqual(warnings, ['cannot write; the next start will not know what is new']);
  });
});

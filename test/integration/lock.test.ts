/** The data directory's lock between real processes: it excludes, and it ends with its holder. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lockDirectory } from '#store';
import { makeTempDir } from '../support/temp-dir.ts';

const HOLDER = fileURLToPath(new URL('../support/lock-holder.ts', import.meta.url));

type Holder = { readonly child: ChildProcess; readonly firstLine: Promise<string>; readonly exited: Promise<unknown> };

const started: ChildProcess[] = [];
after(() => {
  for (const child of started) child.kill('SIGKILL');
});

function startHolder(directory: string): Holder {
  const child = spawn(process.execPath, [HOLDER, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  started.push(child);
  const lines = createInterface({ input: child.stdout });
  const firstLine = once(lines, 'line').then(([line]: string[]) => line ?? '');
  return { child, firstLine, exited: once(child, 'exit') };
}

test('while another process holds the directory it is refused, with a line that helps', async () => {
  await using dir = await makeTempDir();
  const holder = startHolder(dir.path);
  assert.equal(await holder.firstLine, 'locked');
  await assert.rejects(lockDirectory(dir.path), {
    name: 'NodeError',
    code: 'DATADIR_LOCKED',
    message: `data directory ${dir.path} is in use by another process, which holds ${dir.path}/.lock; stop that process or choose another data directory`,
  });
  const second = startHolder(dir.path);
  assert.match(await second.firstLine, /^DATADIR_LOCKED /);
  assert.deepEqual(await second.exited, [1, null]);
  holder.child.stdin?.end();
  assert.deepEqual(await holder.exited, [0, null]);
  await using _free = await lockDirectory(dir.path);
});

test('SIGKILL frees the directory at once, time after time', async () => {
  await using dir = await makeTempDir();
  for (let i = 0; i < 3; i++) {
    const holder = startHolder(dir.path);
    assert.equal(await holder.firstLine, 'locked');
    holder.child.kill('SIGKILL');
    await holder.exited;
    await using _free = await lockDirectory(dir.path);
  }
});

test('of many that start together exactly one gets it', async () => {
  await using dir = await makeTempDir();
  const holders = Array.from({ length: 6 }, () => startHolder(dir.path));
  const lines = await Promise.all(holders.map((holder) => holder.firstLine));
  assert.equal(lines.filter((line) => line === 'locked').length, 1);
  assert.equal(lines.filter((line) => line.startsWith('DATADIR_LOCKED')).length, 5);
  for (const { child } of holders) child.kill('SIGKILL');
  await Promise.all(holders.map((holder) => holder.exited));
});

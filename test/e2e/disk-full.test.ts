/** A disk that fills up during an import: one line, its own exit code, nothing lost. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { sharedPath } from '../support/shared.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { PROGRAM, resultOf } from './run-cli.ts';

const BLOCKS = sharedPath('data/mainnet-0-4312.dat');

/** A small disk of memory in a mount namespace of its own: no privileges, and gone with the process. */
const NAMESPACE = ['-Urm', 'sh', '-c'];
const SCRIPT = `
mount -t tmpfs -o size=600k tmpfs "$1" || exit 99
"$2" "$3" import --datadir "$1" "$4"; echo "full: $?"
mount -o remount,size=100m "$1"
"$2" "$3" info --datadir "$1" --json; echo "info: $?"
"$2" "$3" import --datadir "$1" "$4"; echo "again: $?"
"$2" "$3" info --datadir "$1" --json
`;

function whyNot(): string | false {
  if (BLOCKS === undefined) return 'shared/data is not there';
  const probe = spawnSync('unshare', [...NAMESPACE, 'mount -t tmpfs tmpfs /mnt']);
  return probe.status === 0 ? false : 'a small disk cannot be made here without privileges';
}

test('a full disk during an import loses nothing', { skip: whyNot() }, async (t) => {
  await using dir = await makeTempDir();
  const args = [...NAMESPACE, SCRIPT, 'sh', dir.path, process.execPath, PROGRAM, BLOCKS ?? ''];
  const { out, err } = await resultOf(spawn('unshare', args, { signal: t.signal, killSignal: 'SIGTERM' }));
  const [, first, second] = out.split(/^\{$/m).map((text) => text.slice(0, text.indexOf('}')));
  assert.match(out, /^full: 5$/m);
  assert.match(err, /^starling: disk full: .*free some space.*\n$/);
  assert.match(out, /^info: 0$/m);
  const height = Number(/"height": (\d+)/.exec(first ?? '')?.[1]);
  assert.ok(height > 0 && height < 4312, `${height}`);
  assert.match(out, /^again: 0$/m);
  assert.match(second ?? '', /"muhash": "8ddda2747fb03d2bf57e08a23d4cab90f9e062c28bf5822760edc5238128a7e5"/);
});

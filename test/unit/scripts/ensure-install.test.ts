import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isNewEnough, reasonToInstall } from '../../../scripts/ensure-install.mjs';

test('says why an install is needed, and nothing when it is not', () => {
  const root = mkdtempSync(join(tmpdir(), 'starling-install-'));
  const write = (path: string, packages: object): void => writeFileSync(join(root, path), JSON.stringify({ packages }));
  try {
    const wanted = {
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '2.0.0', optional: true },
    };
    write('package-lock.json', wanted);
    assert.match(reasonToInstall(root) ?? '', /not installed/);
    mkdirSync(join(root, 'node_modules', 'a'), { recursive: true });
    assert.match(reasonToInstall(root) ?? '', /not finished/);
    write('node_modules/.package-lock.json', {});
    assert.match(reasonToInstall(root) ?? '', /a is missing/);
    write('node_modules/.package-lock.json', { 'node_modules/a': { version: '0.9.0' } });
    assert.match(reasonToInstall(root) ?? '', /a is 0\.9\.0, the lock file says 1\.0\.0/);
    write('node_modules/.package-lock.json', { 'node_modules/a': { version: '1.0.0' } });
    assert.equal(reasonToInstall(root), undefined);
    rmSync(join(root, 'node_modules', 'a'), { recursive: true });
    assert.match(reasonToInstall(root) ?? '', /a was removed/);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test('knows which Node.js strips types', () => {
  for (const version of ['24.12.0', '24.21.0', '25.0.0', '26.1.0']) assert.ok(isNewEnough(version), version);
  for (const version of ['20.20.2', '22.19.0', '24.11.1']) assert.ok(!isNewEnough(version), version);
});

/** The built page: small, whole, and fit for a content security policy that allows only files of its own. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { buildDashboard } from '../../../../scripts/build-dashboard.ts';
import { makeTempDir } from '../../../support/temp-dir.ts';

const MAX_GZIPPED_BYTES = 100_000;

test('the page is built from its sources, within its budget, and old assets go', async (t) => {
  await using dir = await makeTempDir();
  buildDashboard(dir.path);
  const assets = join(dir.path, 'assets');
  writeFileSync(join(assets, 'main-OLD.js'), '');
  buildDashboard(dir.path);
  const names = readdirSync(assets);
  assert.deepEqual(names.map((name) => name.replace(/-[A-Z0-9]{8}\./, '.')).sort(), ['all.css', 'main.js']);

  const files = [join(dir.path, 'index.html'), ...names.map((name) => join(assets, name))];
  const bytes = files.reduce((sum, path) => sum + gzipSync(readFileSync(path)).length, 0);
  t.diagnostic(`${bytes} bytes gzipped`);
  assert.ok(bytes < MAX_GZIPPED_BYTES, `${bytes} bytes gzipped`);

  const html = readFileSync(join(dir.path, 'index.html'), 'utf8');
  for (const name of names) assert.ok(html.includes(`"assets/${name}"`), `the page names ${name}`);
  assert.doesNotMatch(html, /<style|<script(?![^>]* src=)|style=|\son\w+=|https?:\/\/(?!www\.w3\.org)/);
  for (const path of files.slice(1)) {
    assert.doesNotMatch(readFileSync(path, 'utf8'), /\beval\(|new Function\(|https?:\/\/(?!www\.w3\.org)|url\(/, path);
  }
});

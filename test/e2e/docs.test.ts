/** What the documents tell people to type works as written. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeTempDir } from '../support/temp-dir.ts';
import { runCli } from './run-cli.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'src/README.md',
  'config/networks/README.md',
  'config/profiles/README.md',
  'config/prometheus/README.md',
];
const run = promisify(execFile);

const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

/** The text of the fenced blocks in `language`. */
function fenced(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, body]) =>
    name === language ? [body ?? ''] : [],
  );
}

test('links between documents lead somewhere', async () => {
  for (const document of DOCUMENTS) {
    for (const [, target = ''] of (await read(document)).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      assert.ok(existsSync(join(ROOT, document, '..', target)), `${document} links to ${target}`);
    }
  }
});

test('npm scripts that the documents name exist', async () => {
  const { scripts } = JSON.parse(await read('package.json'));
  for (const document of DOCUMENTS) {
    for (const [, name = ''] of (await read(document)).matchAll(/npm (?:run )?(start|test|(?<=run )[\w-]+)/g)) {
      assert.ok(name in scripts, `${document} names npm run ${name}`);
    }
  }
});

test('starling commands in the documents have only flags that exist', async () => {
  for (const document of DOCUMENTS) {
    const lines = fenced(await read(document), 'sh')
      .join('')
      .split('\n');
    for (const line of lines.filter((text) => text.startsWith('starling '))) {
      const [, command = ''] = line.split(' ');
      const { code, out } = await runCli(command, '--help');
      assert.equal(code, 0, line);
      for (const [flag] of line.split('#')[0]?.matchAll(/--[a-z-]+/g) ?? []) {
        assert.ok(out.includes(`${flag} `), `${document}: ${line}`);
      }
    }
  }
});

test('the embedding example of the README runs from a clone', async () => {
  await using dir = await makeTempDir();
  const [example] = fenced(await read('README.md'), 'ts');
  assert.ok(example);
  // From a clone the package is the folder itself: exports lead to the sources.
  await writeFile(join(dir.path, 'package.json'), '{ "type": "module" }');
  await writeFile(join(dir.path, 'embed.mjs'), example);
  await mkdir(join(dir.path, 'node_modules'));
  await symlink(ROOT, join(dir.path, 'node_modules', 'starling-node'));
  const { stdout } = await run(process.execPath, ['embed.mjs'], { cwd: dir.path });
  assert.equal(stdout, '1\n');
});

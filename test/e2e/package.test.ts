/** The published package: built, packed, installed in an empty folder with the ordinary client, run and embedded. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fenced, readDocument } from '../support/documents.ts';
import { makeTempDir, type TempDir } from '../support/temp-dir.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
/** What starts the package's program must be the Node.js of this test, first on the PATH as in `npm run`. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}` };

let isNpmUsable = true;
before(() => {
  isNpmUsable = spawnSync('npm', ['--version'], { env }).status === 0;
});

/** dist/ packed and installed below `folder`; the folder of the installed package. */
async function installPackage(folder: string): Promise<string> {
  await run(process.execPath, [join(ROOT, 'scripts', 'build.ts')], { cwd: ROOT });
  const packed = await run('npm', ['pack', join(ROOT, 'dist'), '--silent', '--ignore-scripts'], { cwd: folder, env });
  const tarball = join(folder, packed.stdout.trim());
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'embedder', type: 'module', private: true }));
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', '--omit=optional'];
  await run('npm', ['install', ...flags, tarball], { cwd: folder, env });
  return join(folder, 'node_modules', 'starling-node');
}

const EMBEDDING = `
import { createNode, loadNetwork, type NodeOptions, type StarlingNode } from 'starling-node';
import { networkDirectory } from 'starling-node/chain';
import { Block } from 'starling-node/primitives';
import { nullLogger, systemClock, systemRandom } from 'starling-node/util';

const params = await loadNetwork('regtest');
const options: NodeOptions = {
  params,
  datadir: process.argv[2] ?? '',
  listen: ['/ip4/127.0.0.1/tcp/0'],
  bootstrap: [],
  connect: [],
  maxPeers: 8,
  targetOutbound: 4,
  dbCacheBytes: 4 << 20,
  netThread: 'worker',
};
{
  const deps = { clock: systemClock, random: systemRandom, log: nullLogger };
  await using node: StarlingNode = await createNode(options, deps);
  const mined = await node.mineBlock(Uint8Array.of(0x51));
  const { tip, net } = await node.status();
  const raw = await node.chain.readBlock(tip.hash);
  const block = raw && Block.fromBytes(raw);
  console.log(mined.kind, tip.height, net.listenAddresses.length, block?.transactions.length);
  console.log(networkDirectory(options.datadir, params));
}
`;

test('the package installs, runs, embeds and type-checks', async (t) => {
  if (!isNpmUsable) {
    t.skip('npm is not there');
    return;
  }
  await using dir: TempDir = await makeTempDir();
  const installed = await installPackage(dir.path);
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  assert.ok(!Object.keys(manifest.optionalDependencies ?? {}).some((name) => name.startsWith('node-linux')));
  assert.equal(manifest.devDependencies, undefined);
  // 190 MB that a clone brings along.
  const modules = await readdir(join(dir.path, 'node_modules'));
  assert.deepEqual(
    modules.filter((name) => name.startsWith('node-linux')),
    [],
  );

  const program = join(dir.path, 'node_modules', '.bin', 'starling');
  const version = await run(program, ['--version'], { env, cwd: dir.path });
  assert.equal(version.stdout, `${manifest.version}\n`);
  assert.match(await readFile(join(installed, manifest.man), 'utf8'), /^\.TH STARLING 1 /);
  assert.match(await readFile(join(installed, 'dashboard', 'index.html'), 'utf8'), /"assets\/main-/);
  const shown = await run(program, ['config', 'show', '--profile', 'regtest', '--json'], { env, cwd: dir.path });
  assert.equal(JSON.parse(shown.stdout).settings.network.value, 'regtest');
  assert.match((await run(program, ['--help'], { env, cwd: dir.path })).stdout, /Usage: starling/);

  assert.match((await run(program, ['manual', 'rpc'], { env, cwd: dir.path })).stdout, /^### getblockchaininfo$/m);

  // What the README shows, as an embedder copies it; what it prints, docs.test.ts looks at.
  const examples = fenced(readDocument('README.md'), 'ts');
  const files = examples.map((_, at) => `readme-${at}.ts`);
  for (const [at, file] of files.entries()) {
    await writeFile(join(dir.path, file), examples[at] ?? '');
    assert.match((await run(process.execPath, [file], { cwd: dir.path })).stdout, /\S\n$/);
  }

  // TypeScript and Node's types are the embedder's own development dependencies: here, this project's.
  await mkdir(join(dir.path, 'node_modules', '@types'), { recursive: true });
  for (const name of [join('@types', 'node'), 'undici-types']) {
    const place = join(dir.path, 'node_modules', name);
    // A dependency may have brought an older one.
    await rm(place, { recursive: true, force: true });
    await symlink(join(ROOT, 'node_modules', name), place);
  }
  await writeFile(join(dir.path, 'embed.ts'), EMBEDDING);
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'esnext'];
  await run(tsc, [...strict, '--types', 'node', 'embed.ts', ...files], { cwd: dir.path });

  const datadir = join(dir.path, 'data-of-ours');
  const embedded = await run(process.execPath, ['embed.ts', datadir], { cwd: dir.path });
  assert.deepEqual(embedded.stdout.trimEnd().split('\n'), ['accepted 1 1 1', join(datadir, 'regtest')]);
});

/**
 * What the container image and the service are made of exists and works, as far as that can be told without Docker: files,
 * settings, the program's place in the built package, the health check against a node, the unit by systemd's own check.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../../src/cli/commands.ts';
import { environmentLayer } from '../../src/cli/config/environment.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { resultOf, startCli, waitForLine } from './run-cli.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCKER = join(ROOT, 'config', 'docker');
const HEALTH = join(DOCKER, 'health.ts');

type Instruction = { readonly name: string; readonly text: string };

/** The instructions of a Dockerfile; lines that end with a backslash go on. */
function instructions(): readonly Instruction[] {
  const lines = readFileSync(join(DOCKER, 'Dockerfile'), 'utf8')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ');
  return lines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ name: line.split(' ', 1)[0] ?? '', text: line.slice(line.indexOf(' ') + 1).trim() }));
}

const textsOf = (name: string): readonly string[] =>
  instructions()
    .filter((instruction) => instruction.name === name)
    .map(({ text }) => text);

const lines = (file: string): readonly string[] => readFileSync(join(ROOT, file), 'utf8').split('\n');

/** What settings are wrong, or none. */
function wrongSettings(pairs: readonly (readonly [string, string])[]): readonly string[] {
  const { problems, notes } = environmentLayer(Object.fromEntries(pairs));
  return [...problems, ...notes];
}

test('the image copies what is there and what Docker is shown of it', () => {
  const shown = lines('config/docker/Dockerfile.dockerignore').flatMap((line) =>
    line.startsWith('!') ? [line.slice(1)] : [],
  );
  const copied = textsOf('COPY')
    .filter((text) => !text.startsWith('--from'))
    .flatMap((text) => text.split(/\s+/).slice(0, -1));
  assert.ok(copied.length > 5);
  for (const path of copied) {
    const name = path.replace(/^\.\//, '');
    assert.ok(existsSync(join(ROOT, name)), name);
    assert.ok(
      shown.some((each) => name === each || name.startsWith(`${each}/`)),
      `${name} is left out by .dockerignore`,
    );
  }
  // What the build reads of the root.
  for (const name of [
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'package.json',
    'tsconfig.json',
    'config',
    'scripts',
    'src',
  ]) {
    assert.ok(
      copied.some((path) => path.replace(/^\.\//, '') === name),
      name,
    );
  }
});

test('the image runs the program of the package, as a user without rights, with settings that exist', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const [entry = ''] = textsOf('ENTRYPOINT');
  assert.deepEqual(JSON.parse(entry), ['node', manifest.bin.starling.replace('./', '').replace(/\.ts$/, '.js')]);
  const [command] = JSON.parse(textsOf('CMD')[0] ?? '[]');
  assert.ok(command in COMMANDS);
  assert.deepEqual([textsOf('USER'), textsOf('VOLUME')], [['starling'], ['/data']]);
  const [env = ''] = textsOf('ENV');
  const pairs = env.split(/\s+/).map((pair) => pair.split('=') as [string, string]);
  assert.ok(pairs.some(([name]) => name === 'STARLING_DATADIR'));
  assert.deepEqual(wrongSettings(pairs), []);
  const [major] = /(?<=^node:)\d+/.exec(textsOf('FROM').at(-1) ?? '') ?? [];
  assert.ok(manifest.engines.node.startsWith(`>=${major}.`));
  for (const stage of textsOf('COPY').filter((text) => text.startsWith('--from'))) {
    assert.match(stage, /^--from=build \/build\/dist /);
  }
});

test('the compose file has settings that exist, and takes every right away', () => {
  const text = lines('config/docker/compose.yaml');
  const pairs = text.flatMap((line): [string, string][] => {
    const [, name, value = ''] = /^ {6}(\w+): \$\{\w+:-(.*)\}$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value]];
  });
  assert.ok(pairs.length >= 3);
  assert.deepEqual(wrongSettings(pairs), []);
  for (const line of ['    read_only: true', '    cap_drop:', '      - no-new-privileges:true', '      - data:/data']) {
    assert.ok(text.includes(line), line);
  }
  assert.ok(text.every((line) => !line.includes('\t')));
});

test('the health check tells a node from what is none', async (t) => {
  await using dir = await makeTempDir();
  const check = (metrics: string): Promise<{ code: number | null; out: string }> =>
    resultOf(
      spawn(process.execPath, [HEALTH], { env: { ...process.env, STARLING_METRICS: metrics }, signal: t.signal }),
    );
  const flags = ['--network', 'regtest', '--datadir', dir.path, '--listen', 'none', '--server', 'false'];
  const child = startCli(['node', ...flags, '--metrics', '127.0.0.1:0', '--log-format', 'json'], { signal: t.signal });
  const ended = resultOf(child);
  const port = await waitForLine(child, (line) => /"address":"127\.0\.0\.1:(\d+)".*\/metrics/.exec(line)?.[1]);
  for (const address of [`127.0.0.1:${port}`, `0.0.0.0:${port}`, `[::]:${port}`]) {
    const healthy = await check(address);
    assert.deepEqual([healthy.code, healthy.out], [0, ''], address);
  }
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);

  const gone = await check(`127.0.0.1:${port}`);
  assert.equal(gone.code, 1);
  assert.match(gone.out, /ECONNREFUSED|EADDRNOTAVAIL/);
  const off = await check('');
  assert.deepEqual([off.code, off.out.slice(0, 25)], [1, 'STARLING_METRICS is empty']);

  const other = createServer((_request, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  assert.ok(typeof address === 'object' && address !== null);
  const wrong = await check(`127.0.0.1:${address.port}`);
  other.close();
  assert.deepEqual([wrong.code, wrong.out], [1, `port ${address.port} answers /live with 404\n`]);
});

test('the image answers its health check, and the compose file publishes figures to this machine alone', () => {
  const [env = ''] = textsOf('ENV');
  assert.ok(env.split(/\s+/).includes('STARLING_METRICS=127.0.0.1'));
  const [check = ''] = textsOf('HEALTHCHECK');
  const [, command = '[]'] = /CMD (\[.*\])$/.exec(check) ?? [];
  assert.deepEqual(JSON.parse(command), ['node', 'health.ts']);
  assert.ok(textsOf('COPY').includes('config/docker/health.ts ./'));
  const published = lines('config/docker/compose.yaml').filter((line) => line.includes(':9332"'));
  assert.deepEqual(published, ['      - "127.0.0.1:9332:9332"']);
});

const UNIT = 'config/systemd/starling.service';

test('the service runs a command that exists, with settings that exist, and stays down after a wrong one', () => {
  const values = (key: string): readonly string[] =>
    lines(UNIT).flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  const [program, command = '', ...flags] = values('ExecStart')[0]?.split(' ') ?? [];
  assert.deepEqual([program, command in COMMANDS, flags], ['/usr/local/bin/starling', true, []]);
  const pairs = values('Environment').map((pair) => pair.split('=') as [string, string]);
  assert.deepEqual(wrongSettings(pairs), []);
  assert.deepEqual(values('RestartPreventExitStatus'), ['2 3 4']);
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

test('systemd finds nothing wrong with the service, and little exposed', { skip: !hasSystemd }, async () => {
  await using dir = await makeTempDir();
  // The program is not installed here: systemd wants to see it.
  const unit = readFileSync(join(ROOT, UNIT), 'utf8').replace('/usr/local/bin/starling', process.execPath);
  const file = join(dir.path, 'starling.service');
  await writeFile(file, unit);
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
  assert.deepEqual([verified.status, verified.stderr], [0, '']);
  const exposure = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', file], {
    encoding: 'utf8',
  });
  assert.equal(exposure.status, 0, exposure.stdout.slice(-200));
});

/** What the README tells people to type is typed, line by line, in a shell in an empty home directory; its program is run. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { encodeAsmap } from '../support/asmap-encoder.ts';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { DOCUMENTS, fenced, npmLines, ROOT, readDocument } from '../support/documents.ts';
import { writeChain } from '../support/sample-chain.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { type CliResult, PROGRAM, programEnvironment, resultOf, waitForLine } from './run-cli.ts';

const run = promisify(execFile);

/** What examples leave out, and ports that may be taken here. */
const FILLED: readonly (readonly [RegExp, string])[] = [
  [/12D3Koo…/g, '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'],
  [/(?<=--listen \/ip4\/0\.0\.0\.0\/tcp\/)\d+/g, '0'],
];

/** Run by a test of its own: it takes nine processes. */
const RUN_ELSEWHERE = /^starling devnet /;
/** What calls a node that runs. */
const CALLS = /^starling (?:rpc|status|peers|top|ban|stop)\b/;

/** The files that the lines name: blocks as Bitcoin Core left them, maps, settings, a chain of one's own. */
async function furnish(home: string): Promise<void> {
  const builder = createChainBuilder(regtest());
  builder.mineMany(1_000);
  await mkdir(join(home, '.bitcoin', 'blocks'), { recursive: true });
  await writeChain(join(home, '.bitcoin', 'blocks', 'blk00000.dat'), builder);
  await copyFile(join(home, '.bitcoin', 'blocks', 'blk00000.dat'), join(home, 'blocks.dat'));
  await writeFile(join(home, '.bitcoin', 'bitcoin.conf'), 'regtest=1\nserver=1\ndbcache=100\n');
  await writeFile(join(home, 'starling.toml'), 'max-peers = 20\n');
  await copyFile(join(ROOT, 'config', 'networks', 'example-private.json'), join(home, 'our-chain.json'));
  await writeFile(join(home, 'ip_asn.map'), encodeAsmap({ op: 'return', asn: 1 }));
  await mkdir(join(home, 'bin'));
  await writeFile(join(home, 'bin', 'starling'), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  await chmod(join(home, 'bin', 'starling'), 0o755);
}

/** Types a line. The chain is regtest's where the line names none. */
function typed(line: string, home: string, signal: AbortSignal): ChildProcess {
  const ours = {
    HOME: home,
    PATH: `${join(home, 'bin')}${delimiter}${process.env['PATH']}`,
    STARLING_NETWORK: 'regtest',
    STARLING_LISTEN: '/ip4/127.0.0.1/tcp/0',
  };
  const env = { ...programEnvironment(process.env), ...ours };
  return spawn('sh', ['-c', `exec ${line}`], { cwd: home, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
}

const isRunning = (line: string): true | undefined => (line.includes('node is running') ? true : undefined);

async function assertWorks(line: string, home: string, signal: AbortSignal): Promise<void> {
  const child = typed(line, home, signal);
  const ended = resultOf(child);
  if (line.startsWith('starling node')) {
    await waitForLine(child, isRunning).catch(async (error: unknown) => assert.fail(`${error} ${(await ended).err}`));
    child.kill('SIGTERM');
  }
  const { code, out, err } = await ended;
  assert.equal(code, 0, `${line}\n${out}${err}`);
}

/** One node for calls that follow each other; none beside a line that starts its own. */
async function typeAll(t: TestContext, lines: readonly string[], home: string): Promise<void> {
  let called: { readonly node: ChildProcess; readonly ended: Promise<CliResult> } | undefined;
  const endCalled = async (isStopped: boolean): Promise<void> => {
    if (!isStopped) called?.node.kill('SIGTERM');
    assert.equal((await called?.ended)?.code ?? 0, 0);
    called = undefined;
  };
  for (const raw of lines) {
    const line = FILLED.reduce((text, [from, to]) => text.replace(from, to), raw);
    if (RUN_ELSEWHERE.test(line)) continue;
    // Nothing is overwritten.
    if (line.startsWith('starling export')) await rm(join(home, 'blocks.dat'));
    if (!CALLS.test(line)) await endCalled(false);
    else if (called === undefined) {
      const node = typed('starling node', home, t.signal);
      called = { node, ended: resultOf(node) };
      await waitForLine(node, isRunning);
    }
    await t.test(line.replace(/\s+#.*$/, ''), (each) => assertWorks(line, home, each.signal));
    if (line.startsWith('starling stop')) await endCalled(true);
  }
  await endCalled(false);
}

test('each line of the README’s shell blocks does what it says', { timeout: 900_000 }, async (t) => {
  await using dir = await makeTempDir();
  await furnish(dir.path);
  const lines = fenced(readDocument('README.md'), 'sh')
    .flatMap((block) => block.split('\n'))
    .filter((line) => line.startsWith('starling '));
  assert.ok(lines.length > 25);
  await typeAll(t, lines, dir.path);
});

test('what names fuzz targets and benchmarks names them', async () => {
  const { scripts } = JSON.parse(readDocument('package.json'));
  const lists = DOCUMENTS.flatMap((document) => npmLines(readDocument(document)))
    .filter((words) => words.at(-1) === '--list')
    .map(([, , name = '']) => name);
  assert.deepEqual([...new Set(lists)].sort(), ['bench', 'fuzz']);
  for (const name of new Set(lists)) {
    const [, file = ''] = String(scripts[name]).split(' ');
    const { stdout } = await run(process.execPath, [file, '--list'], { cwd: ROOT });
    assert.match(stdout, /^\w[\w-]* +\S/);
  }
});

/** What each of the README's programs prints. */
const PRINTED: readonly RegExp[] = [/^1\n$/, /^JSON-RPC at 127\.0\.0\.1:\d+\nblock 1 [0-9a-f]{64}\n$/];

test('the embedding examples of the README run from a clone', async () => {
  const examples = fenced(readDocument('README.md'), 'ts');
  assert.equal(examples.length, PRINTED.length);
  for (const [at, example] of examples.entries()) {
    await using dir = await makeTempDir();
    // From a clone the package is the folder itself: exports lead to the sources.
    await writeFile(join(dir.path, 'package.json'), '{ "type": "module" }');
    await writeFile(join(dir.path, 'embed.ts'), example);
    await mkdir(join(dir.path, 'node_modules'));
    await symlink(ROOT, join(dir.path, 'node_modules', 'starling-node'));
    const { stdout } = await run(process.execPath, ['embed.ts'], { cwd: dir.path });
    assert.match(stdout, PRINTED[at] ?? /^$/);
  }
});

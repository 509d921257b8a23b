/**
 * Bitcoin Core itself, as a judge: a build of the year 2015 (0.11.99, before segwit), which is what the registry of npm
 * packages holds of it. Fetched once, checked against its hash, kept in `.cache`; never a dependency of anything.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { callRpc, endpointText, type JsonValue, type RpcReply, type RpcTarget } from '#rpc';
import { assert, errorText, NodeError, systemRandom, toHex } from '#util';
import { makeTempDir } from './temp-dir.ts';

const PACKAGE = 'bitcoind-regtest@0.2.3';
const SHA512 = 'H+znRxeYqJfoz+GCAFmIn8aisi3FiImWAlJlFMZs237tL3jM6k+wcp8JAt3yGmaOYhyMIfwRAZ6CcEbDJy3zxw==';
const MEMBER = 'package/bitcoind/bitcoind-rev-3224936';
const PROGRAM = fileURLToPath(new URL('../../.cache/bitcoin-core/bitcoind-0.11.99', import.meta.url));
/** Without a network the tests shall not wait for long before they say so. */
const MAX_FETCH_MS = 120_000;
/** How often a program that starts is asked whether it answers. */
const ASK_AGAIN_MS = 50;
/** Nobody answers yet, or it says that it is not ready. */
const RPC_IN_WARMUP = -28;

const run = promisify(execFile);

export type CoreProgram = AsyncDisposable & {
  /** HOST:PORT, for calls by HTTP. */
  readonly address: string;
  readonly reply: (method: string, ...params: JsonValue[]) => Promise<RpcReply>;
  /** The result; throws where Core answers with an error. */
  readonly call: (method: string, ...params: JsonValue[]) => Promise<JsonValue>;
};

/** Why Core cannot run here; undefined when it can, and has been fetched. */
export async function coreLacks(): Promise<string | undefined> {
  if (platform() !== 'linux' || arch() !== 'x64') return 'this build of Bitcoin Core runs on Linux, x64';
  try {
    await fetchProgram();
    return undefined;
  } catch (error) {
    return `Bitcoin Core could not be fetched: ${errorText(error)}`;
  }
}

async function fetchProgram(): Promise<void> {
  if (await runs()) return;
  await using folder = await makeTempDir();
  const args = [
    'pack',
    PACKAGE,
    '--silent',
    '--ignore-scripts',
    '--fetch-retries=1',
    '--pack-destination',
    folder.path,
  ];
  const packed = await run('npm', args, { timeout: MAX_FETCH_MS });
  const archive = join(folder.path, packed.stdout.trim());
  const sha512 = createHash('sha512')
    .update(await readFile(archive))
    .digest('base64');
  if (sha512 !== SHA512) throw new Error(`${PACKAGE} is not what it was: its SHA-512 is ${sha512}`);
  await run('tar', ['-xzf', archive, '-C', folder.path, MEMBER]);
  await mkdir(join(PROGRAM, '..'), { recursive: true });
  // By its name only when whole: another process may fetch it too.
  const partial = `${PROGRAM}.${process.pid}`;
  await writeFile(partial, await readFile(join(folder.path, MEMBER)));
  await chmod(partial, 0o755);
  await rename(partial, PROGRAM);
  if (!(await runs())) throw new Error('it does not run');
}

/** It tells its version, and ends with code 1. */
async function runs(): Promise<boolean> {
  const told = await run(PROGRAM, ['-version']).catch((error: { readonly stdout?: string }) => error);
  return told.stdout?.includes('v0.11.99') === true;
}

/** On regtest, alone, in a folder of its own; it ends, and its files go, when it is disposed of. */
export async function startCore(flags: readonly string[] = []): Promise<CoreProgram> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTempDir());
  const password = toHex(systemRandom.bytes(16));
  const port = await freePort();
  const settings = ['regtest=1', 'server=1', 'listen=0', 'disablewallet=1', 'rpcuser=test', `rpcpassword=${password}`];
  await writeFile(join(folder.path, 'bitcoin.conf'), settings.join('\n'), { mode: 0o600 });
  const args = [`-datadir=${folder.path}`, `-rpcport=${port}`, '-printtoconsole=0', ...flags];
  const child = spawn(PROGRAM, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  stack.defer(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const target = { endpoint: { host: '127.0.0.1', port }, login: `test:${password}`, timeoutMs: 0 };
  while (!(await answers(target))) {
    assert(child.exitCode === null, `Bitcoin Core ended with code ${child.exitCode} before it answered`);
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
  const resources = stack.move();
  const reply: CoreProgram['reply'] = (method, ...params) => callRpc(target, method, params);
  return {
    address: endpointText(target.endpoint),
    reply,
    call: async (method, ...params) => {
      const answer = await reply(method, ...params);
      assert(answer.kind === 'result', `${method} of Bitcoin Core succeeds: ${JSON.stringify(answer)}`);
      return answer.result;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function answers(target: RpcTarget): Promise<boolean> {
  try {
    const answer = await callRpc(target, 'getblockcount', []);
    return answer.kind === 'result' || answer.code !== RPC_IN_WARMUP;
  } catch (error) {
    if (error instanceof NodeError) return false;
    throw error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  assert(typeof address === 'object' && address !== null, 'it listened');
  return address.port;
}

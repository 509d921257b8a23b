/** The development network: separate processes that find each other, agree, and end with their parent. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { regtest } from '../support/chain-builder.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { resultOf, runCli, startCli, waitForLine } from './run-cli.ts';

type NodeState = {
  readonly name: string;
  readonly peerId?: string;
  readonly report?: { readonly height: number; readonly tip: string; readonly peers: number; readonly mempool: number };
};

/** Resolves with the first table for which `isGood` holds. */
async function waitForTable(
  child: ChildProcess,
  isGood: (nodes: readonly NodeState[]) => boolean,
): Promise<NodeState[]> {
  return waitForLine(child, (line) => {
    if (!line.startsWith('{')) return undefined;
    const { nodes } = JSON.parse(line) as { nodes: NodeState[] };
    return isGood(nodes) ? nodes : undefined;
  });
}

/** Processes whose command line names `text` (Linux only: elsewhere none are found). */
function processesNaming(text: string): number[] {
  if (!existsSync('/proc/self/cmdline')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(join('/proc', pid, 'environ'), 'utf8').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

const FLAGS = ['--nodes', '3', '--block-interval', '1', '--tx-rate', '5', '--log-format', 'json'];

/** The signal ends it when the test runs out of time. Its temporary folder marks its processes as ours. */
function startDevnet(folder: string, signal: AbortSignal, ...more: readonly string[]): ChildProcess {
  return startCli(['devnet', ...FLAGS, ...more], { env: { ...process.env, TMPDIR: folder }, signal });
}

test('the table fills: all nodes agree on blocks, know each other, and transactions get into blocks', async (t) => {
  await using dir = await makeTempDir();
  const child = startDevnet(dir.path, t.signal, '--keep');
  const ended = resultOf(child);
  const nodes = await waitForTable(child, (all) => {
    const heights = all.map(({ report }) => report?.height ?? 0);
    // A block may be on its way while the nodes report.
    const agree = Math.min(...heights) >= 114 && Math.max(...heights) - Math.min(...heights) <= 1;
    return all.length === 4 && agree && all.every(({ report }) => (report?.peers ?? 0) >= 3);
  });
  assert.deepEqual(
    nodes.map(({ name }) => name),
    ['seed', 'miner', 'node-1', 'node-2'],
  );
  assert.equal(new Set(nodes.map(({ peerId }) => peerId)).size, 4, 'each has a key of its own');
  child.kill('SIGINT');
  const { code, err } = await ended;
  assert.deepEqual([code, err], [0, '']);
  assert.deepEqual(processesNaming(dir.path), []);

  // Kept: each node's own directory.
  const [kept = ''] = readdirSync(dir.path);
  for (const name of ['seed', 'miner', 'node-1', 'node-2']) {
    for (const entry of ['debug.log', 'libp2p', 'blocks']) {
      assert.ok(existsSync(join(dir.path, kept, name, 'regtest', entry)), `${name}: ${entry}`);
    }
  }
  const info = await runCli('info', '--network', 'regtest', '--datadir', join(dir.path, kept, 'node-2'), '--json');
  const { height, txouts } = JSON.parse(info.out);
  // Every block's coinbase makes one; transactions make more.
  assert.ok(txouts > height, `${txouts} coins at height ${height}`);
});

for (const moment of ['while its nodes start', 'when all run'] as const) {
  test(`when the parent is killed ${moment}, no process and no data is left behind`, async (t) => {
    await using dir = await makeTempDir();
    const child = startDevnet(dir.path, t.signal);
    if (moment === 'when all run') {
      await waitForTable(child, (all) => all.length === 4 && all.every(({ peerId }) => peerId !== undefined));
    } else {
      await waitForLine(child, (line) => (line.startsWith('Ctrl-C') ? true : undefined));
    }
    child.kill('SIGKILL');
    const deadline = Date.now() + 30_000;
    while (processesNaming(dir.path).length > 0 && Date.now() < deadline) await delay(100);
    assert.deepEqual(processesNaming(dir.path), []);
    const [left = ''] = readdirSync(dir.path);
    assert.deepEqual(left === '' ? [] : readdirSync(join(dir.path, left)), []);
  });
}

/** The hash of genesis, as the dashboard at this URL shows it. */
async function shownGenesis(url: string): Promise<string> {
  const response = await fetch(new URL('api/block/0', url));
  const { block } = (await response.json()) as { block: { hash: string } };
  return block.hash;
}

test('a node attaches by the command that the devnet prints, and follows; both show dashboards', async (t) => {
  await using dir = await makeTempDir();
  const devnet = startDevnet(dir.path, t.signal);
  const ended = resultOf(devnet);
  const address = await waitForLine(devnet, (line) => /--bootstrap (\S+)/.exec(line)?.[1]);
  const flags = ['--network', 'regtest', '--datadir', join(dir.path, 'mine'), '--log-format', 'json'];
  // Ends before the test's own time is up, so that a failure shows what the node printed.
  const signal = AbortSignal.any([t.signal, AbortSignal.timeout(150_000)]);
  const node = startCli(['node', ...flags, '--listen', '/ip4/127.0.0.1/tcp/0', '--bootstrap', address], { signal });
  const result = resultOf(node);
  const urls = [
    await waitForLine(devnet, (line) => /^ {2}miner +(http:\S+)$/.exec(line)?.[1]),
    await waitForLine(node, (line) => {
      const { msg, url } = JSON.parse(line) as { msg: string; url: string };
      return msg === 'dashboard' ? url : undefined;
    }),
  ];
  for (const url of urls) assert.equal(await shownGenesis(url), regtest().genesis.hash);
  await waitForLine(node, (line) => {
    const { msg, phase, height, peers } = JSON.parse(line);
    return msg === 'sync' && phase === 'at-tip' && height >= 110 && peers >= 3 ? line : undefined;
  });
  node.kill('SIGINT');
  const { code, err } = await result;
  assert.deepEqual([code, err], [0, '']);
  devnet.kill('SIGINT');
  assert.equal((await ended).code, 0);
});

test('the miner is called and watched by the commands that the devnet prints', async (t) => {
  await using dir = await makeTempDir();
  const devnet = startDevnet(dir.path, t.signal);
  const ended = resultOf(devnet);
  const printed: string[][] = [];
  await waitForLine(devnet, (line) => {
    const [, command = ''] = /^ {2}\S+node \S+starling\.ts ((?:rpc|top) .*)$/.exec(line) ?? [];
    if (command !== '') printed.push(command.split(' '));
    return printed.length === 2 ? true : undefined;
  });
  const [call = [], top = []] = printed;
  const called = await runCli(...call);
  assert.equal(JSON.parse(called.out).chain, 'regtest', called.err);
  assert.match((await runCli(...top, '--once')).out, /^starling {2}regtest .* \d peers?, /);
  devnet.kill('SIGINT');
  assert.equal((await ended).code, 0);
});

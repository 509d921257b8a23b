/** `starling top` on a real terminal, against a node in another process: what is on the screen, and what is left of it. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeTempDir } from '../support/temp-dir.ts';
import { hasTmux, openTerminal, type Terminal } from '../support/tmux.ts';
import { type CliResult, PROGRAM, programEnvironment, resultOf, runCli, startCli, waitForLine } from './run-cli.ts';

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const OPTIONS = { skip: hasTmux ? false : 'tmux is not installed' };

type Scene = AsyncDisposable & {
  readonly folder: string;
  readonly where: readonly string[];
  /** Starts it again after `stop`. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Under which other nodes reach it. */
  readonly address: () => string;
  /** To the node. */
  readonly send: (signal: NodeJS.Signals) => void;
  readonly mine: (blocks: number) => Promise<CliResult>;
  /** A shell says `before`, runs `starling top`, then says how it ended. */
  readonly openTop: (env?: NodeJS.ProcessEnv) => Terminal;
};

async function startScene(t: TestContext): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await makeTempDir());
  const where = ['--network', 'regtest', '--datadir', join(folder, 'data')];
  let ended: Promise<CliResult> | undefined;
  let node: ChildProcess | undefined;
  let address = '';
  const start = async (): Promise<void> => {
    const flags = ['--listen', '/ip4/127.0.0.1/tcp/0', '--rpc-port', '0', '--log-format', 'json'];
    node = startCli(['node', ...where, ...flags], { signal: t.signal });
    ended = resultOf(node);
    const listening = waitForLine(
      node,
      (line) => /"address":"(\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/\w+)"/.exec(line)?.[1],
    );
    await runCli('rpc', ...where, '--rpc-wait', 'uptime');
    address = await listening;
  };
  const stop = async (): Promise<void> => {
    await runCli('stop', ...where);
    assert.equal((await ended)?.code, 0);
    ended = undefined;
  };
  stack.defer(() => (ended === undefined ? undefined : stop()));
  await start();
  const resources = stack.move();
  return {
    folder,
    where,
    start,
    stop,
    address: () => address,
    send: (signal) => void node?.kill(signal),
    mine: (blocks) => runCli('rpc', ...where, 'generatetoaddress', String(blocks), ADDRESS),
    openTop: (env = {}) => {
      const program = `echo $$ > "${folder}/pid"; exec "${process.execPath}" "${PROGRAM}" top ${where.join(' ')}`;
      const command = `echo before; sh -c '${program}'; echo "ended with $?"; stty -a; cat`;
      const size = { columns: 80, rows: 24 };
      return openTerminal(folder, { command, env: { ...programEnvironment(process.env), ...env }, ...size });
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** The other screen is gone, the cursor is there, lines are read as lines. Gives what is on the screen. */
async function assertGivenBack(terminal: Terminal): Promise<string> {
  const left = await terminal.shows(/-?icanon/);
  assert.match(left, /^ended with 0\n/m);
  assert.doesNotMatch(left, /-icanon|-echo[ ;]/);
  assert.equal(terminal.state('#{alternate_on} #{cursor_flag} #{wrap_flag}'), '0 1 1');
  return left;
}

test('a terminal shows a node, follows it, answers keys, and is given back', OPTIONS, async (t) => {
  await using scene = await startScene(t);
  using terminal = scene.openTop();
  await terminal.shows(/^starling {2}regtest {2}\/Starling:\S+ {2}up .* 0 peers, 0 outbound\n/);
  assert.equal(terminal.state('#{alternate_on} #{cursor_flag}'), '1 0');
  await scene.mine(3);
  const mined = await terminal.shows(/── recent blocks ─+\n.* 3 {2}…/);
  assert.match(mined, /\nmempool {2}0 transactions {2}0 vB /);
  assert.match(mined, /\nq quit {3}s sort \(id\)/);
  terminal.press('?');
  await terminal.shows(/^starling top\n[\s\S]*Ctrl-Z/);
  terminal.press('?', 's');
  await terminal.shows(/\nq quit {3}s sort \(height\)/);
  terminal.resize(100, 40);
  const large = await terminal.shows(/── 0 peers ─{89}\n/);
  assert.equal(
    large.split('\n').findIndex((line) => line.startsWith('q quit')),
    39,
  );

  await scene.stop();
  await terminal.shows(/\ntrouble {2}trying again: no (node|answer) /);
  await scene.start();
  await terminal.shows(/\nsync {5}/);
  terminal.press('q');
  // Not what stood there before: tmux mixes both screens when their size changes.
  await assertGivenBack(terminal);
});

for (const [how, end] of Object.entries({
  'Ctrl-C': async (terminal: Terminal): Promise<void> => terminal.press('C-c'),
  SIGTERM: async (_: Terminal, folder: string): Promise<void> => {
    process.kill(Number(await readFile(join(folder, 'pid'), 'utf8')), 'SIGTERM');
  },
})) {
  test(`the terminal is given back after ${how}; NO_COLOR leaves colours out`, OPTIONS, async (t) => {
    await using scene = await startScene(t);
    using terminal = scene.openTop(how === 'SIGTERM' ? { NO_COLOR: '1' } : {});
    await terminal.shows(/^starling {2}regtest[\s\S]*\nq quit/);
    assert.equal(terminal.screen({ escapes: true }).includes('\x1b['), how === 'Ctrl-C');
    await end(terminal, scene.folder);
    assert.match(await assertGivenBack(terminal), /^before\nended/);
  });
}

test('a peer that comes is a line with its figures, and none when it has gone', OPTIONS, async (t) => {
  await using scene = await startScene(t);
  using terminal = scene.openTop();
  await terminal.shows(/── 0 peers ─/);
  const flags = ['--listen', 'none', '--server', 'false', '--connect', scene.address()];
  const data = ['--network', 'regtest', '--datadir', join(scene.folder, 'peer')];
  const peer = startCli(['node', ...data, ...flags], { signal: t.signal });
  const ended = resultOf(peer);
  await terminal.shows(/1 peer, 0 outbound\n[\s\S]*── 1 peer ─+\n.*\n *\d+ {2}in +127\.0\.0\.1:\d+ .* k?B\/s/);
  await terminal.shows(/── bytes by protocol ─+\n.*in\/s +out\/s.*\n[\s\S]*\nhello .* k?B\/s/);
  peer.kill('SIGTERM');
  await ended;
  await terminal.shows(/── 0 peers ─/);
  terminal.press('q');
  await assertGivenBack(terminal);
});

test('a node that hangs is told of, and does not hold the terminal', OPTIONS, async (t) => {
  await using scene = await startScene(t);
  using terminal = scene.openTop();
  await terminal.shows(/^starling {2}regtest/);
  scene.send('SIGSTOP');
  try {
    await terminal.shows(/\ntrouble {2}trying again: no answer for \d+ s/);
    terminal.press('q');
    assert.match(await assertGivenBack(terminal), /^before\nended/);
  } finally {
    scene.send('SIGCONT');
  }
});

test('a suspended one gives the terminal back, and comes back', OPTIONS, async (t) => {
  await using scene = await startScene(t);
  using terminal = scene.openTop();
  await terminal.shows(/^starling {2}regtest/);
  terminal.press('C-z');
  await terminal.shows(/^before\n/);
  const pid = Number(await readFile(join(scene.folder, 'pid'), 'utf8'));
  process.kill(pid, 'SIGCONT');
  await terminal.shows(/^starling {2}regtest/);
  terminal.press('q');
  assert.match(await assertGivenBack(terminal), /^before\nended/);
});

test('without a terminal it prints one frame, and says what is missing', async (t) => {
  await using scene = await startScene(t);
  await scene.mine(2);
  const once = await runCli('top', ...scene.where, '--once');
  assert.deepEqual([once.code, once.err, once.out.includes('\x1b')], [0, '', false]);
  assert.match(once.out, /^starling {2}regtest {2}[\s\S]*\ntip {6}…\w{8} {2}[\s\S]*── 0 peers ─/);
  assert.match((await runCli('top', ...scene.where)).out, /^starling {2}regtest /);
  await scene.stop();
  const none = await runCli('top', ...scene.where);
  assert.deepEqual([none.code, none.out], [2, '']);
  assert.match(none.err, /^starling: no node runs in /);
});

/** `starling devnet`: a network on this machine, one process a node, told of each other only by the DHT. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { payer } from '#mempool';
import { NodeError, systemClock, toHex } from '#util';
import { Member, ownCommand } from '../devnet/member.ts';
import type { DevnetRole, StartMessage } from '../devnet/messages.ts';
import { devnetLines } from '../devnet/view.ts';
import { ExitCode } from '../exit-codes.ts';
import { fileFormat } from '../logging.ts';
import type { Settings } from '../options.ts';
import { aborted, listenForStop } from '../stop.ts';
import { createTerminal, type Terminal } from '../terminal.ts';

const REDRAW_MS = 250;
/** Where nothing can be redrawn: how often people, and how often machines, get a table. */
const PLAIN_INTERVAL_MS = 5_000;
const JSON_INTERVAL_MS = 1_000;
/** An orderly stop takes two seconds; then the processes are killed. */
const STOP_LIMIT_MS = 5_000;
/** A coinbase is spendable after a hundred blocks. */
const MATURITY = 100;
const MIN_SPENDABLE = 10;
const NAME_CHARS = 8;

export async function runDevnet(settings: Settings): Promise<ExitCode> {
  using stop = listenForStop();
  const plainIntervalMs = settings.logFormat === 'json' ? JSON_INTERVAL_MS : PLAIN_INTERVAL_MS;
  const terminal = createTerminal(process.stdout, systemClock, { plainIntervalMs });
  const folder = mkdtempSync(join(tmpdir(), 'starling-devnet-'));
  const members: Member[] = [];
  try {
    await startMembers(members, settings, folder, terminal, stop.signal);
    await watch(members, settings, terminal, stop.signal);
  } finally {
    terminal.settle();
    if (stop.signal.aborted) terminal.print('stopping all nodes …');
    await stopMembers(members);
    if (settings.keep) terminal.print(`the data directories are in ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
  return members.some(({ failure }) => failure !== undefined) ? ExitCode.unexpected : ExitCode.ok;
}

/** First the seed, whose address the others need; then the miner and the rest together. */
async function startMembers(
  members: Member[],
  settings: Settings,
  folder: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const count = settings.nodes;
  const secrets = Array.from({ length: count }, () => new Uint8Array(randomBytes(32)));
  const payees = secrets.map((secret) => toHex(payer.p2pkhScript(payer.signingKey(secret).publicKey)));
  const start = (name: string, role: DevnetRole, bootstrap: readonly string[], secret: string): Member => {
    const message: StartMessage = {
      kind: 'start',
      role,
      datadir: join(folder, name),
      keep: settings.keep,
      bootstrap,
      secret,
      payees,
      premine: MATURITY + Math.max(MIN_SPENDABLE, 2 * count),
      blockIntervalMs: settings.blockInterval * 1000,
      txIntervalMs: settings.txRate === 0 ? 0 : (1000 * count) / settings.txRate,
      logLevel: settings.logLevel,
      logFormat: fileFormat(settings.logFormat),
    };
    const member = new Member(name, message);
    members.push(member);
    return member;
  };
  terminal.print(`A seed and ${count} nodes on this machine, a process each, with regtest rules.`);
  terminal.print(`Data in ${folder}${settings.keep ? '' : ' (removed at the end; --keep keeps it)'}`);
  const seed = start('seed', 'seed', [], '');
  const ready = await Promise.race([seed.ready, aborted(signal).then(() => undefined)]);
  if (ready === undefined || signal.aborted) return;
  const [address] = ready.addresses;
  if (address === undefined) throw new NodeError('NETWORK', 'the seed listens nowhere');
  for (const [index, secret] of secrets.entries()) {
    const [name, role] = index === 0 ? (['miner', 'miner'] as const) : ([`node-${index}`, 'node'] as const);
    const member = start(name, role, [address], toHex(secret));
    if (role === 'miner') void showRpc(member, join(folder, name), terminal);
  }
  terminal.print('Attach a node of your own from another terminal:');
  terminal.print(`  ${ownCommand()} node --network regtest --datadir ./my-node \\`);
  terminal.print(`    --listen /ip4/127.0.0.1/tcp/0 --bootstrap ${address}`);
  void showDashboards(members, terminal);
  terminal.print('Ctrl-C stops all.');
  terminal.print('');
}

/** Of the miner, once it answers; if it ends before, that is said elsewhere. */
async function showRpc(miner: Member, datadir: string, terminal: Terminal): Promise<void> {
  const ready = await miner.ready.catch(() => undefined);
  if (ready?.rpc === undefined) return;
  terminal.print(`The miner answers JSON-RPC at http://${ready.rpc}:`);
  terminal.print(`  ${ownCommand()} rpc --network regtest --datadir ${datadir} getblockchaininfo`);
  terminal.print(`  ${ownCommand()} top --network regtest --datadir ${datadir}`);
}

/** Once all have started. */
async function showDashboards(members: readonly Member[], terminal: Terminal): Promise<void> {
  const started = await Promise.all(
    members.map(async ({ ready, state }) => {
      const url = await ready.then(({ dashboard }) => dashboard).catch(() => undefined);
      return url === undefined ? [] : [`  ${state.name.padEnd(NAME_CHARS)} ${url}`];
    }),
  );
  if (started.flat().length === 0) return;
  terminal.print('Dashboards, for a browser:');
  for (const line of started.flat()) terminal.print(line);
}

/** Shows the table until asked to stop, or until no node is left. */
async function watch(
  members: readonly Member[],
  settings: Settings,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const startedMs = systemClock.monotonicMs();
  const show = (): void => {
    const states = members.map(({ state }) => state);
    const seconds = (systemClock.monotonicMs() - startedMs) / 1000;
    if (settings.logFormat === 'json') terminal.live([JSON.stringify({ seconds, nodes: states })]);
    else terminal.live([...devnetLines(states, seconds), ...(terminal.isInteractive ? [] : [''])]);
  };
  const timer = setInterval(show, REDRAW_MS);
  const allEnded = Promise.all(
    members.map(async (member) => {
      if (await member.ended) terminal.print(`${member.state.name} ended by itself: ${member.failure ?? ''}`);
    }),
  );
  try {
    await Promise.race([allEnded, aborted(signal)]);
    show();
  } finally {
    clearInterval(timer);
  }
}

async function stopMembers(members: readonly Member[]): Promise<void> {
  for (const member of members) member.stop();
  const timer = setTimeout(() => {
    for (const member of members) member.kill();
  }, STOP_LIMIT_MS);
  await Promise.all(members.map(({ ended }) => ended));
  clearTimeout(timer);
}

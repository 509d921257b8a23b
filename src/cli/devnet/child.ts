/**
 * One node of the devnet, in a process of its own: started by `devnet` with an IPC channel, and gone when that
 * channel closes (also when the parent was killed). The seed only stands there; the miner makes blocks; all but the
 * seed send transactions.
 */
import { rmSync } from 'node:fs';
import module from 'node:module';
import process from 'node:process';
import { networkDirectory } from '#chain';
import { payer } from '#mempool';
import { createNode, loadNetwork, type NodeOptions, type StarlingNode } from '#node';
import { type RpcServer, startRpc } from '#rpc';
import { fromHex, type Logger, NodeError, sleep, systemClock, systemRandom } from '#util';
import { startLocalDashboard } from '../dashboard-settings.ts';
import { ExitCode } from '../exit-codes.ts';
import { createLogging } from '../logging.ts';
import type { FromChild, StartMessage, ToChild } from './messages.ts';
import { DevnetWallet } from './wallet.ts';

const REPORT_MS = 500;
/** An orderly stop takes less than two seconds; one that hangs must not leave a process behind. */
const STOP_LIMIT_MS = 4_000;
const MIB = 1 << 20;
/** Six processes share the machine. */
const DB_CACHE_BYTES = 16 * MIB;
const MAX_PEERS = 60;
const TARGET_OUTBOUND = 6;

export async function runDevnetNode(): Promise<ExitCode> {
  if (process.send === undefined) throw new NodeError('BAD_CONFIG', 'devnet-node is started by "starling devnet" only');
  const stop = new AbortController();
  const end = (): void => {
    if (stop.signal.aborted) return;
    stop.abort();
    setTimeout(() => process.exit(ExitCode.unexpected), STOP_LIMIT_MS).unref();
  };
  // Ctrl-C reaches the whole process group; the parent decides what it means.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', end);
  process.on('disconnect', end);
  const start = await firstMessage(end);
  if (start === undefined) return ExitCode.ok;
  // At the very end, also of a stop that took too long: nothing is written behind it.
  if (!start.keep) process.once('exit', () => rmSync(start.datadir, { recursive: true, force: true }));
  try {
    await runUntilStopped(start, stop, end);
  } finally {
    // The channel would keep the process alive.
    if (process.connected) process.disconnect();
  }
  return ExitCode.ok;
}

/** Undefined when the parent is gone before it said anything. Later messages can only be `stop`. */
function firstMessage(end: () => void): Promise<StartMessage | undefined> {
  return new Promise((resolve) => {
    if (!process.connected) resolve(undefined);
    process.on('disconnect', () => resolve(undefined));
    process.on('message', (message: ToChild) => {
      if (message.kind === 'start') resolve(message);
      else end();
    });
  });
}

async function runUntilStopped(start: StartMessage, stop: AbortController, end: () => void): Promise<void> {
  const logging = createLogging({ level: start.logLevel, format: start.logFormat, print: () => {} });
  const { log } = logging;
  let failure: unknown;
  const onFatal = (error: unknown): void => {
    failure ??= error;
    end();
  };
  try {
    const options = await nodeOptions(start);
    await using node = await createNode(options, { clock: systemClock, random: systemRandom, log, onFatal });
    const directory = networkDirectory(start.datadir, options.params);
    logging.openFile(directory);
    await using rpc = start.role === 'miner' ? await startDevnetRpc(node, directory, log, end) : undefined;
    await using dashboard = await startLocalDashboard(node, { log, logs: logging.lines });
    const { net } = await node.status();
    // The seed starts alone; what it has compiled makes the others start sooner.
    if (start.role === 'seed') module.flushCompileCache();
    const { peerId, listenAddresses: addresses } = net;
    say({ kind: 'ready', peerId, addresses, rpc: rpc?.addresses[0], dashboard: dashboard.url });
    const { signal } = stop;
    const payees = start.payees.map(fromHex);
    const tasks = [every(REPORT_MS, signal, () => report(node))];
    if (start.role === 'miner') tasks.push(mine(node, start, payees, signal));
    if (start.role !== 'seed' && start.txIntervalMs > 0) tasks.push(spend(node, start, payees, signal, log));
    await Promise.all(tasks.map((task) => task.catch(onFatal)));
  } finally {
    logging.close();
  }
  if (failure !== undefined) throw failure;
}

/** On a free port, with a cookie file in the node's folder. */
function startDevnetRpc(node: StarlingNode, directory: string, log: Logger, stop: () => void): Promise<RpcServer> {
  return startRpc(node, {}, { directory, clock: systemClock, random: systemRandom, log: log.child('rpc'), stop });
}

async function nodeOptions(start: StartMessage): Promise<NodeOptions> {
  return {
    params: await loadNetwork('regtest'),
    datadir: start.datadir,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap: start.bootstrap,
    connect: [],
    maxPeers: MAX_PEERS,
    targetOutbound: TARGET_OUTBOUND,
    trickleMs: 0,
    dbCacheBytes: DB_CACHE_BYTES,
    // Six processes share a machine: one thread each starts sooner (12 s against 17 s on two busy cores) and takes
    // less memory, and no block here is large enough to hold up the network.
    netThread: 'main',
    scriptThreads: 1,
  };
}

async function report(node: StarlingNode): Promise<void> {
  const { tip, sync, net, mempool, lastBlockDelayMs } = await node.status();
  say({
    kind: 'report',
    height: tip.height,
    tip: tip.hash,
    phase: sync.phase,
    peers: net.peers.length,
    mempool: mempool.count,
    bytesIn: net.bytesIn,
    bytesOut: net.bytesOut,
    lastBlockDelayMs,
  });
}

async function mine(
  node: StarlingNode,
  start: StartMessage,
  payees: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<void> {
  const mineOne = async (): Promise<void> => {
    const payee = payees[node.chain.tip().height % payees.length];
    if (payee === undefined) throw new RangeError('the miner has nobody to pay');
    const result = await node.mineBlock(payee, signal);
    if (result.kind === 'rejected') throw new Error(`a mined block was rejected: ${result.code}`);
  };
  while (node.chain.tip().height < start.premine && !signal.aborted) await mineOne();
  await every(start.blockIntervalMs, signal, mineOne);
}

async function spend(
  node: StarlingNode,
  start: StartMessage,
  payees: readonly Uint8Array[],
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  const wallet = new DevnetWallet(payer.signingKey(fromHex(start.secret)), systemRandom);
  // Apart from each other, so that the stream is even.
  await pause(systemRandom.below(Math.max(1, Math.ceil(start.txIntervalMs))), signal);
  await every(start.txIntervalMs, signal, async () => {
    if ((await node.status()).sync.phase !== 'at-tip') return;
    await wallet.scan(node.chain);
    const tx = wallet.pay(payees, node.chain.tip().height);
    if (tx === undefined) return;
    const result = await node.submitTransaction(tx.raw);
    if (result.kind === 'rejected') log.warn('own transaction was rejected', { txid: tx.txid, code: result.code });
  });
}

/** Runs `task` at a steady pace until the signal aborts; a task that throws after that is forgiven. */
async function every(intervalMs: number, signal: AbortSignal, task: () => Promise<void>): Promise<void> {
  let due = systemClock.monotonicMs();
  while (!signal.aborted) {
    try {
      await task();
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const now = systemClock.monotonicMs();
    // Time that was lost is not made up for.
    due = Math.max(due + intervalMs, now);
    await pause(due - now, signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(systemClock, ms, signal).catch(() => {});
}

/** A parent that is gone is noticed by `disconnect`. */
function say(message: FromChild): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

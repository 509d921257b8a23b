/** `starling node`: runs until asked to stop. */
import process from 'node:process';
import { networkDirectory, type OpenProgress } from '#chain';
import type { NetworkParams } from '#consensus';
import { checkMinable } from '#miner';
import {
  createNode,
  loadNetwork,
  type MiningOptions,
  type NodeOptions,
  type NodeStatus,
  overrideNetwork,
  type StarlingNode,
} from '#node';
import { mockableClock } from '#rpc';
import { decodeAddress } from '#script';
import { type Logger, NodeError, sleep, systemClock, systemRandom } from '#util';
import { chainSettings } from '../chain-settings.ts';
import { refuseCoreDirectory } from '../core-directory.ts';
import { startNodeDashboard } from '../dashboard-settings.ts';
import { ExitCode } from '../exit-codes.ts';
import { syncLine } from '../format.ts';
import { loggingOf } from '../logging.ts';
import { mempoolSettings } from '../mempool-settings.ts';
import { startNodeMetrics } from '../metrics-settings.ts';
import { showOpening } from '../open-progress.ts';
import type { Settings } from '../options.ts';
import { listenAddresses, reachSettings } from '../reach-settings.ts';
import { debugLogs, NodeRpc } from '../rpc-settings.ts';
import { listenForStop } from '../stop.ts';
import { createTerminal, type Terminal } from '../terminal.ts';
import { startNodeZmq } from '../zmq-settings.ts';

const MIB = 1 << 20;
/** Core's MAX_OUTBOUND_FULL_RELAY_CONNECTIONS; with so many `net` adds two for blocks alone. */
const TARGET_OUTBOUND = 8;
/** How often the progress line is redrawn. Where nothing can be redrawn a log line says the same, less often. */
const REDRAW_MS = 500;
const LOG_MS = 10_000;
/** When nothing moves. */
const LOG_IDLE_MS = 60_000;

/** Bitcoin Core's ports and a hundred: both may run on one machine. Networks of one's own share the last. */
const PORTS: Readonly<Record<string, number>> = {
  mainnet: 8433,
  testnet3: 18433,
  testnet4: 48433,
  signet: 38433,
  regtest: 18544,
};
const OTHER_PORT = 28433;

export async function runNode(settings: Settings): Promise<ExitCode> {
  using stop = listenForStop();
  const terminal = createTerminal(process.stdout, systemClock, { plainIntervalMs: 0 });
  const logging = loggingOf(settings, terminal);
  const { log } = logging;
  try {
    const options = await nodeOptions(settings);
    const mining = miningOptions(settings, options.params);
    let failure: unknown;
    const failed = new AbortController();
    const onFatal = (error: unknown): void => {
      failure ??= error;
      failed.abort();
    };
    const show = showOpening(terminal, log, systemClock);
    const { signal } = stop;
    // Tests of a running node set its time, as Core's do.
    const testClock = options.params.name === 'regtest' ? mockableClock(systemClock) : undefined;
    await using zmq = await startNodeZmq(settings, log);
    await using server = new NodeRpc(settings, options.params, {
      log,
      stop: stop.stop,
      testClock,
      debugLogs: debugLogs(logging, settings),
      zmqNotifications: zmq?.notifications,
    });
    const onOpening = (progress: OpenProgress): void => {
      show(progress);
      server.onOpening(progress);
    };
    const deps = { clock: testClock ?? systemClock, random: systemRandom, log, onFatal, onOpening, signal };
    await using metrics = await startNodeMetrics(settings, log);
    await using node = await createNode(options, deps);
    using _published = zmq?.follow(node);
    const directory = networkDirectory(settings.datadir, options.params);
    logging.openFile(directory);
    using _followed = metrics?.follow(node, directory);
    const ended = AbortSignal.any([stop.signal, failed.signal]);
    const showsLine = terminal.isInteractive && settings.logFormat !== 'json';
    await using rpc = await server.serve(node);
    const watched = { log, logs: logging.lines, clock: testClock };
    await using dashboard = await startNodeDashboard(node, settings, rpc?.addresses[0], watched);
    await announce(node, log);
    for (const address of rpc?.addresses ?? []) log.info('answering JSON-RPC', { address });
    if (dashboard !== undefined) log.info('dashboard', { url: dashboard.url });
    if (metrics !== undefined) log.info('answering /metrics, /live and /ready', { address: metrics.address });
    for (const { type, address } of zmq?.notifications ?? []) log.info('publishing by ZMQ', { type, address });
    if (mining !== undefined) node.mine(mining);
    if (showsLine) await showProgress(node, terminal, ended);
    else await logProgress(node, log, ended);
    terminal.settle();
    if (failure !== undefined) throw failure;
    log.info('stopping');
  } catch (error) {
    // Ctrl-C during a long opening is a stop as any other.
    if (!(error instanceof NodeError && error.code === 'ABORTED' && stop.signal.aborted)) throw error;
    terminal.settle();
    log.info('stopped while opening; the next start goes on');
  } finally {
    logging.close();
  }
  return ExitCode.ok;
}

async function nodeOptions(settings: Settings): Promise<NodeOptions> {
  const params = overrideNetwork(await loadNetwork(settings.network), settings);
  refuseCoreDirectory(settings.datadir, params);
  const anywhere = `/ip4/0.0.0.0/tcp/${PORTS[params.name] ?? OTHER_PORT}`;
  return {
    params,
    ...chainSettings(settings),
    listen: listenAddresses(settings, anywhere),
    reach: reachSettings(settings),
    bootstrap: settings.bootstrap,
    connect: settings.connect,
    maxPeers: settings.maxPeers,
    targetOutbound: Math.min(TARGET_OUTBOUND, settings.maxPeers),
    asmapFile: settings.asmap,
    indexes: indexSelection(settings),
    persistMempool: settings.persistMempool,
    mempool: mempoolSettings(settings),
    maxUploadBytes: settings.maxUpload * MIB,
    netThread: 'worker',
  };
}

function indexSelection({ txindex, blockfilterindex, coinstatsindex }: Settings): Required<NodeOptions>['indexes'] {
  return { txIndex: txindex, blockFilterIndex: blockfilterindex, coinStatsIndex: coinstatsindex };
}

/** Checked before the data directory is opened. Throws NodeError `BAD_CONFIG`. */
function miningOptions({ mine, mineInterval }: Settings, params: NetworkParams): MiningOptions | undefined {
  if (mine === undefined) return undefined;
  checkMinable(params);
  const decoded = decodeAddress(mine, params.address);
  if (decoded.kind === 'invalid') throw new NodeError('BAD_CONFIG', `--mine ${mine}: ${decoded.error}`);
  const { noRetargeting, targetSpacingSeconds } = params.pow;
  const seconds = mineInterval ?? (noRetargeting ? targetSpacingSeconds : 0);
  return { scriptPubKey: decoded.scriptPubKey, minIntervalMs: seconds * 1000 };
}

async function announce(node: StarlingNode, log: Logger): Promise<void> {
  const { network, net, tip } = await node.status();
  log.info('node is running', { network, height: tip.height, tip: tip.hash, peer: net.peerId });
  const isKnown = net.reachability === 'direct' || net.reachability === 'relayed';
  const what = isKnown ? 'others reach it at' : 'listening; whether others reach it is not known yet';
  for (const address of net.listenAddresses) log.info(what, { address });
}

async function showProgress(node: StarlingNode, terminal: Terminal, ended: AbortSignal): Promise<void> {
  while (await wait(REDRAW_MS, ended)) terminal.live([syncLine((await node.status()).sync)]);
}

async function logProgress(node: StarlingNode, log: Logger, ended: AbortSignal): Promise<void> {
  let lastMs = Number.NEGATIVE_INFINITY;
  let last: NodeStatus['sync'] | undefined;
  while (await wait(REDRAW_MS, ended)) {
    const { sync } = await node.status();
    const now = systemClock.monotonicMs();
    const isMoving =
      sync.height !== last?.height || sync.headerHeight !== last.headerHeight || sync.peers !== last.peers;
    if (sync.phase === last?.phase && now - lastMs < (isMoving ? LOG_MS : LOG_IDLE_MS)) continue;
    lastMs = now;
    last = sync;
    log.info('sync', syncFields(sync));
  }
}

function syncFields(sync: NodeStatus['sync']): Record<string, string | number | undefined> {
  return {
    phase: sync.phase,
    height: sync.height,
    headers: sync.headerHeight,
    progress: Math.floor(sync.progress * 10_000) / 10_000,
    blocksPerSecond: Math.round(sync.blocksPerSecond * 10) / 10,
    bytesPerSecond: Math.round(sync.bytesPerSecond),
    secondsLeft: sync.secondsLeft === undefined ? undefined : Math.round(sync.secondsLeft),
    peers: sync.peers,
    reason: sync.reason === '' ? undefined : sync.reason,
  };
}

/** False when the run has ended. A timer of its own: the clock's timers do not keep the process alive. */
async function wait(ms: number, ended: AbortSignal): Promise<boolean> {
  const alive = setInterval(() => {}, ms);
  try {
    await sleep(systemClock, ms, ended);
    return true;
  } catch {
    return false;
  } finally {
    clearInterval(alive);
  }
}

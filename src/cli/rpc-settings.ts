/** From flags to the RPC server of a node. */
import { join } from 'node:path';
import { networkDirectory } from '#chain';
import type { NetworkParams } from '#consensus';
import type { StarlingNode } from '#node';
import { type RpcDeps, type RpcOptions, type RpcServer, startRpc } from '#rpc';
import { NodeError, systemClock, systemRandom } from '#util';
import type { Logging } from './logging.ts';
import type { Settings } from './options.ts';

/** Bitcoin Core's, so that its tools find us. Networks of one's own have none: they take a free port. */
const RPC_PORTS: Readonly<Record<string, number>> = {
  mainnet: 8332,
  testnet3: 18332,
  testnet4: 48332,
  signet: 38332,
  regtest: 18443,
};

export function defaultRpcPort({ name }: NetworkParams): number | undefined {
  return RPC_PORTS[name];
}

/** Undefined where none is wanted. Throws NodeError. */
export async function startNodeRpc(
  node: StarlingNode,
  settings: Settings,
  { log, stop, testClock, debugLogs }: Pick<RpcDeps, 'log' | 'stop' | 'testClock' | 'debugLogs'>,
): Promise<RpcServer | undefined> {
  if (!settings.server) return undefined;
  const { params } = node.chain;
  const directory = networkDirectory(settings.datadir, params);
  const deps: RpcDeps = {
    directory,
    clock: testClock ?? systemClock,
    random: systemRandom,
    log: log.child('rpc'),
    stop,
    logPath: join(directory, 'debug.log'),
    testClock,
    debugLogs,
  };
  const start = (port: number): Promise<RpcServer> => startRpc(node, { ...rpcOptions(settings), port }, deps);
  const standard = defaultRpcPort(params) ?? 0;
  try {
    return await start(settings.rpcPort ?? standard);
  } catch (error) {
    if (settings.rpcPort !== undefined || !isTaken(error)) throw error;
    log.warn('the RPC port is taken by another program, so calls are answered on a free one', { port: standard });
    return start(0);
  }
}

/** What the method `logging` turns on and off: a module goes back to the level that the settings gave. */
export function debugLogs(
  { levels, setLevel }: Pick<Logging, 'levels' | 'setLevel'>,
  { logLevel }: Pick<Settings, 'logLevel'>,
): NonNullable<RpcDeps['debugLogs']> {
  return {
    isOn: (module) => (levels()[module] ?? logLevel) === 'debug',
    set: (module, on) => setLevel(module, on ? 'debug' : logLevel === 'debug' ? 'info' : logLevel),
  };
}

function rpcOptions(settings: Settings): Partial<RpcOptions> {
  const { rpcUser, rpcPassword } = settings;
  if (rpcUser !== undefined && rpcPassword === undefined) {
    throw new NodeError('BAD_CONFIG', '--rpc-user needs --rpc-password; without both the cookie file is used');
  }
  return {
    bind: settings.rpcBind,
    allowIps: settings.rpcAllowIp,
    allowHosts: settings.rpcAllowHost,
    user: rpcUser ?? '',
    password: rpcPassword ?? '',
    auths: settings.rpcAuth,
    cookieFile: settings.rpcCookieFile,
    whitelist: settings.rpcWhitelist,
    whitelistDefault: settings.rpcWhitelistDefault,
    rest: settings.rest,
    threads: settings.rpcThreads,
    workQueue: settings.rpcWorkQueue,
    serverTimeoutMs: settings.rpcServerTimeout * 1000,
  };
}

/** Whether a listener failed because another program has its port. */
export function isTaken(error: unknown): boolean {
  const cause = error instanceof NodeError ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
}

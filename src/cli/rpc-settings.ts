/** From flags to the RPC server of a node. */
import { join } from 'node:path';
import { networkDirectory, type OpenProgress } from '#chain';
import type { NetworkParams } from '#consensus';
import type { StarlingNode } from '#node';
import { openRpc, type RpcDeps, type RpcOptions, type RpcServer } from '#rpc';
import { NodeError, systemClock, systemRandom } from '#util';
import { percent } from './format.ts';
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

/**
 * The RPC server of a node that is being opened: it listens from when that turns out to take long, so that who asks hears
 * why he waits. Not earlier: only then the data directory is known to be ours.
 */
export class NodeRpc implements AsyncDisposable {
  readonly #open: (() => Promise<OpeningRpc>) | undefined;
  #opening: Promise<OpeningRpc> | undefined;

  /** Throws NodeError `BAD_CONFIG`. */
  constructor(settings: Settings, params: NetworkParams, deps: NodeRpcDeps) {
    const options = rpcOptions(settings);
    this.#open = settings.server ? () => openNodeRpc(settings, options, params, deps) : undefined;
  }

  readonly onOpening = ({ what, done, total }: OpenProgress): void => {
    if (this.#open === undefined) return;
    const share = total === 0 ? 0 : done / total;
    const text = `${what.charAt(0).toUpperCase()}${what.slice(1)}… (${percent(share)})`;
    this.#opening ??= this.#open();
    // Whoever serves hears of it.
    this.#opening.then(({ setStatus }) => setStatus(text)).catch(() => {});
  };

  /** Undefined where no server is wanted. Throws NodeError. */
  async serve(node: StarlingNode): Promise<RpcServer | undefined> {
    if (this.#open === undefined) return undefined;
    this.#opening ??= this.#open();
    return (await this.#opening).serve(node);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.[Symbol.asyncDispose]();
  }
}

type OpeningRpc = Awaited<ReturnType<typeof openRpc>>;
type NodeRpcDeps = Pick<RpcDeps, 'log' | 'stop' | 'testClock' | 'debugLogs' | 'zmqNotifications'>;

async function openNodeRpc(
  settings: Settings,
  options: Partial<RpcOptions>,
  params: NetworkParams,
  { log, ...given }: NodeRpcDeps,
): Promise<OpeningRpc> {
  const directory = networkDirectory(settings.datadir, params);
  const deps: RpcDeps = {
    directory,
    ...given,
    clock: given.testClock ?? systemClock,
    random: systemRandom,
    log: log.child('rpc'),
    logPath: join(directory, 'debug.log'),
  };
  const open = (port: number): Promise<OpeningRpc> => openRpc({ ...options, port }, deps);
  const standard = defaultRpcPort(params) ?? 0;
  try {
    return await open(settings.rpcPort ?? standard);
  } catch (error) {
    if (settings.rpcPort !== undefined || !isTaken(error)) throw error;
    log.warn('the RPC port is taken by another program, so calls are answered on a free one', { port: standard });
    return open(0);
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

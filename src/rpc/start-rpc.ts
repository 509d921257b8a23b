/** Starts the RPC server of a node: its login, its sockets, its methods, and REST beside them. Disposal closes it before the node. */
import type { StarlingNode } from '#node';
import { type Clock, errorText, type Logger, NodeError, type Random } from '#util';
import { Dispatcher } from './dispatcher.ts';
import { RpcCode, RpcError } from './errors.ts';
import { EventFeed } from './events/event-feed.ts';
import { writeAddress } from './http/address-file.ts';
import { COOKIE_USER, cookiePath, removeCookie, writeCookie } from './http/cookie.ts';
import { Credentials } from './http/credentials.ts';
import { type Endpoint, endpointText, parseEndpoint } from './http/hosts.ts';
import { RpcHttpServer } from './http/server.ts';
import { RPC_METHODS } from './methods/all.ts';
import type { MockableClock } from './mockable-clock.ts';
import { DEFAULT_RPC_OPTIONS, type RpcOptions } from './options.ts';
import { PeerNumbers } from './peer-numbers.ts';
import { createRest, type Rest } from './rest/rest.ts';
import { failure } from './rest/rest-io.ts';
import { ScanSlot } from './scan-slot.ts';
import type { DebugLogs, ZmqNotification } from './table/method.ts';

export type RpcDeps = {
  /** The network's own folder, where the cookie goes. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** What the method `stop` does. */
  readonly stop: () => void;
  /** The file that the log goes to, for `getrpcinfo`. */
  readonly logPath?: string;
  /** The clock given to the node, if `setmocktime` may set it (regtest). */
  readonly testClock?: MockableClock | undefined;
  /** What the method `logging` changes. */
  readonly debugLogs?: DebugLogs | undefined;
  /** What `getzmqnotifications` says; none by default. */
  readonly zmqNotifications?: readonly ZmqNotification[] | undefined;
};

export type RpcServer = AsyncDisposable & {
  /** `127.0.0.1:8332`, `[::1]:8332` */
  readonly addresses: readonly string[];
};

/** Listens before there is a node, and answers until then with -28 and what is waited for (Core's RPC warm-up). */
type OpeningRpc = AsyncDisposable & {
  readonly setStatus: (text: string) => void;
  /** From now on calls reach the node. Disposal of the server is that of all. */
  readonly serve: (node: StarlingNode) => RpcServer;
};

type Service = { readonly call: Dispatcher['call']; readonly rest: Rest; readonly events: EventFeed };

/** Throws NodeError. */
export async function startRpc(node: StarlingNode, options: Partial<RpcOptions>, deps: RpcDeps): Promise<RpcServer> {
  return (await openRpc(options, deps)).serve(node);
}

/** Throws NodeError. */
export async function openRpc(options: Partial<RpcOptions>, deps: RpcDeps): Promise<OpeningRpc> {
  const { clock, log, random, directory } = deps;
  const full: RpcOptions = { ...DEFAULT_RPC_OPTIONS, ...options };
  await using stack = new AsyncDisposableStack();
  const credentials = new Credentials(full, await logIn(full, directory, random, stack));
  const startedMs = clock.monotonicMs();
  const ofNode = stack.use(new DisposableStack());
  let service: Service | undefined;
  let status = 'Starting…';
  const call: Dispatcher['call'] = async (request, signal) => {
    if (service === undefined) throw new RpcError(RpcCode.inWarmup, status);
    return service.call(request, signal);
  };
  const rest: Rest = async (request, signal) =>
    service === undefined ? failure(503, `Service temporarily unavailable: ${status}`) : service.rest(request, signal);
  const events = (): EventFeed | undefined => service?.events;
  const parts = { credentials, call, rest: full.rest ? rest : undefined, events, clock, log };
  const server = stack.use(new RpcHttpServer(full, parts));
  const addresses = await listen(server, full, log);
  const [first] = addresses;
  // Who listens on all addresses is called by loopback.
  const local = first?.replace(/^0\.0\.0\.0(?=:)/, '127.0.0.1').replace(/^\[::\]/, '[::1]');
  if (local !== undefined) stack.defer(await writeAddress(directory, local));
  const resources = stack.move();
  const dispose = (): Promise<void> => resources.disposeAsync();
  return {
    setStatus: (text) => {
      status = text;
    },
    serve: (node) => {
      service = serviceOf(node, deps, startedMs, ofNode);
      return { addresses, [Symbol.asyncDispose]: dispose };
    },
    [Symbol.asyncDispose]: dispose,
  };
}

function serviceOf(node: StarlingNode, deps: RpcDeps, startedMs: number, resources: DisposableStack): Service {
  const { clock, log, stop, logPath = '', testClock, debugLogs, zmqNotifications = [] } = deps;
  const dispatcher = new Dispatcher({
    node,
    clock,
    log,
    startedMs,
    stop,
    logPath,
    methods: RPC_METHODS,
    isInitialDownload: node.isInitialDownload,
    peerNumbers: new PeerNumbers(),
    scan: new ScanSlot(),
    blockScan: new ScanSlot(),
    testClock,
    debugLogs,
    zmqNotifications,
  });
  const call: Dispatcher['call'] = (request, signal) => dispatcher.call(request, signal);
  return { call, rest: createRest(node, call), events: resources.use(new EventFeed(node, clock)) };
}

/** With a password it is the user's own; else whoever can read the cookie file may log in. */
async function logIn(
  { user, password, cookieFile }: RpcOptions,
  directory: string,
  random: Random,
  stack: AsyncDisposableStack,
): Promise<{ readonly user: string; readonly password: string }> {
  if (password !== '') return { user, password };
  const path = cookieFile ?? cookiePath(directory);
  const cookie = await writeCookie(path, random);
  stack.defer(() => removeCookie(path, cookie));
  return { user: COOKIE_USER, password: cookie };
}

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/** What a machine says that lacks IPv6. */
const NO_SUCH_ADDRESS: readonly unknown[] = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'];

/** On at least one of the addresses, as Core: a machine may have no IPv6. A port that is taken is a failure. */
async function listen(server: RpcHttpServer, options: RpcOptions, log: Logger): Promise<readonly string[]> {
  const addresses: string[] = [];
  let failure: unknown;
  let { port } = options;
  for (const endpoint of endpoints(options, log)) {
    try {
      // All on one port, also where a free one was taken.
      const bound = await server.listen(endpoint.port === 0 ? { ...endpoint, port } : endpoint);
      if (endpoint.port === 0) port = bound.port;
      addresses.push(endpointText(bound));
    } catch (error) {
      if (!isMissingAddress(error)) throw error;
      failure ??= error;
      log.debug('an RPC address could not be used', { address: endpointText(endpoint), error: errorText(error) });
    }
  }
  if (addresses.length === 0) throw failure;
  return addresses;
}

function isMissingAddress(error: unknown): boolean {
  const cause = error instanceof NodeError ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && NO_SUCH_ADDRESS.includes(cause.code);
}

function endpoints({ bind, port, allowIps }: RpcOptions, log: Logger): readonly Endpoint[] {
  const wanted = bind.map((text) => parseEndpoint(text, port));
  if (wanted.length > 0 && allowIps.length > 0) return wanted;
  const isLocal = ({ host }: Endpoint): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);
  // As Core: nobody is let in from outside whom -rpcallowip does not name.
  for (const endpoint of wanted.filter((each) => !isLocal(each))) {
    log.warn('--rpc-bind was ignored because --rpc-allow-ip was not given: refusing to let everyone connect', {
      address: endpointText(endpoint),
    });
  }
  const local = wanted.filter(isLocal);
  return local.length > 0 ? local : LOOPBACK.map((host) => ({ host, port }));
}

/** The node that the commands that call one talk to: where it is, how to log in, how long to wait. */
import { networkDirectory } from '#chain';
import { loadNetwork } from '#node';
import {
  callRpc,
  findEndpoint,
  findLogin,
  parseEndpoint,
  RpcCode,
  type RpcParams,
  type RpcReply,
  type RpcTarget,
  writeJson,
} from '#rpc';
import { NodeError, systemClock } from '#util';
import type { Settings } from './options.ts';
import { defaultRpcPort } from './rpc-settings.ts';

const RETRY_MS = 500;
const LOCALHOST = '127.0.0.1';

/** With --rpc-wait, as long as nobody answers, or the node says that it is not ready. Throws NodeError. */
export async function callNode(
  settings: Settings,
  method: string,
  params: RpcParams,
  signal?: AbortSignal,
): Promise<RpcReply> {
  const deadlineMs =
    settings.rpcWaitTimeout === 0
      ? Number.POSITIVE_INFINITY
      : systemClock.monotonicMs() + settings.rpcWaitTimeout * 1000;
  for (;;) {
    const mayWait = settings.rpcWait && systemClock.monotonicMs() < deadlineMs && signal?.aborted !== true;
    try {
      const reply = await callRpc({ ...(await findTarget(settings)), signal }, method, params);
      if (!mayWait || reply.kind === 'result' || reply.code !== RpcCode.inWarmup) return reply;
    } catch (error) {
      const isTransient = error instanceof NodeError && (error.code === 'NETWORK' || error instanceof NoNode);
      if (!mayWait || !isTransient) throw error;
    }
    // The clock's own timers do not keep a process alive that waits for nothing else.
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** An answer as plain JSON; an object unless the method gives something else. */
export type Answer = Readonly<Record<string, unknown>>;

/** For who shows an answer rather than prints it. Throws NodeError where the method failed. */
export async function resultOf(
  settings: Settings,
  method: string,
  params: RpcParams = [],
  signal?: AbortSignal,
): Promise<Answer> {
  const reply = await callNode(settings, method, params, signal);
  if (reply.kind === 'result') return JSON.parse(writeJson(reply.result));
  throw new NodeError('NETWORK', `the node answered ${method} with error ${reply.code}: ${reply.message}`);
}

/** No node has left its login where it should be: none runs, or not yet. */
class NoNode extends NodeError {
  constructor(directory: string) {
    super(
      'BAD_CONFIG',
      `no node runs in ${directory}: it would have left its cookie file there; --network, --datadir, --rpc-cookie-file or --rpc-password say which one is meant`,
    );
  }
}

/** Throws NodeError where no node is to be found. */
export async function findTarget(settings: Settings): Promise<RpcTarget> {
  const params = await loadNetwork(settings.network);
  const directory = networkDirectory(settings.datadir, params);
  const { rpcUser = '', rpcPassword, rpcConnect, rpcPort, rpcCookieFile, rpcClientTimeout } = settings;
  const login = rpcPassword === undefined ? await findLogin(rpcCookieFile, directory) : `${rpcUser}:${rpcPassword}`;
  if (login === undefined) throw new NoNode(directory);
  // Of a node elsewhere the files here say nothing.
  const known = rpcConnect === undefined && rpcPort === undefined ? await findEndpoint(directory) : undefined;
  const port = rpcPort ?? defaultRpcPort(params) ?? 0;
  const endpoint = known ?? parseEndpoint(rpcConnect ?? LOCALHOST, port);
  return { endpoint, login, timeoutMs: rpcClientTimeout * 1000 };
}

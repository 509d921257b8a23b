/** A regtest node in this process with its RPC server, and calls to it over HTTP as a client makes them. */
import assert from 'node:assert/strict';
import { networkDirectory } from '#chain';
import type { NodeOptions, StarlingNode } from '#node';
import {
  callRpc,
  findEndpoint,
  findLogin,
  type JsonValue,
  mockableClock,
  type RpcDeps,
  type RpcOptions,
  type RpcParams,
  type RpcReply,
  startRpc,
  writeJson,
} from '#rpc';
import { nullLogger, systemClock, systemRandom } from '#util';
import { regtest } from './chain-builder.ts';
import { undocumented } from './rpc-results.ts';
import { makeTempDir } from './temp-dir.ts';
import { createTestNodes } from './test-nodes.ts';

export type RpcNode = AsyncDisposable & {
  readonly node: StarlingNode;
  readonly address: string;
  /** The network's folder, where the cookie is. */
  readonly directory: string;
  /** user:password, of the cookie. */
  readonly login: string;
  /** The answer as plain JSON; fails the test on an error, and on an answer that the method's row does not describe. */
  readonly call: (method: string, ...params: readonly JsonValue[]) => Promise<unknown>;
  /** The answer as the client gives it. */
  readonly reply: (method: string, params: RpcParams) => Promise<RpcReply>;
  /** The error, code and message; fails the test on a result. */
  readonly refuse: (
    method: string,
    ...params: readonly JsonValue[]
  ) => Promise<readonly [code: number, message: string]>;
  /** Resolves when somebody called `stop`. */
  readonly stopped: Promise<void>;
};

export async function startRpcNode(
  nodeOptions: Partial<NodeOptions> = {},
  rpcOptions: Partial<RpcOptions> = {},
  rpcDeps: Pick<RpcDeps, 'zmqNotifications'> = {},
): Promise<RpcNode> {
  await using stack = new AsyncDisposableStack();
  const nodes = stack.use(await createTestNodes(regtest()));
  const folder = stack.use(await makeTempDir());
  const node = await nodes.start('rpc', { listen: [], ...nodeOptions });
  const stopped = Promise.withResolvers<void>();
  const deps = {
    directory: networkDirectory(folder.path, { ...node.chain.params, dataDirName: '' }),
    clock: systemClock,
    random: systemRandom,
    log: nullLogger,
    stop: stopped.resolve,
    testClock: mockableClock(systemClock),
    ...rpcDeps,
  };
  const server = stack.use(await startRpc(node, rpcOptions, deps));
  const [address = ''] = server.addresses;
  const endpoint = await findEndpoint(deps.directory);
  const login = await findLogin(undefined, deps.directory);
  assert.ok(endpoint !== undefined && login !== undefined);
  const reply = (method: string, params: RpcParams): Promise<RpcReply> =>
    callRpc({ endpoint, login, timeoutMs: 0 }, method, params);
  const resources = stack.move();
  return {
    node,
    address,
    directory: deps.directory,
    login,
    reply,
    call: async (method, ...params) => plain(method, await reply(method, params)),
    refuse: async (method, ...params) => {
      const answer = await reply(method, params);
      assert.ok(answer.kind === 'error', `${method} is refused`);
      return [answer.code, answer.message];
    },
    stopped: stopped.promise,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function plain(method: string, answer: RpcReply): unknown {
  assert.ok(answer.kind === 'result', `${method}: ${answer.kind === 'error' ? answer.message : ''}`);
  const value = JSON.parse(writeJson(answer.result));
  assert.deepEqual(undocumented(method, value), [], `${method} answers what its row says`);
  return value;
}

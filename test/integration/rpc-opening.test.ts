/** A server that listens before its node is there: callers are told to wait, and then reach the node over what they have open. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { networkDirectory } from '#chain';
import { endpointText, findEndpoint, findLogin, openRpc, type RpcReply, writeJson } from '#rpc';
import { NodeError, nextTurn, nullLogger, systemClock, systemRandom } from '#util';
import type { Settings } from '../../src/cli/options.ts';
import { callNode } from '../../src/cli/rpc-client.ts';
import { NodeRpc } from '../../src/cli/rpc-settings.ts';
import { resolveSettings } from '../../src/cli/settings.ts';
import { regtest } from '../support/chain-builder.ts';
import { type HttpAnswer, type HttpRequest, httpRequest } from '../support/rpc-client.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { createTestNodes } from '../support/test-nodes.ts';

const COUNT = '{"method":"getblockcount","id":1}';

test('until the node is there every call is answered with -28 and what is waited for; then by the node', async () => {
  await using folder = await makeTempDir();
  await using nodes = await createTestNodes(regtest());
  const deps = { directory: folder.path, clock: systemClock, random: systemRandom, log: nullLogger, stop: () => {} };
  await using opening = await openRpc({ rest: true }, deps);
  // Its cookie and its address are where clients look for them.
  const login = (await findLogin(undefined, folder.path)) ?? '';
  const node = await nodes.start('node', { listen: [] });
  const agent = new Agent({ keepAlive: true });
  const endpoint = await findEndpoint(folder.path);
  assert.ok(endpoint !== undefined);
  const address = endpointText(endpoint);
  const ask = (request: HttpRequest): Promise<HttpAnswer> => httpRequest(address, { login, agent, ...request });

  const first = await ask({ body: COUNT });
  assert.deepEqual([first.status, JSON.parse(first.text).error], [500, { code: -28, message: 'Starting…' }]);
  opening.setStatus('Connecting blocks… (12.00%)');
  const batch = await ask({ body: `[${COUNT},{"method":"nosuchmethod","id":2}]` });
  const waiting = { code: -28, message: 'Connecting blocks… (12.00%)' };
  assert.equal(batch.status, 200);
  assert.deepEqual(
    JSON.parse(batch.text),
    [1, 2].map((id) => ({ result: null, error: waiting, id })),
  );
  const rest = await ask({ method: 'GET', path: '/rest/chaininfo.json' });
  const text = 'Service temporarily unavailable: Connecting blocks… (12.00%)\r\n';
  assert.deepEqual([rest.status, rest.text], [503, text]);
  assert.equal((await ask({ method: 'GET', path: '/events' })).status, 503);
  assert.equal((await ask({ body: COUNT, login: 'user:wrong' })).status, 401);

  await using _server = opening.serve(node);
  const answer = await ask({ body: COUNT });
  assert.deepEqual([answer.status, answer.text], [200, '{"result":0,"error":null,"id":1}\n']);
  assert.equal((await ask({ method: 'GET', path: '/rest/chaininfo.json' })).status, 200);
  agent.destroy();
});

test('the program listens once opening takes long; --rpc-wait waits for the node', async () => {
  await using folder = await makeTempDir();
  await using nodes = await createTestNodes(regtest());
  const settings = await resolveSettings('node', { network: ['regtest'], datadir: [folder.path] });
  const params = regtest();
  await mkdir(networkDirectory(folder.path, params), { recursive: true });
  await using server = new NodeRpc(settings, params, { log: nullLogger, stop: () => {} });
  await assert.rejects(callNode(settings, 'getblockcount', []), /no node runs/);
  server.onOpening({ what: 'connecting blocks', done: 1, total: 4 });
  const told = await firstAnswer(settings);
  assert.deepEqual(told, { kind: 'error', code: -28, message: 'Connecting blocks… (25.00%)' });
  const waiting = callNode({ ...settings, rpcWait: true }, 'getblockcount', []);
  await using _running = await server.serve(await nodes.start('node', { listen: [] }));
  const answer = await waiting;
  assert.ok(answer.kind === 'result');
  assert.equal(writeJson(answer.result), '0');
});

/** As soon as somebody listens. */
async function firstAnswer(settings: Settings): Promise<RpcReply> {
  for (;;) {
    try {
      return await callNode(settings, 'getblockcount', []);
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      await nextTurn();
    }
  }
}

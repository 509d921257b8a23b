import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeError } from '#util';
import { RpcCode, RpcError } from '../../../src/rpc/errors.ts';
import type { JsonInput } from '../../../src/rpc/json/value.ts';
import { answerBody, type Execute } from '../../../src/rpc/protocol.ts';

const execute: Execute = async ({ method, params }) => {
  if (method === 'echo') return params;
  if (method === 'disk') throw new NodeError('IO', 'the disk fails');
  if (method === 'bad') throw new RpcError(RpcCode.invalidParameter, 'no good');
  throw new RpcError(RpcCode.methodNotFound, 'Method not found');
};

async function answer(body: JsonInput | undefined): Promise<readonly [status: number, text: string]> {
  const { status, body: text } = await answerBody(body, execute);
  return [status, text];
}

test('1.0: result, error and id in each answer, and statuses for failures', async () => {
  assert.deepEqual(await answer({ method: 'echo', params: [1], id: 'a' }), [
    200,
    '{"result":[1],"error":null,"id":"a"}\n',
  ]);
  assert.deepEqual(await answer({ jsonrpc: '1.0', method: 'echo' }), [200, '{"result":[],"error":null,"id":null}\n']);
  const failed = (code: number, message: string, id = '1'): string =>
    `{"result":null,"error":{"code":${code},"message":"${message}"},"id":${id}}\n`;
  assert.deepEqual(await answer({ method: 'bad', id: 1 }), [500, failed(-8, 'no good')]);
  assert.deepEqual(await answer({ method: 'disk', id: 1 }), [500, failed(-1, 'the disk fails')]);
  assert.deepEqual(await answer({ method: 'none', id: 1 }), [404, failed(-32601, 'Method not found')]);
  assert.deepEqual(await answer({ id: 1 }), [400, failed(-32600, 'Missing method')]);
  assert.deepEqual(await answer({ method: 1, id: 1 }), [400, failed(-32600, 'Method must be a string')]);
  assert.deepEqual(await answer({ method: 'echo', params: 1, id: 1 }), [
    400,
    failed(-32600, 'Params must be an array or object'),
  ]);
  assert.deepEqual(await answer({ jsonrpc: '3.0', method: 'echo', id: 1 }), [
    400,
    failed(-32600, 'JSON-RPC version not supported'),
  ]);
  assert.deepEqual(await answer({ jsonrpc: 2, method: 'echo', id: 1 }), [
    400,
    failed(-32600, 'jsonrpc field must be a string'),
  ]);
  assert.deepEqual(await answer(undefined), [500, failed(-32700, 'Parse error', 'null')]);
  assert.deepEqual(await answer('text'), [500, failed(-32700, 'Top-level object parse error', 'null')]);
});

test('2.0: one of result and error, status 200, and nothing for a notification', async () => {
  const jsonrpc = '2.0';
  assert.deepEqual(await answer({ jsonrpc, method: 'echo', id: null }), [
    200,
    '{"jsonrpc":"2.0","result":[],"id":null}\n',
  ]);
  assert.deepEqual(await answer({ jsonrpc, method: 'none', id: 'x' }), [
    200,
    '{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":"x"}\n',
  ]);
  assert.deepEqual(await answer({ jsonrpc, method: 'echo' }), [204, '']);
  assert.deepEqual(await answer({ jsonrpc, method: 'none' }), [204, '']);
  assert.equal((await answer({ jsonrpc, id: 1 }))[0], 400);
});

test('a batch is answered in its order with status 200, notifications left out', async () => {
  const [status, text] = await answer([
    { method: 'echo', id: 1 },
    5,
    { jsonrpc: '2.0', method: 'echo' },
    { jsonrpc: '2.0', method: 'none', id: 2 },
  ]);
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), [
    { result: [], error: null, id: 1 },
    { result: null, error: { code: -32600, message: 'Invalid Request object' }, id: null },
    { jsonrpc: '2.0', error: { code: -32601, message: 'Method not found' }, id: 2 },
  ]);
  assert.deepEqual(await answer([{ jsonrpc: '2.0', method: 'echo' }]), [204, '']);
  assert.deepEqual(await answer([]), [200, '[]\n']);
});

test('a bug is not an answer', async () => {
  await assert.rejects(
    answerBody({ method: 'x' }, () => Promise.reject(new Error('a bug'))),
    { message: 'a bug' },
  );
});

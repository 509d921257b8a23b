/** Every call of the table, made to a node as the tool makes it, and read as strictly as the tool reads it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRecord, type ToolAnswer, ToolConnection, WrittenNumber } from '../support/tool-connection.ts';
import { EXPLORERS } from './tool-calls/explorers.ts';
import type { Shape, Tool, ToolCall } from './tool-calls/format.ts';
import { LIGHTNING } from './tool-calls/lightning.ts';
import { WALLET_BACKENDS } from './tool-calls/wallet-backends.ts';
import { createWorld, type World } from './tool-calls/world.ts';

const TOOLS: readonly Tool[] = [...EXPLORERS, ...WALLET_BACKENDS, ...LIGHTNING];

test('the calls of tools that people point at Bitcoin Core', async (t) => {
  await using world = await createWorld();
  for (const tool of TOOLS) {
    await t.test(`${tool.name} (${tool.kind}): ${tool.calls.length} calls`, () => callAll(world, tool));
  }
});

test('the table has an explorer, a wallet backend and a Lightning implementation, and forty forms of calls', () => {
  assert.deepEqual(
    new Set(TOOLS.map(({ kind }) => kind)),
    new Set(['block explorer', 'wallet backend', 'Lightning implementation', 'command line']),
  );
  const forms = new Set(
    TOOLS.flatMap(({ calls }) => calls.map(({ method, params }) => JSON.stringify([method, params]))),
  );
  assert.ok(forms.size >= 40, `${forms.size} forms`);
});

async function callAll(world: World, { habits, calls }: Tool): Promise<void> {
  using connection = new ToolConnection(world.rpc.address, world.rpc.login, habits);
  const wrong: string[] = [];
  for (const call of calls) {
    const { method, params } = call;
    const filled = params == null ? params : (world.fill(params) as ToolCall['params']);
    const answer = await connection.call(method, filled);
    wrong.push(
      ...differences(call, answer, habits.batches).map((text) => `${method} ${JSON.stringify(params)}: ${text}`),
    );
  }
  assert.deepEqual(wrong, []);
}

function differences({ expected }: ToolCall, { status, reply }: ToolAnswer, isBatch: boolean): readonly string[] {
  const error = reply['error'] ?? null;
  if ('answer' in expected) {
    if (error !== null) return [`is refused: ${JSON.stringify(error)}`];
    if (status !== 'HTTP/1.1 200 OK') return [status];
    return mismatches(expected.answer, reply['result'], 'result');
  }
  if (!isRecord(error)) return [`is answered: ${JSON.stringify(reply)}`];
  const { code, message } = expected;
  return [
    ...mismatches({ is: code }, error['code'], 'code'),
    ...mismatches(message, error['message'], 'message'),
    ...(status === failedStatus(expected.code, isBatch, reply) ? [] : [`has the status ${status}`]),
  ];
}

/** JSONErrorReply of Core 27; a request of version 2.0 and a batch are answered, whatever becomes of the calls in them. */
function failedStatus(code: number, isBatch: boolean, reply: ToolAnswer['reply']): string {
  if (isBatch || 'jsonrpc' in reply) return 'HTTP/1.1 200 OK';
  return code === -32601 ? 'HTTP/1.1 404 Not Found' : 'HTTP/1.1 500 Internal Server Error';
}

const TEXTS: Readonly<Record<string, RegExp>> = { text: /^/, hex: /^([0-9a-f]{2})*$/, hash: /^[0-9a-f]{64}$/ };
const NUMBERS: Readonly<Record<string, RegExp>> = { number: /^/, integer: /^-?\d+$/, amount: /^-?\d+\.\d{8}$/ };

function mismatches(shape: Shape, value: unknown, where: string): readonly string[] {
  const fails = (what: string): readonly string[] => [`${where} is ${shown(value)}, not ${what}`];
  if (typeof shape === 'string') return hasType(shape, value) ? [] : fails(shape);
  if (shape instanceof RegExp) return typeof value === 'string' && shape.test(value) ? [] : fails(String(shape));
  if ('is' in shape) return shown(value) === JSON.stringify(shape.is) ? [] : fails(JSON.stringify(shape.is));
  if ('list' in shape) {
    if (!Array.isArray(value)) return fails('a list');
    if (value.length === 0 && shape.mayBeEmpty !== true) return fails('filled');
    return value.flatMap((each, at) => mismatches(shape.list, each, `${where}[${at}]`));
  }
  if (!isRecord(value)) return fails('an object');
  return Object.entries(shape.fields).flatMap(([name, inner]) => {
    if (name === '*') return Object.entries(value).flatMap(([key, each]) => mismatches(inner, each, `${where}.${key}`));
    const key = name.replace(/\?$/, '');
    if (key in value) return mismatches(inner, value[key], `${where}.${key}`);
    return key === name ? [`${where}.${key} is missing`] : [];
  });
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'boolean') return typeof value === 'boolean';
  if (typeof value === 'string') return TEXTS[type]?.test(value) === true;
  return value instanceof WrittenNumber && NUMBERS[type]?.test(value.source) === true;
}

function shown(value: unknown): string {
  return value instanceof WrittenNumber ? value.source : String(JSON.stringify(value)).slice(0, 200);
}

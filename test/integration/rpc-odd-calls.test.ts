/** Odd parameters, well-typed and not, for every method: each call is answered or refused, none shows a bug (-32603). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type JsonValue, RPC_METHODS } from '#rpc';
import type { Param } from '../../src/rpc/table/param.ts';
import { feedRpcChain } from '../support/rpc-chain.ts';
import { startRpcNode } from '../support/rpc-node.ts';

/** They end the server, wait, mine for long, write where a path says, or set the clock for all others. */
const LEFT_OUT: readonly string[] = [
  'stop',
  'waitfornewblock',
  'waitforblock',
  'waitforblockheight',
  'generatetoaddress',
  'generatetodescriptor',
  'setmocktime',
  'mockscheduler',
];

const CALLS = 2_000;
const INTERNAL_ERROR = -32603;

/** Values of the type that a parameter asks for, and now and then others; texts are often those given. */
function oddValues(known: readonly string[]): { readonly like: (param: Param) => fc.Arbitrary<JsonValue> } {
  const text = fc.oneof(
    fc.constantFrom(
      ...known,
      '',
      '00',
      'ff'.repeat(80),
      '51',
      'add',
      'remove',
      'start',
      'status',
      'muhash',
      'template',
    ),
    fc.string({ maxLength: 20 }),
  );
  const number = fc.constantFrom(0, 1, -1, 2, 0.1, 100, 131, 140, 2 ** 31, -(2 ** 53), 1e300);
  const anything: fc.Arbitrary<JsonValue> = fc.oneof(
    text,
    number,
    fc.constantFrom<JsonValue>(null, true, false, [], {}),
  );
  const like = (param: Param): fc.Arbitrary<JsonValue> =>
    fc.oneof({ arbitrary: fitting(param), weight: 9 }, { arbitrary: anything, weight: 1 });
  const fitting = ({ type, inner = [] }: Param): fc.Arbitrary<JsonValue> => {
    const members = (): fc.Arbitrary<JsonValue> =>
      fc.record(Object.fromEntries(inner.map((each) => [each.names.split('|')[0] ?? '', like(each)])), {
        requiredKeys: [],
      });
    switch (type) {
      case 'boolean':
        return fc.boolean();
      case 'number':
        return number;
      case 'amount':
        return fc.oneof(number, fc.constantFrom('0.1', '0.000000001', '21000001'));
      case 'array':
        return inner.length === 0 ? fc.constant([]) : fc.array(fc.oneof(...inner.map(like)), { maxLength: 3 });
      case 'object':
      case 'named':
        return members();
      case 'dictionary':
        return fc.dictionary(text, fc.oneof(number, text), { maxKeys: 2 });
      case 'range':
        return fc.oneof(number, fc.tuple(number, number));
      default:
        return text;
    }
  };
  return { like };
}

test('odd parameters are refused, and show no bug', async () => {
  await using rpc = await startRpcNode({ indexes: { txIndex: true } });
  const { builder, busyBlock, confirmed, unconfirmed, address } = await feedRpcChain(
    rpc.node,
    Math.floor(Date.now() / 1000),
  );
  const known = [builder.tip.hash, busyBlock.hash, confirmed.txid, unconfirmed.txid, address];
  const raw = Buffer.from(unconfirmed.raw).toString('hex');
  const odd = oddValues([...known, raw]);
  const rows = RPC_METHODS.filter(({ name }) => !LEFT_OUT.includes(name));
  const calls = fc.constantFrom(...rows).chain(({ name, params }) => {
    const values = fc.tuple(...params.map((param) => odd.like(param)));
    return fc.tuple(fc.constant(name), values, fc.nat(params.length)).map(([method, all, count]) => {
      return [method, all.slice(0, count)] as const;
    });
  });
  // A long poll with the id of now is answered after a minute at the earliest.
  const isLongPoll = (text: string): boolean => text.includes('longpollid');
  const call = calls.filter(([name, params]) => name !== 'getblocktemplate' || !isLongPoll(JSON.stringify(params)));
  await fc.assert(
    fc.asyncProperty(call, async ([name, params]) => {
      const reply = await rpc.reply(name, params);
      if (reply.kind === 'error') assert.notEqual(reply.code, INTERNAL_ERROR, reply.message);
    }),
    { numRuns: CALLS, seed: 12 },
  );
  assert.equal(await rpc.call('getblockcount'), rpc.node.chain.tip().height);
});

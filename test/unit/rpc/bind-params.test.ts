import assert from 'node:assert/strict';
import { test } from 'node:test';
import { methodsManual } from '#rpc';
import { parseJson } from '../../../src/rpc/json/parse.ts';
import type { JsonInput } from '../../../src/rpc/json/value.ts';
import { bindParams } from '../../../src/rpc/table/bind-params.ts';
import { helpText } from '../../../src/rpc/table/help-text.ts';
import type { RpcMethod } from '../../../src/rpc/table/method.ts';
import { param } from '../../../src/rpc/table/param.ts';
import { result } from '../../../src/rpc/table/result.ts';

const METHOD: RpcMethod = {
  name: 'sample',
  category: 'util',
  about: 'A sample.',
  params: [
    param.number('height', 'The height'),
    param.number('verbosity|verbose', 'How much', { default: 1, anyType: true }),
    param.named('options', '', {
      optional: true,
      inner: [
        param.boolean('psbt', 'Whether', { default: false }),
        param.amount('fee_rate|feeRate', 'Fee', { optional: true }),
      ],
    }),
    param.array('names', 'Names', { optional: true, inner: [param.string('name', 'A name', { optional: true })] }),
  ],
  results: [
    result.object('', '', [
      result.hex('hash', 'the hash'),
      result.array('items', 'the items\nin order', [result.number('', 'an item')]),
    ]),
  ],
  examples: [{ cli: '1 true', json: '1, true' }],
  handler: () => null,
};

const bind = (given: JsonInput): readonly JsonInput[] =>
  bindParams(METHOD, given as Parameters<typeof bindParams>[1]).all();

test('named parameters go to their places, by any of their names', () => {
  assert.deepEqual(bind([1]), [1]);
  assert.deepEqual(bind({ height: 1 }), [1]);
  assert.deepEqual(bind({ height: 1, verbose: true }), [1, true]);
  assert.deepEqual(bind({ height: 1, names: ['a'] }), [1, null, null, ['a']]);
  assert.deepEqual(bind({ height: 1, psbt: true, feeRate: 2 }), [1, null, { psbt: true, feeRate: 2 }]);
  assert.deepEqual(bind({ args: [1], verbosity: 2 }), [1, 2]);
  assert.deepEqual(bind({ args: [1, 2], names: [] }), [1, 2, null, []]);
});

test('what does not fit is refused in the words of Core', () => {
  const refused = (given: JsonInput, code: number, message: string): void =>
    assert.throws(() => bind(given), { code, message });
  refused({ height: 1, x: 1 }, -8, 'Unknown named parameter x');
  refused({ args: [1], height: 2 }, -8, 'Parameter height specified twice both as positional and named argument');
  refused({ height: 1, options: {}, psbt: true }, -8, 'Parameter options conflicts with parameter psbt');
  const [repeated] = parseJson(Buffer.from('[{"height":1,"height":2},{}]')) as readonly JsonInput[];
  refused(repeated ?? null, -8, 'Parameter height specified multiple times');
  refused({ args: 'x', height: 1 }, -8, 'Unknown named parameter args');
  refused(
    ['a'],
    -3,
    'Wrong type passed:\n{\n    "Position 1 (height)": "JSON value of type string is not of expected type number"\n}',
  );
  refused(
    [null, 1, [], {}],
    -3,
    'Wrong type passed:\n{\n    "Position 1 (height)": "JSON value of type null is not of expected type number",\n' +
      '    "Position 3 (options)": "JSON value of type array is not of expected type object",\n' +
      '    "Position 4 (names)": "JSON value of type object is not of expected type array"\n}',
  );
  refused([], -1, helpText(METHOD));
  refused([1, 2, {}, [], 5], -1, helpText(METHOD));
});

test('values are read by name, with their defaults', () => {
  const args = bindParams(METHOD, [2 ** 40]);
  assert.equal(args.verbosity('verbosity'), 1);
  assert.equal(args.has('options'), false);
  assert.throws(() => args.int('height'), { code: -1, message: 'JSON integer out of range' });
  assert.throws(() => bindParams(METHOD, [1.5]).int('height'), { code: -1, message: 'JSON integer out of range' });
  assert.throws(() => args.value('unknown'));
});

test('help has the layout of Core', () => {
  assert.equal(
    helpText(METHOD),
    `sample height ( verbosity {"psbt":bool,"fee_rate":amount,...} ["name",...] )

A sample.

Arguments:
1. height         (numeric, required) The height
2. verbosity      (numeric, optional, default=1) How much
3. options        (json object, optional) Options object that can be used to pass named arguments, listed below.
4. names          (json array, optional) Names
     [
       "name",    (string) A name
       ...
     ]

Named Arguments:
psbt        (boolean, optional, default=false) Whether
fee_rate    (numeric or string, optional) Fee

Result:
{                    (json object)
  "hash" : "hex",    (string) the hash
  "items" : [        (json array) the items
                     in order
    n,               (numeric) an item
    ...
  ]
}

Examples:
> bitcoin-cli sample 1 true
> curl --user myusername --data-binary '{"jsonrpc": "1.0", "id": "curltest", "method": "sample", "params": [1, true]}' -H 'content-type: text/plain;' http://127.0.0.1:8332/
`,
  );
});

test('the manual has the help of each method that is listed', () => {
  const hidden: RpcMethod = { ...METHOD, name: 'secret', category: 'hidden' };
  const text = methodsManual([hidden, METHOD]);
  assert.ok(text.includes(`## Util\n\n### sample\n\n\`\`\`text\n${helpText(METHOD).trimEnd()}\n\`\`\`\n`));
  assert.ok(!text.includes('secret'));
});

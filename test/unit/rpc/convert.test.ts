import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convertNamed, convertPositional, JsonNumber, RPC_METHODS } from '#rpc';

const method = (name: string) => RPC_METHODS.find((each) => each.name === name);
const number = (text: string): JsonNumber => new JsonNumber(text);

test('texts stay texts, everything else is JSON', () => {
  assert.deepEqual(convertPositional(method('getblock'), ['00ff', '2']), ['00ff', number('2')]);
  assert.deepEqual(convertPositional(method('getblockheader'), ['00ff', 'false']), ['00ff', false]);
  assert.deepEqual(convertPositional(method('scantxoutset'), ['start', '["raw(00)",{"range":[0,5]}]']), [
    'start',
    ['raw(00)', { range: [number('0'), number('5')] }],
  ]);
  assert.deepEqual(convertPositional(method('echo'), ['1', '{}']), ['1', '{}']);
  assert.deepEqual(convertPositional(method('echojson'), ['1.50', '{}']), [number('1.50'), {}]);
  assert.deepEqual(convertPositional(undefined, ['1']), ['1']);
  assert.throws(() => convertPositional(method('getblockhash'), ['notanumber']), {
    message: 'Error parsing JSON: notanumber',
  });
});

test('named words are converted by their names, aliases too; the others go first', () => {
  assert.deepEqual(convertNamed(method('getblock'), ['blockhash=00ff', 'verbose=2']), {
    blockhash: '00ff',
    verbose: number('2'),
  });
  assert.deepEqual(convertNamed(method('getblock'), ['00ff', 'verbosity=true']), { args: ['00ff'], verbosity: true });
  assert.deepEqual(convertNamed(method('echo'), ['arg0=a=b']), { arg0: 'a=b' });
});

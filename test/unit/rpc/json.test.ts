import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson, parseKeepingNumbers } from '../../../src/rpc/json/parse.ts';
import { repeatedKey } from '../../../src/rpc/json/repeated-keys.ts';
import { amount, doubleText, type JsonInput } from '../../../src/rpc/json/value.ts';
import { writeJson } from '../../../src/rpc/json/write.ts';
import { amountOf } from '../../../src/rpc/table/args.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('doubles are printed as C prints them with %.16g', () => {
  const cases: readonly (readonly [number, string])[] = [
    [4.656542373906925e-10, '4.656542373906925e-10'],
    [1e-5, '1e-05'],
    [0.0001, '0.0001'],
    [0.1, '0.1'],
    [6.625, '6.625'],
    [1 / 3, '0.3333333333333333'],
    [0.1 + 0.2, '0.3'],
    [1e15, '1000000000000000'],
    [1e16, '1e+16'],
    [1.5e300, '1.5e+300'],
    [-2.5, '-2.5'],
    [0, '0'],
  ];
  for (const [value, text] of cases) assert.equal(doubleText(value), text);
  assert.throws(() => doubleText(Number.NaN));
});

test('amounts have eight decimals', () => {
  assert.equal(writeJson(amount(10_000_000n)), '0.10000000');
  assert.equal(writeJson(amount(-1n)), '-0.00000001');
  assert.equal(writeJson(amount(2_100_000_000_000_000n)), '21000000.00000000');
});

test('amounts are read without rounding, from numbers and texts', () => {
  const read = (text: string): bigint => amountOf(parseJson(bytes(text)) ?? null);
  assert.equal(read('0.1'), 10_000_000n);
  assert.equal(read('"0.10000000"'), 10_000_000n);
  assert.equal(read('1e-8'), 1n);
  assert.equal(read('20999999.99999999'), 2_099_999_999_999_999n);
  assert.equal(read('21000000'), 2_100_000_000_000_000n);
  for (const bad of ['0.123456789', '"0x10"', '"1."', '""', '1e-9', '".1"']) {
    assert.throws(() => read(bad), { message: 'Invalid amount' }, bad);
  }
  for (const bad of ['-1', '21000000.00000001']) assert.throws(() => read(bad), { message: 'Amount out of range' });
  assert.throws(() => read('[]'), { message: 'Amount is not a number or string' });
  fc.assert(
    fc.property(fc.bigInt(0n, 2_100_000_000_000_000n), (sats) => read(amount(sats).text) === sats),
    { numRuns: 500, seed: 1 },
  );
});

test('what JSON.parse takes and Core does not is refused', () => {
  assert.equal(parseJson(bytes(`${'['.repeat(512)}${']'.repeat(512)}`)) === undefined, false);
  // A long integer has each value looked at, level within level.
  assert.equal(parseJson(bytes(`${'['.repeat(100_000)}${2n ** 64n}${']'.repeat(100_000)}`)), undefined);
  assert.equal(parseJson(bytes(`${'['.repeat(600)}${']'.repeat(600)}`)), undefined);
  assert.equal(parseJson(bytes(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)), undefined);
  assert.equal(parseJson(bytes('{"a":"\\ud800"}')), undefined);
  assert.equal(parseJson(bytes('{"\\udc00":1}')), undefined);
  assert.equal(parseJson(Uint8Array.of(0x22, 0xff, 0x22)), undefined);
  assert.equal(parseJson(bytes('NaN')), undefined);
  assert.equal(parseJson(bytes('')), undefined);
  assert.equal(parseJson(bytes('12345678901234567890')), 12345678901234567890n);
});

test('text indented as UniValue indents it, numbers as they came', () => {
  const text = '{"a":[1.50000000,{"b":[]}],"c":{},"d":"\\u007f"}';
  assert.equal(
    writeJson(parseKeepingNumbers(text), 2),
    '{\n  "a": [\n    1.50000000,\n    {\n      "b": [\n      ]\n    }\n  ],\n  "c": {\n  },\n  "d": "\\u007f"\n}',
  );
  assert.equal(writeJson(parseKeepingNumbers(text)), text);
});

test('whatever JSON is read, is written again', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const input = parseJson(bytes(JSON.stringify(value)));
      assert.notEqual(input, undefined);
      assert.deepEqual(JSON.parse(writeJson(input as JsonInput)), JSON.parse(JSON.stringify(input, sixteenDigits)));
    }),
    { numRuns: 300, seed: 2 },
  );
});

/** As many as are written. Integers keep all. */
function sixteenDigits(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' && !Number.isSafeInteger(value) ? Number(value.toPrecision(16)) : value;
}

test('a key that stands twice is known of each object, wherever it is and however it is written', () => {
  const at = (text: string, ...path: readonly (string | number)[]): string | undefined => {
    let value: unknown = parseJson(bytes(text));
    for (const step of path) value = (value as Record<string | number, unknown>)[step];
    return repeatedKey(value as Parameters<typeof repeatedKey>[0]);
  };
  assert.equal(at('{"a":1,"b":{},"a":2}'), 'a');
  assert.equal(at('{"a":{"x":1},"b":{"x":1,"y":"x","x":[]}}', 'b'), 'x');
  assert.equal(at('{"a":{"x":1},"b":{"x":1,"y":"x","x":[]}}', 'a'), undefined);
  assert.equal(at('[[{"x":1},{"x":1}],{"p":[0,{"\\u0078":1,"x":1}]}]', 1, 'p', 1), 'x');
  assert.equal(at('[[{"x":1},{"x":1}],{"p":[0,{"\\u0078":1,"x":1}]}]'), undefined);
  assert.equal(at('{"p":{"a\\\\":"{\\"a\\":1,","a":"\\\\"}}', 'p'), undefined);
  assert.equal(at('{"p":{"\\"":1,"\\\\":2,"\\"":3}}', 'p'), '"');
  assert.equal(at('{"p":{"a":{"k":1,"k":2},"a":3}}', 'p'), 'a');
});

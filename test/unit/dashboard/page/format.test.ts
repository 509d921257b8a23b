import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../../../src/dashboard/page/format.ts';

test('figures have three digits and a prefix', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [999, '999 B'],
    [999.6, '1.00 kB'],
    [1_234, '1.23 kB'],
    [99_960, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [5.6e9, '5.60 GB'],
  ];
  for (const [value, text] of cases) assert.equal(format.bytes(value), text);
  assert.equal(format.hashRate(7.8e20), '780 EH/s');
  assert.equal(format.byteRate(12.3), '12 B/s');
  assert.equal(format.count(1_234_567), '1,234,567');
  assert.deepEqual(
    [0, 1, 2].map((value) => format.plural(value, 'peer')),
    ['0 peers', '1 peer', '2 peers'],
  );
  assert.deepEqual([0, 0.004, -2.5, 123.4].map(format.digits), ['0', '0.00', '-2.50', '123']);
});

test('amounts have eight digits, there and back', () => {
  assert.equal(format.bitcoins(1), '0.00000001');
  assert.equal(format.bitcoins(2_099_999_997_690_000), '20999999.97690000');
  assert.equal(format.satsOf(20999999.9769), 2_099_999_997_690_000);
  assert.equal(format.satsOf(0.29), 29_000_000);
});

test('fee rates have no zeros at the end', () => {
  assert.deepEqual([1, 1.5, 2.254, 10.04, 10, 123.4, 1000].map(format.feerate), [
    '1',
    '1.5',
    '2.25',
    '10',
    '10',
    '123',
    '1,000',
  ]);
});

test('what is not yet all is never shown as all', () => {
  assert.deepEqual([0, 0.5, 0.999_999, 1].map(format.percent), ['0.00 %', '50.00 %', '99.99 %', '100 %']);
});

test('durations have one or two units; what lies ahead is 0 s', () => {
  const cases: readonly (readonly [seconds: number, text: string])[] = [
    [-5, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [3_599, '59 min'],
    [3_600, '1 h'],
    [7_500, '2 h 5 min'],
    [90_000, '1 d 1 h'],
  ];
  for (const [seconds, text] of cases) assert.equal(format.duration(seconds * 1000), text);
});

test('latencies keep their first digits', () => {
  assert.deepEqual([0.123, 1.26, 12.6, 999.4, 1_234, 12_340].map(format.milliseconds), [
    ...['0.12 ms', '1.3 ms', '13 ms', '999 ms', '1.23 s', '12.3 s'],
  ]);
});

test('times are UTC', () => {
  assert.equal(format.dateTime(1_231_006_505_000), '2009-01-03 18:15:05 UTC');
});

test('names are shortened where they differ', () => {
  assert.equal(format.shortHash('0123456789abcdef0123456789abcdef'), '01234567…89abcdef');
  assert.equal(format.shortHash('867340'), '867340');
  assert.equal(format.shortPeer('12D3KooWAbCdEfGh'), '…AbCdEfGh');
  assert.equal(format.shortProtocol('/starling/0f9188f13cb7b2c7/headers/1'), 'headers/1');
  assert.equal(format.hashEnd('0123456789abcdef'), '…89abcdef');
  assert.equal(format.shortProtocol('/ipfs/ping/1.0.0'), 'ipfs/ping/1.0.0');
});

test('work is a power of two', () => {
  assert.equal(format.workBits(`${'0'.repeat(62)}02`), '1.00');
  assert.equal(format.workBits('0'.repeat(64)), '0');
  assert.equal(format.workBits(`${'0'.repeat(40)}1${'0'.repeat(23)}`), '92.00');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as format from '../../../src/cli/format.ts';

const SYNC = {
  phase: 'blocks',
  reason: '',
  height: 3120,
  headerHeight: 4312,
  progress: 0.7236,
  blocksPerSecond: 812.4,
  bytesPerSecond: 1_234_567,
  secondsLeft: 83,
  peers: 5,
} as const;

test('bytes, rates, times', () => {
  const byteCases: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [12_345, '12.3 kB'],
    [999_499, '999 kB'],
    [999_700, '1.00 MB'],
    [2.5e13, '25.0 TB'],
    [5e15, '5000 TB'],
  ];
  for (const [value, text] of byteCases) assert.equal(format.bytes(value), text);
  assert.deepEqual([0, 9.94, 9.96, 12_345].map(format.perSecond), ['0.0', '9.9', '10', '12,345']);
  assert.deepEqual([0, 59.4, 60, 3725, 90_000].map(format.duration), [
    '0 s',
    '59 s',
    '1 min 0 s',
    '1 h 2 min',
    '1 d 1 h',
  ]);
  assert.deepEqual([3.2, 999, 1250].map(format.delay), ['3 ms', '999 ms', '1.3 s']);
  assert.deepEqual([0, 0.99999, 1, 2, -1].map(format.percent), ['0.00%', '99.99%', '100.00%', '100.00%', '0.00%']);
});

test('the sync line of each phase', () => {
  assert.equal(
    format.syncLine(SYNC),
    'block 3,120 of 4,312  72.36%  812 blocks/s  1.23 MB/s  5 peers  1 min 23 s left',
  );
  assert.equal(format.syncLine({ ...SYNC, phase: 'at-tip', peers: 1 }), 'at the tip  block 3,120  1 peer');
  assert.equal(format.syncLine({ ...SYNC, phase: 'headers' }), 'headers 4,312  72.36%  block 3,120  5 peers');
  assert.match(
    format.syncLine({ ...SYNC, phase: 'stalled', reason: 'the disk is full' }),
    /^stalled .*the disk is full$/,
  );
  assert.match(
    format.syncLine({ ...SYNC, phase: 'waiting-for-peers', reason: 'no seed' }),
    /^waiting for peers .*no seed$/,
  );
});

test('tables align their columns', () => {
  const lines = format.table(
    ['left', 'right'],
    [
      ['a', '1'],
      ['long', '1,000'],
      ['…b', ''],
    ],
  );
  assert.deepEqual(lines, ['a         1', 'long  1,000', '…b']);
});

test('no number makes bytes or durations longer than their column', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e14, noNaN: true }), (value) => {
      assert.ok(format.bytes(value).length <= 7, format.bytes(value));
      assert.match(format.bar(value / 1e14, 10), /^[█░]{10}$/);
    }),
  );
});

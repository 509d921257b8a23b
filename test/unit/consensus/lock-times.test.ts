/** Absolute and relative lock times, each on both sides of its border. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calculateSequenceLocks, evaluateSequenceLocks, isFinalTx } from '#consensus';
import { input, tipOf, transaction, viewChain } from './fixtures.ts';

const START = 1_600_000_000;
const TYPE_TIME = 0x00400000;
const DISABLED = 0x80000000;

function locked(lockTime: number, sequence: number) {
  return transaction({ lockTime, inputs: [input(0), input(1, { sequence })] });
}

test('lock time by height', () => {
  assert.equal(isFinalTx(locked(100, 0), 101, 0), true);
  assert.equal(isFinalTx(locked(100, 0), 100, 2 ** 32), false);
  assert.equal(isFinalTx(locked(499_999_999, 0), 500_000_000, 0), true);
});

test('lock time by time', () => {
  assert.equal(isFinalTx(locked(500_000_000, 0), 2 ** 31 - 1, 500_000_000), false);
  assert.equal(isFinalTx(locked(500_000_000, 0), 0, 500_000_001), true);
  assert.equal(isFinalTx(locked(0xffffffff, 0), 0, 0xffffffff), false);
});

test('no lock time, or final sequences everywhere', () => {
  assert.equal(isFinalTx(locked(0, 0), 0, 0), true);
  assert.equal(isFinalTx(locked(100, 0xffffffff), 1, 0), true);
  assert.equal(isFinalTx(locked(100, 0xfffffffe), 1, 0), false);
});

/** A block at height 200 on headers that are ten minutes apart; the median time of h is START + (h - 5) * 600. */
const views = viewChain(Array.from({ length: 200 }, (_, i) => ({ time: START + i * 600 })));
const block = { height: 200, ancestor: tipOf(views).ancestor };
const medianOf = (height: number): number => START + (height - 5) * 600;

function locksOf(sequences: readonly number[], heights: readonly number[], version = 2) {
  const tx = transaction({ version, inputs: sequences.map((sequence, i) => input(i, { sequence })) });
  return calculateSequenceLocks(tx, heights, block);
}

test('relative lock by height', () => {
  assert.deepEqual(locksOf([10], [190]), { minHeight: 199, minTime: -1 });
  assert.equal(evaluateSequenceLocks(locksOf([10], [190]), block), true);
  assert.equal(evaluateSequenceLocks(locksOf([10], [191]), block), false);
  assert.equal(evaluateSequenceLocks(locksOf([0], [200]), block), true);
  assert.equal(evaluateSequenceLocks(locksOf([1], [200]), block), false);
});

test('relative lock by time counts from the median time before the coin’s block', () => {
  const units = 3;
  assert.deepEqual(locksOf([TYPE_TIME | units], [101]), { minHeight: -1, minTime: medianOf(100) + units * 512 - 1 });
  // The block's own limit is the median time of its parent, height 199.
  const border = medianOf(199) - medianOf(100);
  assert.equal(border % 512, 99 * 600 - 116 * 512);
  assert.equal(evaluateSequenceLocks(locksOf([TYPE_TIME | 116], [101]), block), true);
  assert.equal(evaluateSequenceLocks(locksOf([TYPE_TIME | 117], [101]), block), false);
  const exact = { minHeight: -1, minTime: medianOf(199) };
  assert.equal(evaluateSequenceLocks(exact, block), false);
  assert.equal(evaluateSequenceLocks({ ...exact, minTime: medianOf(199) - 1 }, block), true);
});

test('a coin of genesis, and one of the same block', () => {
  assert.equal(locksOf([TYPE_TIME], [0]).minTime, START - 1);
  assert.equal(locksOf([TYPE_TIME], [200]).minTime, medianOf(199) - 1);
});

test('the strictest input counts; disabled ones do not', () => {
  assert.deepEqual(locksOf([5, 30, DISABLED | 60000], [10, 20, 30]), { minHeight: 49, minTime: -1 });
  // Only 16 bits are the value; the bits between have no meaning.
  assert.deepEqual(locksOf([0x7fbf_0005], [10]), { minHeight: 14, minTime: -1 });
});

test('BIP68 is for versions from 2 on, read as unsigned', () => {
  const none = { minHeight: -1, minTime: -1 };
  assert.deepEqual(locksOf([60000], [10], 1), none);
  assert.deepEqual(locksOf([60000], [10], 0), none);
  assert.equal(locksOf([60000], [10], -1).minHeight, 60009);
  assert.equal(locksOf([60000], [10], 2).minHeight, 60009);
});

test('heights and inputs must match; the median is worked out for a time lock only', () => {
  assert.throws(() => locksOf([5], [10, 20]), /a height for each input/);
  const none = { minHeight: -1, minTime: -1 };
  const ancestor = () => assert.fail('no header is needed');
  assert.equal(evaluateSequenceLocks(none, { height: 5, ancestor }), true);
});

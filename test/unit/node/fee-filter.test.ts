import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MAX_MONEY } from '#primitives';
import { seededRandom } from '#util';
import { feeFilter } from '../../../src/node/fee-filter.ts';

const RELAY_MINIMUM = 1_000;

function answers(minFee: number, isSynced = true): Set<bigint> {
  const random = seededRandom(5);
  const deps = { minFeeSatPerKvb: () => minFee, minRelayFeeSatPerKvb: RELAY_MINIMUM, isSynced: () => isSynced, random };
  return new Set(Array.from({ length: 200 }, () => feeFilter(deps)));
}

it('a fee filter is the step above or below what the mempool asks for, never below the relay minimum', () => {
  // Steps are 500 sat times 1.1 to the n.
  assert.deepEqual(answers(5_000), new Set([BigInt(Math.floor(500 * 1.1 ** 24)), BigInt(Math.floor(500 * 1.1 ** 25))]));
  assert.deepEqual(answers(1_000), new Set([1_000n, BigInt(Math.floor(500 * 1.1 ** 8))]));
  assert.deepEqual(answers(0), new Set([1_000n]));
  const [highest, ...others] = answers(1e9);
  assert.ok(others.length === 0 && highest !== undefined && highest > 9_000_000n && highest <= 10_000_000n);
});

it('during initial sync nothing pays enough', () => {
  assert.deepEqual(answers(5_000, false), new Set([MAX_MONEY]));
});

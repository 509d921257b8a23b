/** The constants that Core's headers fix, and the subsidy's end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockSubsidy, limits } from '#consensus';
import { paramsOf } from './fixtures.ts';

test('limits', () => {
  assert.deepEqual(
    { ...limits },
    {
      WITNESS_SCALE_FACTOR: 4,
      MAX_BLOCK_WEIGHT: 4_000_000,
      MAX_BLOCK_SIGOPS_COST: 80_000,
      COINBASE_MATURITY: 100,
      MIN_COINBASE_SCRIPT_BYTES: 2,
      MAX_COINBASE_SCRIPT_BYTES: 100,
      MEDIAN_TIME_SPAN: 11,
      MAX_FUTURE_BLOCK_SECONDS: 7200,
      MAX_TIMEWARP_SECONDS: 600,
      LOCKTIME_THRESHOLD: 500_000_000,
      SEQUENCE_FINAL: 2 ** 32 - 1,
      SEQUENCE_LOCKTIME_DISABLE_FLAG: 2 ** 31,
      SEQUENCE_LOCKTIME_TYPE_FLAG: 2 ** 22,
      SEQUENCE_LOCKTIME_MASK: 0xffff,
      SEQUENCE_LOCKTIME_GRANULARITY: 9,
      BIP34_IMPLIES_BIP30_LIMIT: 1_983_702,
    },
  );
});

test('each halving of the subsidy rounds down, and 33 leave nothing', () => {
  const mainnet = paramsOf('mainnet');
  for (let halvings = 0; halvings < 70; halvings++) {
    const expected = 5_000_000_000n / 2n ** BigInt(halvings);
    assert.equal(blockSubsidy(halvings * 210_000, mainnet), expected);
    assert.equal(blockSubsidy(halvings * 210_000 + 209_999, mainnet), expected);
  }
});

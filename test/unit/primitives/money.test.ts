import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCoins } from '#primitives';

test('amounts have eight decimals', () => {
  const cases: [bigint, string][] = [
    [0n, '0.00000000'],
    [1n, '0.00000001'],
    [21_560_000_000_000n, '215600.00000000'],
    [-150_000_000n, '-1.50000000'],
  ];
  for (const [sats, text] of cases) assert.equal(formatCoins(sats), text);
});

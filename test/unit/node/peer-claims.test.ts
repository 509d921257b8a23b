/** What is kept of a peer's hellos. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlockHash } from '#primitives';
import type { Hello } from '#protocol';
import { claimsOf } from '../../../src/node/peer-claims.ts';

test('a hello renews what the one before it told, but not where the peer started', () => {
  const nowMs = 1_800_000_000_999;
  const hash = parseBlockHash('00'.repeat(32));
  const first: Hello = {
    revision: 1,
    services: 9n,
    genesisHash: hash,
    userAgent: '/first/',
    time: 1_800_000_007,
    tipHash: hash,
    tipHeight: 5,
    tipChainWork: 1n,
    lowestHeightServed: 0,
    relay: false,
    feeFilterSatPerKvb: 0n,
    nonce: 1n,
  };
  const claims = claimsOf(first, undefined, nowMs);
  assert.deepEqual([claims.startHeight, claims.tipHeight, claims.relaysTransactions], [5, 5, false]);
  assert.equal(claims.timeOffsetSeconds, 7);
  const later = claimsOf({ ...first, tipHeight: 8, relay: true, lowestHeightServed: 3 }, claims, nowMs + 10_000);
  assert.deepEqual(later, {
    ...claims,
    tipHeight: 8,
    relaysTransactions: true,
    lowestHeightServed: 3,
    timeOffsetSeconds: -3,
  });
});

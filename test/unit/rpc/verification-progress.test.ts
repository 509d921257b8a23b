import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlockHash } from '#primitives';
import { verificationProgress } from '../../../src/rpc/core-io/verification-progress.ts';

const at = (height: number, chainWork: bigint) => ({
  hash: parseBlockHash(height.toString(16).padStart(64, '0')),
  height,
  chainWork,
});

test('of a new node it is nothing, of one at the tip all, and in between the share of the blocks whose headers are known', () => {
  const of = (tip: number, best: number, minimumChainWork = 100n): number =>
    verificationProgress({
      params: { minimumChainWork },
      tip: () => at(tip, BigInt(tip) + 1n),
      bestHeader: () => at(best, BigInt(best) + 1n),
    });
  assert.equal(of(0, 0), 0.01);
  assert.equal(of(0, 98), 0.01);
  assert.equal(of(0, 200), 0);
  assert.equal(of(50, 200), 0.25);
  assert.equal(of(199, 200), 0.995);
  assert.equal(of(200, 200), 1);
  assert.equal(of(0, 0, 0n), 1, 'where no work is asked for');
});

/** The orders in which Core lists the mempool. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sha256 } from '#crypto';
import type { MempoolEntry } from '#mempool';
import { idToBytes, txidFromBytes } from '#primitives';
import { compareBytes } from '#util';
import { byDepthAndScore } from '../../../src/rpc/core-io/mempool-json.ts';
import { createManualClock } from '../../support/manual-clock.ts';

type Ranked = Pick<MempoolEntry, 'txid' | 'fee' | 'vsize' | 'parents' | 'children'>;

function ranked(number: number, fee: bigint, vsize: number, parents: readonly Ranked[] = []): Ranked {
  const txid = txidFromBytes(sha256(Uint8Array.of(number)));
  return { txid, fee, vsize, parents: new Set(parents as MempoolEntry[]), children: new Set() };
}

const order = async (entries: readonly Ranked[]): Promise<readonly unknown[]> =>
  byDepthAndScore(entries as MempoolEntry[], createManualClock());

test('who has fewer ancestors stands first, whatever it pays; then who pays more', async () => {
  const [poor, rich] = [ranked(1, 1n, 100), ranked(2, 5n, 100)];
  const child = ranked(3, 1_000n, 100, [poor]);
  const grandchild = ranked(4, 1_000_000n, 100, [child]);
  assert.deepEqual(await order([grandchild, child, poor, rich]), [rich, poor, child, grandchild]);
});

test('rates are compared exactly, and equal ones by their ids, the highest first', async () => {
  const amounts = fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n });
  const sizes = fc.integer({ min: 61, max: 1_000_000 });
  const pairs = fc.oneof(
    fc.tuple(amounts, sizes, amounts, sizes),
    // Equal rates, and such that differ by a hair.
    fc
      .tuple(amounts, sizes, fc.nat(3))
      .map(([fee, size, more]) => [fee, size, fee * 3n + BigInt(more), size * 3] as const),
  );
  await fc.assert(
    fc.asyncProperty(pairs, async ([feeA, sizeA, feeB, sizeB]) => {
      const [a, b] = [ranked(1, feeA, sizeA), ranked(2, feeB, sizeB)];
      const left = feeA * BigInt(sizeB);
      const right = feeB * BigInt(sizeA);
      const isFirst = left === right ? compareBytes(idToBytes(a.txid), idToBytes(b.txid)) > 0 : left > right;
      assert.equal((await order([a, b]))[0], isFirst ? a : b);
    }),
    { numRuns: 300 },
  );
});

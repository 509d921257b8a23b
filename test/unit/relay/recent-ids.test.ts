import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseTxid, type Txid } from '#primitives';
import { RecentIds } from '../../../src/relay/recent-ids.ts';

const id = (number: number): Txid => parseTxid(number.toString(16).padStart(64, '0'));

it('recent ids hold the last ones added, and forget the oldest first', () => {
  const recent = new RecentIds(3);
  for (const number of [1, 2, 3, 1]) recent.add(id(number));
  assert.ok([1, 2, 3].every((number) => recent.has(id(number))));
  recent.add(id(4));
  assert.deepEqual(
    [1, 2, 3, 4].map((number) => recent.has(id(number))),
    [true, false, true, true],
    'the one added again counts as new',
  );
  recent.clear();
  assert.ok(!recent.has(id(1)));
});

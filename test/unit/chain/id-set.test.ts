import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { IdSet } from '../../../src/chain/id-set.ts';

/** Small enough to meet often, around the ends of words, and beyond what there is room for at first. */
const ids = fc.oneof(fc.nat(70), fc.constantFrom(31, 32, 63, 64, 2047, 2048, 100_000));

describe('IdSet', () => {
  it('holds what a Set holds, and gives any stretch of it in order', () => {
    const changes = fc.array(fc.tuple(fc.boolean(), ids), { maxLength: 200 });
    fc.assert(
      fc.property(changes, fc.nat(40), ids, ids, (list, max, from, end) => {
        const set = new IdSet();
        const model = new Set<number>();
        for (const [isAdded, id] of list) {
          if (isAdded) {
            set.add(id);
            model.add(id);
          } else {
            set.delete(id);
            model.delete(id);
          }
        }
        const sorted = [...model].sort((a, b) => a - b);
        assert.equal(set.size, model.size);
        assert.deepEqual(set.first(Number.POSITIVE_INFINITY, 0, 100_001), sorted);
        const stretch = sorted.filter((id) => id >= from && id < end).slice(0, max);
        assert.deepEqual(set.first(max, from, end), stretch);
      }),
    );
  });
});

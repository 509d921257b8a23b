/** How long peers are waited for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HedgePace } from '../../../src/node/hedge-pace.ts';

describe('the pace at which peers are asked', () => {
  it('begins with half a second, one, and two', () => {
    const pace = new HedgePace();
    assert.deepEqual(pace.delaysMs, [500, 1000]);
    assert.equal(pace.giveUpMs, 2000);
    pace.answered(false);
    assert.deepEqual(pace.delaysMs, [500, 1000], 'no faster than that');
  });

  it('doubles where asking twice was in vain, to eight times at most, and comes back with good answers', () => {
    const pace = new HedgePace();
    pace.answered(true);
    assert.deepEqual(pace.delaysMs, [1000, 2000]);
    for (let n = 0; n < 5; n++) pace.answered(true);
    assert.deepEqual(pace.delaysMs, [4000, 8000]);
    assert.equal(pace.giveUpMs, 16_000);
    for (let n = 0; n < 13; n++) pace.answered(false);
    assert.deepEqual(pace.delaysMs, [500, 1000]);
  });
});

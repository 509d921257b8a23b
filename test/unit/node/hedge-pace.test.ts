/** How long peers are waited for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HedgePace } from '../../../src/node/hedge-pace.ts';

function paceAfter(...answersMs: readonly number[]): HedgePace {
  const pace = new HedgePace();
  for (const tookMs of answersMs) pace.answered(tookMs);
  return pace;
}

const times = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);

describe('the pace at which peers are asked', () => {
  it('begins with half a second, one, and two, and is never faster', () => {
    for (const pace of [paceAfter(), paceAfter(5), paceAfter(...times(50, 20))]) {
      assert.deepEqual(pace.delaysMs, [500, 1000]);
      assert.equal(pace.giveUpMs, 2000);
    }
  });

  it('is patient after the first late answer, and then as late as answers are', () => {
    assert.deepEqual(paceAfter(700).delaysMs, [2100, 4200]);
    assert.deepEqual(paceAfter(...times(30, 700)).delaysMs, [700, 1400]);
    // 600 and 800 in turn: 700 and four times 100.
    const [first] = paceAfter(...times(40, 600).map((ms, at) => ms + (at % 2) * 200)).delaysMs;
    assert.ok(first > 1000 && first < 1200, `${first}`);
  });

  it('waits no longer than four seconds, and comes back with good answers', () => {
    const pace = paceAfter(...times(20, 60_000));
    assert.deepEqual(pace.delaysMs, [4000, 8000]);
    assert.equal(pace.giveUpMs, 16_000);
    for (let n = 0; n < 60; n++) pace.answered(100);
    assert.deepEqual(pace.delaysMs, [500, 1000]);
  });
});

/** Timers that do not count what the event loop was held up. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '#util';
import { countRunningTime } from '../../../src/node/running-time.ts';
import { createManualClock } from '../../support/manual-clock.ts';

/** `after` of a clock, each timer late by the next of `delaysMs`. */
function lateBy(clock: Clock, delaysMs: number[]): Clock {
  return { ...clock, after: (ms, fn) => clock.after(ms + (delaysMs.shift() ?? 0), fn) };
}

async function firedAt(delayMs: number, lateMs: number[] = []): Promise<number[]> {
  const clock = createManualClock();
  const fired: number[] = [];
  countRunningTime(lateBy(clock, lateMs)).after(delayMs, () => fired.push(clock.monotonicMs()));
  await clock.advance(10_000);
  return fired;
}

describe('a timer that counts running time', () => {
  it('fires once and to the millisecond while the loop turns', async () => {
    for (const delayMs of [0, 1, 49, 50, 51, 500, 1234]) assert.deepEqual(await firedAt(delayMs), [delayMs]);
  });

  it('fires later by as long as the loop stood still', async () => {
    assert.deepEqual(await firedAt(500, [0, 0, 700, 0, 300]), [1500]);
  });

  it('can be cancelled at any time, and leaves nothing behind', async () => {
    const clock = createManualClock();
    const timer = countRunningTime(clock).after(500, () => assert.fail('cancelled'));
    await clock.advance(120);
    timer.cancel();
    timer.cancel();
    await clock.advance(1000);
    assert.equal(clock.pending(), 0);
  });
});

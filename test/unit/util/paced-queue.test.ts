import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PacedQueue } from '#util';
import { createManualClock } from '../../support/manual-clock.ts';

const PACE = { intervalMs: 50, maxAtOnce: 2, maxWaiting: 5 };

describe('a paced queue', () => {
  it('lets go so many at a time, those first that are due first', async () => {
    const clock = createManualClock();
    const startMs = clock.monotonicMs();
    const gone: [string, number][] = [];
    const queue = new PacedQueue<string>(clock, PACE, (items) => {
      for (const item of items) gone.push([item, clock.monotonicMs() - startMs]);
    });
    for (const [item, afterMs] of [
      ['late', 120],
      ['a', 10],
      ['b', 10],
      ['c', 0],
    ] as const) {
      assert.ok(queue.add(item, afterMs));
    }
    await clock.advance(1_000);
    assert.deepEqual(gone, [
      ['c', 0],
      ['a', 50],
      ['b', 50],
      ['late', 150],
    ]);
    assert.equal(clock.pending(), 0);
  });

  it('refuses what finds no room, and has room again', async () => {
    const clock = createManualClock();
    const gone: number[] = [];
    const queue = new PacedQueue<number>(clock, PACE, (items) => gone.push(...items));
    const kept = [1, 2, 3, 4, 5, 6].map((n) => queue.add(n, 1));
    assert.deepEqual(kept, [true, true, true, true, true, false]);
    await clock.advance(50);
    assert.ok(queue.add(7, 0));
    await clock.advance(1_000);
    assert.deepEqual(gone, [1, 2, 3, 4, 5, 7]);
  });

  it('forgets what waits when it is stopped', async () => {
    const clock = createManualClock();
    const gone: number[] = [];
    const queue = new PacedQueue<number>(clock, PACE, (items) => gone.push(...items));
    queue.add(1, 10);
    queue.stop();
    await clock.advance(1_000);
    assert.deepEqual([gone, clock.pending()], [[], 0]);
  });
});

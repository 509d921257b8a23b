/** The small machines that bound time and bytes: token buckets, byte budgets, deadlines, bounded maps. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { BoundedMap } from '../../../src/net/bounded-map.ts';
import { ByteBudget } from '../../../src/net/byte-budget.ts';
import { Deadline } from '../../../src/net/deadline.ts';
import { TokenBuckets } from '../../../src/net/token-bucket.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const open = new AbortController().signal;

suite('net budgets', () => {
  test('a bucket gives its burst, then its rate', async () => {
    const clock = createManualClock();
    const buckets = new TokenBuckets(clock);
    const quota = { burst: 3, perSecond: 2 };
    assert.deepEqual(
      [1, 1, 1, 1].map((cost) => buckets.take('a', quota, cost)),
      [true, true, true, false],
    );
    assert.ok(buckets.take('b', quota, 3), 'keys are apart');
    assert.equal(buckets.waitMs('a', quota, 1), 500);
    await clock.advance(500);
    assert.ok(buckets.take('a', quota, 1));
    buckets.spend('a', quota, 10);
    assert.equal(buckets.waitMs('a', quota, 1), 5500);
    assert.ok(!buckets.take('a', quota, 4), 'more than a burst is never there');
  });

  test('a bucket never gives more than burst and rate allow', () => {
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ waitMs: fc.nat(2000), cost: fc.nat(10) }), { maxLength: 30 }),
        async (steps) => {
          const clock = createManualClock();
          const buckets = new TokenBuckets(clock);
          const quota = { burst: 10, perSecond: 5 };
          let taken = 0;
          for (const { waitMs, cost } of steps) {
            await clock.advance(waitMs);
            if (buckets.take('k', quota, cost)) taken += cost;
            assert.ok(taken <= 10 + (clock.monotonicMs() * 5) / 1000 + 1e-9);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a budget admits in order, and lets something larger than itself through alone', async () => {
    const budget = new ByteBudget(100);
    await budget.acquire(60, open);
    const order: string[] = [];
    const large = budget.acquire(200, open).then(() => order.push('large'));
    const small = budget.acquire(10, open).then(() => order.push('small'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(order, [], 'the small one waits behind the large one');
    budget.adjust(-60);
    await large;
    assert.deepEqual(order, ['large']);
    budget.adjust(-200);
    await small;
    assert.equal(budget.held, 10);
  });

  test('whoever gives up leaves the line and holds nothing', async () => {
    const budget = new ByteBudget(10);
    await budget.acquire(10, open);
    const controller = new AbortController();
    const first = budget.acquire(10, controller.signal);
    const second = budget.acquire(5, open);
    controller.abort(new Error('gone'));
    await assert.rejects(first, /gone/);
    budget.adjust(-10);
    await second;
    assert.equal(budget.held, 5);
    await assert.rejects(budget.acquire(1, AbortSignal.abort()));
  });

  test('a deadline counts only the time that it runs', async () => {
    const clock = createManualClock();
    const expired: string[] = [];
    const deadline = new Deadline(clock, 100, 1000, (what) => expired.push(what));
    deadline.run();
    await clock.advance(99);
    deadline.progress(300);
    await clock.advance(299);
    deadline.stop();
    await clock.advance(10_000);
    assert.deepEqual(expired, []);
    deadline.run();
    await clock.advance(299);
    assert.deepEqual(expired, []);
    await clock.advance(2);
    assert.deepEqual(expired, ['progress']);
  });

  test('progress does not stretch the whole', async () => {
    const clock = createManualClock();
    const expired: string[] = [];
    const deadline = new Deadline(clock, 100, 1000, (what) => expired.push(what));
    deadline.run();
    for (let step = 0; step < 30 && expired.length === 0; step += 1) {
      await clock.advance(50);
      deadline.progress(100);
    }
    assert.deepEqual(expired, ['whole exchange']);
    assert.equal(clock.monotonicMs(), 1000);
  });

  test('a bounded map forgets what was set longest ago', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    map.set('c', 4);
    assert.deepEqual(
      [...map.entries()],
      [
        ['a', 3],
        ['c', 4],
      ],
    );
  });
});

/** The clock that tests run on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '#util';
import { createManualClock } from '../../support/manual-clock.ts';

test('timers fire in order of their time, then of their making, and see that time', async () => {
  const clock = createManualClock(1_000_000);
  const seen: string[] = [];
  for (const [name, ms] of [
    ['c', 30],
    ['a', 10],
    ['b', 10],
    ['d', 50],
  ] as const) {
    clock.after(ms, () => seen.push(`${name}@${clock.monotonicMs()}`));
  }
  clock.after(20, () => seen.push('never')).cancel();
  await clock.advance(30);
  assert.deepEqual(seen, ['a@10', 'b@10', 'c@30']);
  assert.deepEqual([clock.now(), clock.monotonicMs(), clock.pending()], [1_000_030, 30, 1]);
});

test('promises settle between timers', async () => {
  const clock = createManualClock();
  const seen: number[] = [];
  const walk = async (): Promise<string> => {
    for (let i = 0; i < 3; i++) {
      await sleep(clock, 3_600_000);
      seen.push(clock.monotonicMs());
    }
    return 'done';
  };
  assert.equal(await clock.runUntil(walk()), 'done');
  assert.deepEqual(seen, [3_600_000, 7_200_000, 10_800_000]);
});

test('waiting for what cannot happen is an error, not a hang', async () => {
  const clock = createManualClock();
  await assert.rejects(clock.runUntil(new Promise(() => {})), /nothing is left/);
  clock.after(2000, () => {});
  await assert.rejects(
    clock.runUntil(() => false, 1000),
    /not done after 1000 ms/,
  );
  await assert.rejects(clock.runUntil(Promise.reject(new Error('its own'))), /its own/);
});

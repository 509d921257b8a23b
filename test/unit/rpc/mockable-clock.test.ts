import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mockableClock } from '#rpc';
import { createManualClock } from '../../support/manual-clock.ts';

test('the time stands where it is put, and goes on when it is let go', async () => {
  const base = createManualClock(1_000);
  const clock = mockableClock(base);
  assert.equal(clock.now(), 1_000);
  clock.setTime(5_000);
  await base.advance(100);
  assert.equal(clock.now(), 5_000);
  clock.setTime(undefined);
  assert.equal(clock.now(), 1_100);
});

test('timers end earlier by what they are forwarded, each once, cancelled ones never', async () => {
  const base = createManualClock(0);
  const clock = mockableClock(base);
  const ended: string[] = [];
  clock.after(1_000, () => ended.push('second'));
  clock.after(5_000, () => ended.push('late'));
  clock.after(1_000, () => ended.push('never')).cancel();
  clock.forward(999);
  await base.advance(0);
  assert.deepEqual(ended, []);
  await base.advance(1);
  assert.deepEqual(ended, ['second']);
  clock.forward(10_000);
  await base.advance(0);
  assert.deepEqual(ended, ['second', 'late']);
});

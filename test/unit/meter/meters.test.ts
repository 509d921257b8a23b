/** Histograms, tallies and the meter of a thread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Histogram, LATENCY_SECONDS, Tally, ThreadMeter } from '#meter';
import { AssertionFailure } from '#util';

test('a value counts up to its bound, itself included, and above all bounds too', () => {
  const histogram = new Histogram([1, 2, 4]);
  for (const value of [0, 1, 1.5, 2, 4, 4.1, 100]) histogram.add(value);
  assert.deepEqual(histogram.figures(), { bounds: [1, 2, 4], counts: [2, 2, 1, 2], sum: 112.6 });
  const before = histogram.figures();
  histogram.add(1);
  assert.equal(before.counts[0], 2, 'figures do not change afterwards');
  assert.throws(() => new Histogram([1, 1]), AssertionFailure);
  assert.equal(new Histogram().figures().counts.length, LATENCY_SECONDS.length + 1);
});

test('a tally shows its names from the start, and takes no endless number of new ones', () => {
  const tally = new Tally<string>(['a', 'b']);
  tally.add('a');
  tally.add('b', 5);
  tally.add('new');
  assert.deepEqual(tally.figures(), { a: 1, b: 5, new: 1 });
  for (let i = 0; i < 1_000; i++) tally.add(`made up ${i}`);
  tally.add('new');
  const figures = tally.figures();
  assert.ok(Object.keys(figures).length <= 97);
  assert.equal(figures['new'], 2);
  assert.equal(
    Object.values(figures).reduce((sum, count) => sum + count, 0),
    1_008,
  );
});

test('names that every object has are names like others', () => {
  const tally = new Tally<string>();
  for (const name of ['constructor', 'toString', '__proto__']) tally.add(name);
  const figures = tally.figures();
  assert.deepEqual(
    ['constructor', 'toString', '__proto__'].map((name) => Object.entries(figures).find(([key]) => key === name)?.[1]),
    [1, 1, 1],
  );
});

test('a thread tells of its loop and its heap; of delays once it was asked before', async () => {
  using meter = new ThreadMeter();
  const first = meter.figures();
  assert.equal(first.delay, undefined);
  assert.ok(first.heapBytes > 100_000);
  await nextTurn();
  const second = meter.figures();
  assert.ok(second.activeMs + second.idleMs >= first.activeMs + first.idleMs);
  assert.ok(second.gcMs >= 0);
});

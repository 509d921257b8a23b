import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  concatBytes,
  fromHex,
  NodeError,
  Serial,
  seededRandom,
  sleep,
  systemRandom,
  toHex,
  toReversedHex,
} from '#util';
import { createManualClock } from '../../support/manual-clock.ts';

describe('bytes', () => {
  it('convert to hex and back, forwards and reversed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.deepEqual(fromHex(toHex(bytes)), bytes);
        assert.deepEqual(fromHex(toReversedHex(bytes)), bytes.toReversed());
        assert.deepEqual(concatBytes(bytes.subarray(0, 3), bytes.subarray(3)), bytes);
      }),
    );
    for (const bad of ['a', 'zz', '0x00', ' 00']) assert.throws(() => fromHex(bad), RangeError);
  });
});

describe('random', () => {
  it('repeats from a seed and stays in range', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 50 }, () => random.below(7));
    };
    assert.deepEqual(draw(1), draw(1));
    assert.notDeepEqual(draw(1), draw(2));
    assert.deepEqual(new Set(draw(3)).size, 7);
    assert.ok(draw(4).every((value) => value >= 0 && value < 7));
    assert.ok(systemRandom.below(2 ** 32) < 2 ** 32);
    assert.equal(systemRandom.bytes(9).length, 9);
    for (const bad of [0, -1, 1.5, 2 ** 33]) assert.throws(() => systemRandom.below(bad), RangeError);
  });
});

describe('sleep', () => {
  it('waits for the clock, or until it is aborted', async () => {
    const clock = createManualClock();
    const done: string[] = [];
    void sleep(clock, 100).then(() => done.push('slept'));
    const abort = new AbortController();
    const aborted = assert.rejects(sleep(clock, 1000, abort.signal), /enough/);
    await clock.advance(99);
    assert.deepEqual(done, []);
    await clock.advance(1);
    assert.deepEqual(done, ['slept']);
    abort.abort(new Error('enough'));
    await aborted;
    assert.equal(clock.pending(), 0);
    await assert.rejects(sleep(clock, 1, abort.signal), /enough/);
  });
});

describe('Serial', () => {
  it('runs tasks in order, one at a time, past failures', async () => {
    const serial = new Serial();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = serial.run(async () => {
      await gate.promise;
      order.push('first');
    });
    const second = serial.run(() => {
      order.push('second');
      throw new NodeError('IO', 'broken');
    });
    const third = serial.run(() => order.push('third'));
    assert.equal(serial.pending, 3);
    gate.resolve();
    await first;
    await assert.rejects(second, { code: 'IO' });
    await third;
    await serial.idle();
    assert.deepEqual(order, ['first', 'second', 'third']);
    assert.equal(serial.pending, 0);
  });
});

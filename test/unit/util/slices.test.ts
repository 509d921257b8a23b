import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Slices } from '#util';
import { createManualClock } from '../../support/manual-clock.ts';

/** A clock that stands until it is told to go on. */
function standing() {
  let ms = 0;
  const clock = { ...createManualClock(), monotonicMs: () => ms };
  return {
    clock,
    work: (forMs: number) => {
      ms += forMs;
    },
  };
}

suite('slices', () => {
  test('others get their turn once a slice is used up, and not before', async () => {
    const { clock, work } = standing();
    const slices = new Slices(clock);
    let hasTurned = false;
    setImmediate(() => {
      hasTurned = true;
    });
    work(4);
    await slices.rest();
    assert.equal(hasTurned, false);
    work(1);
    await slices.rest();
    assert.equal(hasTurned, true);
  });

  test('what is urgent goes on for longer', async () => {
    const { clock, work } = standing();
    const slices = new Slices(clock);
    let hasTurned = false;
    setImmediate(() => {
      hasTurned = true;
    });
    work(49);
    await slices.restIn(true)();
    assert.equal(hasTurned, false);
    work(1);
    await slices.restIn(true)();
    assert.equal(hasTurned, true);
  });

  test('all on one clock share a turn', async () => {
    const { clock, work } = standing();
    const [one, other] = [new Slices(clock), new Slices(clock)];
    let hasTurned = false;
    setImmediate(() => {
      hasTurned = true;
    });
    work(3);
    await one.rest();
    work(2);
    await other.rest();
    assert.equal(hasTurned, true, 'what the one worked is gone for the other');
    await one.rest();
  });

  test('who used up a turn comes again when those who wait had one each, in their order', async () => {
    const { clock, work } = standing();
    const log: string[] = [];
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    const slices = new Slices(clock);
    const run = async (name: string): Promise<void> => {
      for (let round = 0; round < 3; round += 1) {
        await slices.rest();
        log.push(`${name}${turns}`);
        work(7);
      }
    };
    work(5);
    setImmediate(count);
    await Promise.all(['a', 'b', 'c'].map(run));
    isOver = true;
    assert.deepEqual(
      log.map((entry) => entry[0]),
      ['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c'],
    );
    assert.equal(new Set(log.map((entry) => entry.slice(1))).size, log.length, 'never two in one turn');
  });
});

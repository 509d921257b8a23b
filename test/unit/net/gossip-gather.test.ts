import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { GossipGather } from '../../../src/net/gossip-gather.ts';
import { MAX_GOSSIP_HOLD_MS } from '../../../src/net/port.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

const INTERVAL_MS = 100;
const START_MS = 7;
let clock: ManualClock;
let gather: GossipGather;
/** As `id` or `-id` with the time since the start. */
let said: [string, number][];

beforeEach(async () => {
  clock = createManualClock();
  await clock.advance(START_MS);
  const startMs = clock.monotonicMs();
  said = [];
  gather = new GossipGather(clock, INTERVAL_MS, (id, _from, verdict) =>
    said.push([verdict === 'accept' ? id : `-${id}`, clock.monotonicMs() - startMs]),
  );
});

const add = (id: string, afterMs: number): void => gather.add(id, 'peer', afterMs, clock.monotonicMs());

describe('messages that are passed on together', () => {
  it('go at the next time after they are due, in that order', async () => {
    add('c', 150);
    await clock.advance(10);
    add('b', 60);
    add('a', 0);
    await clock.advance(500);
    assert.deepEqual(said, [
      ['a', 100],
      ['b', 100],
      ['c', 200],
    ]);
    add('d', 0);
    await clock.advance(500);
    assert.deepEqual(said.at(-1), ['d', 600]);
    assert.equal(clock.pending(), 0);
  });

  it('are at most a hundred at a time; what waits too long is dropped', async () => {
    await clock.advance(1);
    for (let at = 0; at < 8_200; at++) add(`${at}`, 0);
    // 4,096 wait; of the newest nothing is passed on.
    assert.equal(said.length, 8_200 - 4_096);
    said.length = 0;
    await clock.advance(INTERVAL_MS);
    assert.equal(said.length, 100);
    await clock.advance(100 * INTERVAL_MS);
    assert.equal(said.length, 4_096);
    assert.ok(said.every(([id, atMs], at) => id === `${at}` && atMs === INTERVAL_MS * (1 + Math.floor(at / 100))));
  });

  it('are not passed on when gossipsub has forgotten them', async () => {
    await clock.advance(1);
    gather.add('old', 'peer', 0, clock.monotonicMs() - MAX_GOSSIP_HOLD_MS);
    add('new', 0);
    await clock.advance(INTERVAL_MS);
    assert.deepEqual(
      said.map(([id]) => id),
      ['-old', 'new'],
    );
  });

  it('are forgotten at the end', async () => {
    add('a', 0);
    gather.stop();
    await clock.advance(1_000);
    assert.deepEqual([said, clock.pending()], [[], 0]);
  });
});

/** What the simulated synchronisations stand on: a link passes bytes as it should, and the best time is right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../support/manual-clock.ts';
import { SimLink } from '../support/sim-link.ts';
import { SupplyLog } from './sync-oracle.ts';

test('transfers share a link evenly, and its rate may change under them', async () => {
  const clock = createManualClock();
  const link = new SimLink(clock, 1000, 10_000);
  const { signal } = new AbortController();
  const ends: [string, number][] = [];
  const send = async (name: string, bytes: number): Promise<void> => {
    await link.send(bytes, signal);
    ends.push([name, Math.round(clock.monotonicMs())]);
  };
  void send('short', 1000);
  void send('long', 3000);
  await clock.advance(3_000);
  link.setRate(500);
  await clock.advance(10_000);
  // Two share 1000 bytes a second until 2000 ms; the other has 2000 left, 1000 at the full rate, 1000 at half.
  assert.deepEqual(ends, [
    ['short', 2_000],
    ['long', 5_000],
  ]);
  assert.equal(Math.round(link.passedBytes), 4000);
  assert.equal(clock.pending(), 0);
});

test('a dead link fails what waits after its time, and an abort ends a transfer at once', async () => {
  const clock = createManualClock();
  const link = new SimLink(clock, 1000, 10_000);
  const controller = new AbortController();
  const failed = assert.rejects(link.send(50_000, new AbortController().signal), /no byte in time/);
  const aborted = assert.rejects(link.send(50_000, controller.signal), /enough/);
  await clock.advance(1000);
  controller.abort(new Error('enough'));
  await aborted;
  link.setRate(0);
  await clock.advance(9_999);
  assert.equal(clock.pending(), 1);
  await clock.advance(1);
  await failed;
  assert.equal(clock.pending(), 0);
});

test('the best time adds up what all connections could bring, in whole blocks', () => {
  const supply = new SupplyLog(100);
  supply.opened('a', 0, 10);
  supply.opened('b', 0, 10);
  // Half a block before it goes counts nothing.
  supply.closed('b', 15_000);
  assert.equal(supply.bytes(0, 15_000), 200);
  supply.rateChanged('a', 20_000, 100);
  assert.equal(supply.bytes(0, 21_000), 400);
  assert.ok(Math.abs(supply.whenWithLateMs(400, 0, 0, 0) - 21_000) < 5);
  // 400 bytes of it exist from 50 s on only.
  assert.ok(Math.abs(supply.whenWithLateMs(100, 400, 0, 50_000) - 54_000) < 5);
});

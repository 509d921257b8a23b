import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_GOSSIP_HOLD_MS } from '#net';
import type { Txid, Wtxid } from '#primitives';
import { seededRandom } from '#util';
import { TxAnnouncer } from '../../../src/node/tx-announcer.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const MEAN_MS = 1_000;

function transaction(number: number): { readonly txid: Txid; readonly wtxid: Wtxid } {
  const id = number.toString(16).padStart(62, '0');
  return { txid: `${id}aa` as Txid, wtxid: `${id}bb` as Wtxid };
}

describe('the times of announcements', () => {
  it('are exponential, with an end', async () => {
    const clock = createManualClock();
    const announcer = new TxAnnouncer(clock, seededRandom(7), MEAN_MS);
    const times: number[] = [];
    for (let number = 0; number < 5_000; number++) {
      times.push(announcer.hold(transaction(number)));
      // Beyond all that is planned: the next one is drawn anew.
      await clock.advance(MAX_GOSSIP_HOLD_MS);
    }
    const mean = times.reduce((sum, each) => sum + each, 0) / times.length;
    assert.ok(Math.abs(mean - MEAN_MS) < 50, `mean ${mean}`);
    const below = times.filter((each) => each < MEAN_MS * Math.LN2).length / times.length;
    assert.ok(Math.abs(below - 0.5) < 0.03, `${below} below the median of the distribution`);
    assert.ok(Math.max(...times) <= MAX_GOSSIP_HOLD_MS);
    assert.ok(Math.min(...times) >= 0);
  });

  it('are shared by all that wait, without giving those that come late less of the time', async () => {
    const clock = createManualClock();
    const announcer = new TxAnnouncer(clock, seededRandom(3), MEAN_MS);
    const due = new Set<number>();
    const holds: number[] = [];
    for (let number = 0; number < 20_000; number++) {
      const holdMs = announcer.hold(transaction(number));
      holds.push(holdMs);
      due.add(clock.monotonicMs() + holdMs);
      await clock.advance(20);
    }
    // 400 s at one a second.
    assert.ok(Math.abs(due.size - 400) < 60, `${due.size} times`);
    const mean = holds.reduce((sum, each) => sum + each, 0) / holds.length;
    assert.ok(Math.abs(mean - MEAN_MS) < 150, `mean ${mean}`);
  });

  it('say until when a transaction must not be served, by either id', async () => {
    const clock = createManualClock();
    const announcer = new TxAnnouncer(clock, seededRandom(1), MEAN_MS);
    const { txid, wtxid } = transaction(1);
    const holdMs = announcer.hold({ txid, wtxid });
    assert.ok(holdMs > 1);
    assert.ok(announcer.isWaiting(txid) && announcer.isWaiting(wtxid));
    assert.ok(!announcer.isWaiting(transaction(2).txid), 'what was never held is not waited for');
    await clock.advance(Math.ceil(holdMs));
    assert.ok(!announcer.isWaiting(txid) && !announcer.isWaiting(wtxid));
  });

  it('are 0 when the operator wants it so, and when too many wait', async () => {
    const clock = createManualClock();
    assert.equal(new TxAnnouncer(clock, seededRandom(1), 0).hold(transaction(1)), 0);
    const announcer = new TxAnnouncer(clock, seededRandom(1), MEAN_MS);
    const times = Array.from({ length: 5_000 }, (_, number) => announcer.hold(transaction(number)));
    assert.ok(times.slice(0, 4_096).every((each) => each > 0));
    assert.ok(
      times.slice(4_096).every((each) => each === 0),
      'a flood is not remembered',
    );
    await clock.advance(MAX_GOSSIP_HOLD_MS);
    assert.ok(announcer.hold(transaction(9_999)) > 0);
  });
});

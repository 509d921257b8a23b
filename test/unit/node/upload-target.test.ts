import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UploadTarget } from '../../../src/node/upload-target.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What Core keeps for new blocks at the beginning of a cycle: 144 of 4,000,000 bytes. */
const DAY_OF_BLOCKS = 576_000_000;

describe('upload target', () => {
  it('without a target nothing is refused, and nothing is looked at', () => {
    const clock = createManualClock();
    using target = new UploadTarget(0, clock);
    target.follow(() => assert.fail('nobody needs to know'));
    target.sent(10 ** 15);
    assert.equal(target.servesHistoricalBlocks, true);
    assert.equal(clock.pending(), 0);
    assert.deepEqual(target.status, {
      cycleMs: DAY_MS,
      targetBytes: 0,
      isReached: false,
      servesHistoricalBlocks: true,
      bytesLeftInCycle: 0,
      timeLeftInCycleMs: 0,
    });
  });

  it('keeps a block of full size for every ten minutes that are left', async () => {
    const clock = createManualClock();
    using target = new UploadTarget(DAY_OF_BLOCKS + 1000, clock);
    target.sent(999);
    assert.equal(target.servesHistoricalBlocks, true);
    target.sent(1000);
    assert.equal(target.servesHistoricalBlocks, false, 'what is left is for new blocks');
    assert.equal(target.status.isReached, false);
    await clock.advance(1);
    assert.equal(target.servesHistoricalBlocks, true, 'one of the 144 intervals has begun');
    target.sent(4_001_000);
    assert.equal(target.servesHistoricalBlocks, false);
    target.sent(DAY_OF_BLOCKS + 1000);
    assert.equal(target.status.isReached, true);
    assert.equal(target.status.bytesLeftInCycle, 0);
  });

  it('a target smaller than a day of new blocks leaves old ones for the end of the cycle', async () => {
    const clock = createManualClock();
    using target = new UploadTarget(DAY_OF_BLOCKS / 2, clock);
    assert.equal(target.servesHistoricalBlocks, false);
    target.sent(0);
    await clock.advance(DAY_MS / 2);
    assert.equal(target.servesHistoricalBlocks, false);
    await clock.advance(1);
    assert.equal(target.servesHistoricalBlocks, true);
  });

  it('begins anew a day after the first byte', async () => {
    const clock = createManualClock();
    using target = new UploadTarget(DAY_OF_BLOCKS + 10, clock);
    await clock.advance(HOUR_MS);
    target.sent(500);
    assert.equal(target.status.timeLeftInCycleMs, DAY_MS);
    await clock.advance(DAY_MS);
    assert.equal(target.status.timeLeftInCycleMs, 0);
    target.sent(600);
    assert.equal(target.status.bytesLeftInCycle, DAY_OF_BLOCKS + 10 - 600, 'the border belongs to the old cycle');
    await clock.advance(1);
    target.sent(607);
    assert.equal(target.status.bytesLeftInCycle, DAY_OF_BLOCKS + 3);
    assert.equal(target.status.timeLeftInCycleMs, DAY_MS);
  });

  it('counts what is being served until the network has counted it', () => {
    using target = new UploadTarget(DAY_OF_BLOCKS + 10, createManualClock());
    target.sent(4);
    target.serving(6);
    assert.equal(target.servesHistoricalBlocks, false);
    assert.equal(target.status.bytesLeftInCycle, DAY_OF_BLOCKS);
    target.sent(9);
    assert.equal(target.status.bytesLeftInCycle, DAY_OF_BLOCKS + 1);
  });

  it('looks at the network every ten seconds until it is disposed', async () => {
    const clock = createManualClock();
    const target = new UploadTarget(1_000_000, clock);
    let total = 0;
    target.follow(async () => {
      total += 100;
      return total;
    });
    await clock.advance(10_000);
    assert.equal(target.status.bytesLeftInCycle, 999_900);
    await clock.advance(20_000);
    assert.equal(target.status.bytesLeftInCycle, 999_700);
    target[Symbol.dispose]();
    await clock.advance(60_000);
    assert.equal(total, 300);
    assert.equal(clock.pending(), 0);
  });

  it('survives a network that does not answer', async () => {
    const clock = createManualClock();
    using target = new UploadTarget(1_000_000, clock);
    let asked = 0;
    target.follow(async () => {
      asked++;
      throw new Error('the thread has died');
    });
    await clock.advance(20_000);
    assert.equal(asked, 2);
  });
});

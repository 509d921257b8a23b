import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { JsonFile } from '../../../src/net/json-file.ts';
import { Reputation } from '../../../src/net/reputation.ts';
import { nullLogger } from '../../../src/util/index.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

const HOUR = 3_600_000;
const options = { penaltyHalfLifeMs: 600_000, banMs: 24 * HOUR, sparesLocalHosts: true };

function memoryFile(content: unknown = undefined): JsonFile & { content: unknown } {
  const file = {
    content,
    read: async () => file.content,
    write: async (value: unknown) => {
      file.content = JSON.parse(JSON.stringify(value));
    },
  };
  return file;
}

function openAt(clock: ManualClock, file = memoryFile()): Promise<Reputation> {
  return Reputation.open(clock, nullLogger, file, options);
}

suite('net reputation', () => {
  test('severities: fatal bans, three serious ban, two disconnect, minor ones add up', async () => {
    const reputation = await openAt(createManualClock(1));
    assert.equal(reputation.charge('f', '1.2.3.4', 'invalid-pow', false), 'ban');
    assert.deepEqual(
      [1, 2, 3].map(() => reputation.charge('s', undefined, 'undecodable-message', false)),
      ['noted', 'disconnect', 'ban'],
    );
    const minor = Array.from({ length: 20 }, () => reputation.charge('m', undefined, 'stalled', false));
    assert.equal(minor.indexOf('disconnect'), 11);
    assert.equal(minor.indexOf('ban'), 19);
    assert.equal(reputation.charge('w', undefined, 'wrong-network', false), 'disconnect');
    assert.equal(reputation.points('w'), 0, 'another network is no blame');
  });

  test('points fade by half in their half-life', async () => {
    const clock = createManualClock(1);
    const reputation = await openAt(clock);
    reputation.charge('p', undefined, 'undecodable-message', false);
    await clock.advance(options.penaltyHalfLifeMs);
    assert.equal(reputation.points('p'), 20);
    await clock.advance(100 * options.penaltyHalfLifeMs);
    assert.ok(reputation.points('p') < 1e-20);
  });

  test('a ban covers peer and public host, outlives a restart, and ends', async () => {
    const clock = createManualClock(1_000);
    const file = memoryFile();
    const before = await openAt(clock, file);
    before.charge('p', '2001:db8:1:2::1', 'invalid-block', false);
    await before.close();
    const after = await openAt(clock, file);
    assert.ok(after.isPeerBanned('p'));
    assert.ok(after.isIpBanned('2001:db8:1:2::99'), 'the /64 is one host');
    assert.ok(!after.isIpBanned('2001:db8:1:3::1'));
    assert.ok(!after.isPeerBanned('q'));
    await clock.advance(25 * HOUR);
    assert.ok(!after.isPeerBanned('p'));
    assert.ok(!after.isIpBanned('2001:db8:1:2::1'));
  });

  test('a host collects what its many peer ids do; a local host is never banned', async () => {
    const reputation = await openAt(createManualClock(1));
    for (const peer of ['a', 'b', 'c']) reputation.charge(peer, '1.2.3.4', 'undecodable-message', false);
    assert.ok(reputation.isIpBanned('1.2.3.4'));
    assert.ok(!reputation.isPeerBanned('a'));
    reputation.charge('d', '127.0.0.1', 'invalid-pow', false);
    assert.ok(!reputation.isIpBanned('127.0.0.1'));
  });

  test('who was asked for is disconnected, never banned', async () => {
    const reputation = await openAt(createManualClock(1));
    assert.equal(reputation.charge('m', '1.2.3.4', 'invalid-pow', true), 'disconnect');
    assert.equal(reputation.charge('m', '1.2.3.4', 'stalled', true), 'noted');
    assert.ok(!reputation.isPeerBanned('m'));
    assert.ok(!reputation.isIpBanned('1.2.3.4'));
  });

  test('a file of nonsense bans nobody', async () => {
    const nonsense = [1, null, {}, { subject: 'peer:x', until: 'soon', reason: '' }, { subject: 1, until: 9e15 }];
    const reputation = await openAt(createManualClock(1), memoryFile(nonsense));
    assert.ok(!reputation.isPeerBanned('x'));
    await openAt(createManualClock(1), memoryFile({ a: 1 }));
  });
});

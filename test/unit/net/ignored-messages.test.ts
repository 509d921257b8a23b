import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SEEN_TTL_MS } from '../../../src/net/gossip-settings.ts';
import { IgnoredMessages } from '../../../src/net/ignored-messages.ts';
import { createManualClock } from '../../support/manual-clock.ts';

test('senders of ignored messages are known as long as gossipsub knows the message, and no longer', async () => {
  const clock = createManualClock();
  const ignored = new IgnoredMessages(clock);
  const senders = new Set(['a']);
  ignored.set('first', senders);
  await clock.advance(SEEN_TTL_MS - 1);
  ignored.set('second', new Set(['b']));
  assert.equal(ignored.sendersOf('first'), senders);
  await clock.advance(1);
  ignored.set('third', new Set(['c']));
  assert.equal(ignored.sendersOf('first'), undefined);
  assert.deepEqual(ignored.sendersOf('second'), new Set(['b']));
  assert.equal(ignored.size, 2);
});

test('a flood of ignored messages pushes out the oldest', () => {
  const ignored = new IgnoredMessages(createManualClock());
  for (let i = 0; i < 5_000; i++) ignored.set(`m${i}`, new Set());
  assert.equal(ignored.size, 4_096);
  assert.equal(ignored.sendersOf('m903'), undefined);
  assert.ok(ignored.sendersOf('m904') !== undefined);
});

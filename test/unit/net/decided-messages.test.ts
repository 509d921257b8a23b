import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecidedMessages } from '../../../src/net/decided-messages.ts';
import { SEEN_TTL_MS } from '../../../src/net/gossip-settings.ts';
import { createManualClock } from '../../support/manual-clock.ts';

test('senders of decided messages are known as long as gossipsub knows the message, and no longer', async () => {
  const clock = createManualClock();
  const decided = new DecidedMessages(clock);
  const senders = new Set(['a']);
  decided.set('first', senders);
  await clock.advance(SEEN_TTL_MS - 1);
  decided.set('second', new Set(['b']));
  assert.equal(decided.sendersOf('first'), senders);
  await clock.advance(1);
  decided.set('third', new Set(['c']));
  assert.equal(decided.sendersOf('first'), undefined);
  assert.deepEqual(decided.sendersOf('second'), new Set(['b']));
  assert.equal(decided.size, 2);
});

test('a flood of decided messages pushes out the oldest', () => {
  const decided = new DecidedMessages(createManualClock());
  for (let i = 0; i < 5_000; i++) decided.set(`m${i}`, new Set());
  assert.equal(decided.size, 4_096);
  assert.equal(decided.sendersOf('m903'), undefined);
  assert.ok(decided.sendersOf('m904') !== undefined);
});

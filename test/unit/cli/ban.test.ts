import assert from 'node:assert/strict';
import { test } from 'node:test';
import { banLines } from '../../../src/cli/commands/ban.ts';

test('a ban is a line: whom, since when, how long, why', () => {
  const ban = { address: '192.0.2.0/24', ban_created: 1_700_000_000, time_remaining: 90_000 };
  assert.deepEqual(banLines([ban, { ...ban, time_remaining: 5, ban_reason: 'floods\x1b[2J us' }]), [
    'banned        since (UTC)         still  reason',
    '192.0.2.0/24  2023-11-14 22:13  1 d 1 h',
    '192.0.2.0/24  2023-11-14 22:13      5 s  floods\\u001b[2J us',
    '2 bans',
  ]);
  assert.deepEqual(banLines([]), ['0 bans']);
});

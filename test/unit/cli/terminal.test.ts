import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTerminal } from '../../../src/cli/terminal.ts';
import type { Clock } from '../../../src/util/index.ts';

function setUp(isTTY: boolean) {
  let now = 0;
  const written: string[] = [];
  const clock: Clock = { now: () => now, monotonicMs: () => now, after: () => ({ cancel: () => {} }) };
  const stream = { isTTY, columns: 10, rows: 5, write: (text: string) => written.push(text) };
  const terminal = createTerminal(stream, clock, { plainIntervalMs: 5000 });
  const wait = (ms: number): void => {
    now += ms;
  };
  return { terminal, wait, take: () => written.splice(0).join('') };
}

test('on a terminal live lines are redrawn in place, cut to its size', () => {
  const { terminal, take, wait } = setUp(true);
  terminal.live(['one', 'a line that is too long']);
  assert.equal(take(), 'one\na line th…\n');
  terminal.live(['soon']);
  assert.equal(take(), '', 'not more than ten times a second');
  wait(100);
  terminal.live(['1', '2', '3', '4', '5', '6']);
  assert.equal(take(), '\r\x1b[2A\x1b[0J1\n2\n3\n4\n');
  terminal.print('log');
  assert.equal(take(), '\r\x1b[4A\x1b[0Jlog\n1\n2\n3\n4\n');
});

test('what was not drawn yet is drawn before it settles', () => {
  const { terminal, take } = setUp(true);
  terminal.live(['50%']);
  terminal.live(['100%']);
  terminal.settle();
  terminal.print('done');
  assert.equal(take(), '50%\n\r\x1b[1A\x1b[0J100%\ndone\n');
});

test('elsewhere live lines come now and then, without escapes', () => {
  const { terminal, take, wait } = setUp(false);
  terminal.live(['too early']);
  wait(5000);
  terminal.live(['a is longer than ten']);
  terminal.live(['b']);
  wait(5000);
  terminal.live(['c']);
  terminal.print('log');
  assert.equal(take(), 'a is longer than ten\nc\nlog\n');
});

/** The small steps that opcode handlers share. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptFlag } from '#script';
import { bool, createExecution, drop, peek, peekNumber, plain, verifyTop } from '../../../src/script/execution.ts';
import { checkerThat } from './machine.ts';

const items = (...values: number[]): Uint8Array[] => values.map((value) => Uint8Array.of(value));

const execution = (stack: Uint8Array[], flags = 0) =>
  createExecution(stack, new Uint8Array(0), flags, checkerThat({}), 0, undefined);

test('depths count from the top, from one; what is not there is a bug of the caller', () => {
  assert.deepEqual(peek(items(1, 2, 3), 1), Uint8Array.of(3));
  assert.deepEqual(peek(items(1, 2, 3), 3), Uint8Array.of(1));
  for (const depth of [0, 4]) assert.throws(() => peek(items(1, 2, 3), depth), /the stack size was checked/);
  const stack = items(1, 2, 3);
  drop(stack, 2);
  assert.deepEqual(stack, items(1));
});

test('numbers of the stack are read with the rules of the flags and four bytes unless said otherwise', () => {
  const padded = [Uint8Array.of(5, 0), ...items(9)];
  assert.equal(peekNumber(execution(padded), 2), 5);
  assert.equal(peekNumber(execution(padded, ScriptFlag.MINIMALDATA), 2), undefined);
  assert.equal(peekNumber(execution(padded, ~ScriptFlag.MINIMALDATA), 2), 5);
  const long = [Uint8Array.of(0, 0, 0, 0, 1)];
  assert.equal(peekNumber(execution(long), 1), undefined);
  assert.equal(peekNumber(execution(long), 1, 5), 2 ** 32);
});

test('true is 01 and false is empty', () => {
  assert.deepEqual([bool(true), bool(false)], [Uint8Array.of(1), new Uint8Array(0)]);
});

test('a plain handler runs once enough is there', () => {
  const handler = plain(2, (stack) => stack.pop());
  assert.equal(handler(execution(items(1)), 0), 'INVALID_STACK_OPERATION');
  const stack = items(1, 2);
  assert.equal(handler(execution(stack), 0), undefined);
  assert.deepEqual(stack, items(1));
});

test('VERIFY takes what is true and leaves what is false', () => {
  const stack = items(7, 1);
  assert.equal(verifyTop(execution(stack), 'VERIFY'), undefined);
  assert.deepEqual(stack, items(7));
  const zero = items(7, 0);
  assert.equal(verifyTop(execution(zero), 'EQUALVERIFY'), 'EQUALVERIFY');
  assert.equal(zero.length, 2);
});

test('a script starts at its beginning, outside of any condition', () => {
  const { instruction, opCount, conditionDepth, firstFalse, codeStart, altStack } = execution([]);
  assert.deepEqual([instruction, opCount, conditionDepth, firstFalse, codeStart, altStack.length], [0, 0, 0, -1, 0, 0]);
});

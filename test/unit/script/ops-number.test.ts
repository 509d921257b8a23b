/** Arithmetic opcodes: what each gives, and what each refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from './machine.ts';

/** Each line: a script and what it leaves. */
function check(lines: string): void {
  for (const line of lines.trim().split('\n')) {
    const [script = '', result = ''] = line.split('->').map((part) => part.trim());
    assert.equal(run(script), result, script);
  }
}

test('of one number', () => {
  check(`
    5 1ADD -> 06
    -1 1ADD -> .
    5 1SUB -> 04
    0 1SUB -> 81
    5 NEGATE -> 85
    -5 NEGATE -> 05
    0 NEGATE -> .
    5 ABS -> 05
    -5 ABS -> 05
    0 NOT -> 01
    1 NOT -> .
    2 NOT -> .
    -1 NOT -> .
    0 0NOTEQUAL -> .
    1 0NOTEQUAL -> 01
    7 0NOTEQUAL -> 01
    -1 0NOTEQUAL -> 01
    2147483647 1ADD -> 0000008000
  `);
});

test('of two numbers', () => {
  check(`
    5 3 ADD -> 08
    5 -7 ADD -> 82
    5 3 SUB -> 02
    3 5 SUB -> 82
    0 0 BOOLAND -> .
    2 0 BOOLAND -> .
    0 2 BOOLAND -> .
    2 3 BOOLAND -> 01
    -1 1 BOOLAND -> 01
    0 0 BOOLOR -> .
    2 0 BOOLOR -> 01
    0 2 BOOLOR -> 01
    1 -1 BOOLOR -> 01
    4 4 NUMEQUAL -> 01
    4 5 NUMEQUAL -> .
    4 4 NUMNOTEQUAL -> .
    4 5 NUMNOTEQUAL -> 01
    9 4 4 NUMEQUALVERIFY -> 09
    9 4 5 NUMEQUALVERIFY -> NUMEQUALVERIFY
    5 3 MIN -> 03
    3 5 MIN -> 03
    5 3 MAX -> 05
    3 5 MAX -> 05
    -5 3 MIN -> 85
  `);
});

test('comparisons', () => {
  check(`
    3 5 LESSTHAN -> 01
    4 4 LESSTHAN -> .
    5 3 LESSTHAN -> .
    3 5 GREATERTHAN -> .
    4 4 GREATERTHAN -> .
    5 3 GREATERTHAN -> 01
    3 5 LESSTHANOREQUAL -> 01
    4 4 LESSTHANOREQUAL -> 01
    5 3 LESSTHANOREQUAL -> .
    3 5 GREATERTHANOREQUAL -> .
    4 4 GREATERTHANOREQUAL -> 01
    5 3 GREATERTHANOREQUAL -> 01
    2 3 5 WITHIN -> .
    3 3 5 WITHIN -> 01
    4 3 5 WITHIN -> 01
    5 3 5 WITHIN -> .
    9 4 3 5 WITHIN -> 09 01
  `);
});

const ONE = ['1ADD', '1SUB', 'NEGATE', 'ABS', 'NOT', '0NOTEQUAL'];
const TWO = `ADD SUB BOOLAND BOOLOR NUMEQUAL NUMEQUALVERIFY NUMNOTEQUAL LESSTHAN GREATERTHAN LESSTHANOREQUAL
  GREATERTHANOREQUAL MIN MAX`.split(/\s+/);

test('too few elements', () => {
  for (const op of ONE) assert.equal(run(op), 'INVALID_STACK_OPERATION', op);
  for (const op of TWO) {
    assert.equal(run(op), 'INVALID_STACK_OPERATION', op);
    assert.equal(run(`1 ${op}`), 'INVALID_STACK_OPERATION', op);
  }
  for (const script of ['WITHIN', '1 WITHIN', '1 1 WITHIN'])
    assert.equal(run(script), 'INVALID_STACK_OPERATION', script);
});

test('an operand of five bytes is no number, in any place; a result of five bytes is not read again', () => {
  const long = '0x05 0x0000000001';
  for (const op of ONE) assert.equal(run(`${long} ${op}`), 'UNKNOWN_ERROR', op);
  for (const op of [...TWO, 'WITHIN']) {
    assert.equal(run(`1 1 ${long} ${op}`), 'UNKNOWN_ERROR', op);
    assert.equal(run(`1 ${long} 1 ${op}`), 'UNKNOWN_ERROR', op);
  }
  assert.equal(run(`${long} 1 1 WITHIN`), 'UNKNOWN_ERROR');
  assert.equal(run('2147483647 1ADD 1SUB'), 'UNKNOWN_ERROR');
  assert.equal(run('2147483647 DUP ADD'), 'feffffff00');
});

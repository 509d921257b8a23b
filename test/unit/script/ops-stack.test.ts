/** Opcodes that move elements: what each leaves, and that each wants its elements. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptFlag } from '#script';
import { run } from './machine.ts';

/** Each opcode with how many elements it wants, and what is left of the elements 01 .. 06 (top last). */
const MOVES: readonly (readonly [op: string, wants: number, left: string])[] = [
  ['2DROP', 2, '01 02 03 04'],
  ['2DUP', 2, '01 02 03 04 05 06 05 06'],
  ['3DUP', 3, '01 02 03 04 05 06 04 05 06'],
  ['2OVER', 4, '01 02 03 04 05 06 03 04'],
  ['2ROT', 6, '03 04 05 06 01 02'],
  ['2SWAP', 4, '01 02 05 06 03 04'],
  ['IFDUP', 1, '01 02 03 04 05 06 06'],
  ['DEPTH', 0, '01 02 03 04 05 06 06'],
  ['DROP', 1, '01 02 03 04 05'],
  ['DUP', 1, '01 02 03 04 05 06 06'],
  ['NIP', 2, '01 02 03 04 06'],
  ['OVER', 2, '01 02 03 04 05 06 05'],
  ['ROT', 3, '01 02 03 05 06 04'],
  ['SWAP', 2, '01 02 03 04 06 05'],
  ['TUCK', 2, '01 02 03 04 06 05 06'],
  ['SIZE', 1, '01 02 03 04 05 06 01'],
  ['EQUAL', 2, '01 02 03 04 .'],
  ['TOALTSTACK', 1, '01 02 03 04 05'],
];

const elements = (count: number): string => Array.from({ length: count }, (_, i) => i + 1).join(' ');

test('every move of elements', () => {
  for (const [op, wants, left] of MOVES) {
    assert.equal(run(`${elements(6)} ${op}`), left, op);
    if (op !== 'DEPTH') assert.equal(run(`0 ${elements(6)} ${op}`), `. ${left}`, `${op} with one more below`);
    for (let count = 0; count < wants; count++) {
      assert.equal(run(`${elements(count)} ${op}`), 'INVALID_STACK_OPERATION', `${op} with ${count}`);
    }
    assert.doesNotMatch(run(`${elements(wants)} ${op}`), /[A-Z]/, `${op} with ${wants}`);
  }
});

test('2ROT takes the fifth and sixth from the top, of seven too', () => {
  assert.equal(run('0 1 2 3 4 5 6 2ROT'), '. 03 04 05 06 01 02');
  assert.equal(run('0 1 2 3 4 2SWAP'), '. 03 04 01 02');
});

test('IFDUP repeats what is true', () => {
  assert.equal(run('0 IFDUP'), '.');
  assert.equal(run('0x01 0x80 IFDUP'), '80');
  assert.equal(run('0x02 0x8000 IFDUP'), '8000 8000');
});

test('PICK and ROLL count from the top, without the number itself', () => {
  assert.equal(run('1 2 3 0 PICK'), '01 02 03 03');
  assert.equal(run('1 2 3 2 PICK'), '01 02 03 01');
  assert.equal(run('1 2 3 0 ROLL'), '01 02 03');
  assert.equal(run('1 2 3 1 ROLL'), '01 03 02');
  assert.equal(run('1 2 3 2 ROLL'), '02 03 01');
  for (const op of ['PICK', 'ROLL']) {
    assert.equal(run(`1 2 3 3 ${op}`), 'INVALID_STACK_OPERATION');
    assert.equal(run(`1 2 3 -1 ${op}`), 'INVALID_STACK_OPERATION');
    assert.equal(run(`0 ${op}`), 'INVALID_STACK_OPERATION');
    assert.equal(run(op), 'INVALID_STACK_OPERATION');
    assert.equal(run(`0x05 0x0000000000 ${op}`), 'INVALID_STACK_OPERATION', 'before the number is read');
    assert.equal(run(`1 1 0x05 0x0000000000 ${op}`), 'UNKNOWN_ERROR');
    assert.equal(run(`1 0 ${op}`), op === 'PICK' ? '01 01' : '01');
  }
});

test('the other stack', () => {
  assert.equal(run('1 2 TOALTSTACK 3 FROMALTSTACK'), '01 03 02');
  assert.equal(run('1 TOALTSTACK 2 TOALTSTACK FROMALTSTACK FROMALTSTACK'), '02 01');
  assert.equal(run('1 FROMALTSTACK'), 'INVALID_ALTSTACK_OPERATION');
  assert.equal(run('TOALTSTACK'), 'INVALID_STACK_OPERATION');
});

test('equality is of bytes', () => {
  assert.equal(run('1 1 EQUAL'), '01');
  assert.equal(run('0 0x01 0x00 EQUAL'), '.');
  assert.equal(run('9 1 1 EQUALVERIFY'), '09');
  assert.equal(run('9 1 2 EQUALVERIFY'), 'EQUALVERIFY');
  assert.equal(run('1 EQUALVERIFY'), 'INVALID_STACK_OPERATION');
});

test('constants, with and without the shortest form asked for', () => {
  for (const flags of [ScriptFlag.NONE, ScriptFlag.MINIMALDATA]) {
    for (let value = 1; value <= 16; value++) {
      assert.equal(run(Uint8Array.of(0x50 + value), { flags }), value.toString(16).padStart(2, '0'));
    }
    assert.equal(run(Uint8Array.of(0x4f), { flags }), '81');
    assert.equal(run(Uint8Array.of(0x50), { flags }), 'BAD_OPCODE');
    assert.equal(run(Uint8Array.of(0), { flags }), '.');
  }
});

test('hashes of the empty string', () => {
  const digests: Readonly<Record<string, string>> = {
    RIPEMD160: '9c1185a5c5e9fc54612808977ee8f548b2258d31',
    SHA1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    SHA256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    HASH160: 'b472a266d0bd89c13706a4132ccfb16f7c3b9fcb',
    HASH256: '5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456',
  };
  for (const [op, digest] of Object.entries(digests)) {
    assert.equal(run(`9 0 ${op}`), `09 ${digest}`);
    assert.equal(run(`0 ${op}`), digest);
    assert.equal(run(op), 'INVALID_STACK_OPERATION', op);
  }
});

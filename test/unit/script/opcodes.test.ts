/** The opcode table against Core's opcodetype, where each opcode is one more than the one before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits, Op } from '#script';
import { opcodeName } from '../../../src/script/opcodes.ts';
import { isOpSuccess } from '../../../src/script/taproot.ts';

const FROM_PUSHDATA1 = `PUSHDATA1 PUSHDATA2 PUSHDATA4 1NEGATE RESERVED 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
  NOP VER IF NOTIF VERIF VERNOTIF ELSE ENDIF VERIFY RETURN
  TOALTSTACK FROMALTSTACK 2DROP 2DUP 3DUP 2OVER 2ROT 2SWAP IFDUP DEPTH DROP DUP NIP OVER PICK ROLL ROT SWAP TUCK
  CAT SUBSTR LEFT RIGHT SIZE INVERT AND OR XOR EQUAL EQUALVERIFY RESERVED1 RESERVED2
  1ADD 1SUB 2MUL 2DIV NEGATE ABS NOT 0NOTEQUAL ADD SUB MUL DIV MOD LSHIFT RSHIFT
  BOOLAND BOOLOR NUMEQUAL NUMEQUALVERIFY NUMNOTEQUAL LESSTHAN GREATERTHAN LESSTHANOREQUAL GREATERTHANOREQUAL
  MIN MAX WITHIN RIPEMD160 SHA1 SHA256 HASH160 HASH256 CODESEPARATOR
  CHECKSIG CHECKSIGVERIFY CHECKMULTISIG CHECKMULTISIGVERIFY
  NOP1 CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY NOP4 NOP5 NOP6 NOP7 NOP8 NOP9 NOP10 CHECKSIGADD`;

test('every opcode has Core’s number', () => {
  const names = FROM_PUSHDATA1.split(/\s+/).map((name) => `OP_${name}`);
  const expected = new Map([
    ['OP_0', 0],
    ...names.map((name, at) => [name, 0x4c + at] as const),
    ['OP_INVALIDOPCODE', 0xff],
  ]);
  assert.deepEqual(new Map(Object.entries(Op)), expected);
  for (const [name, code] of expected) assert.equal(opcodeName(code), name);
  assert.equal(opcodeName(0x01), 'OP_UNKNOWN');
  assert.equal(opcodeName(0xbb), 'OP_UNKNOWN');
});

test('limits', () => {
  assert.equal(limits.MAX_SCRIPT_ELEMENT_SIZE, 520);
  assert.equal(limits.MAX_OPS_PER_SCRIPT, 201);
  assert.equal(limits.MAX_PUBKEYS_PER_MULTISIG, 20);
  assert.equal(limits.MAX_SCRIPT_SIZE, 10_000);
  assert.equal(limits.MAX_STACK_SIZE, 1000);
});

test('BIP342’s list of opcodes that make a tapscript succeed', () => {
  const ranges = '80 98 126-129 131-134 137-138 141-142 149-153 187-254'
    .split(' ')
    .map((range) => range.split('-').map(Number));
  const listed = (opcode: number): boolean =>
    ranges.some(([first = 0, last = first]) => opcode >= first && opcode <= last);
  for (let opcode = 0; opcode < 256; opcode++) assert.equal(isOpSuccess(opcode), listed(opcode), String(opcode));
});

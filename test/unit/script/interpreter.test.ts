/** The loop around the opcodes: limits, disabled and unknown opcodes, minimal pushes, where scripts end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushData, ScriptFlag } from '#script';
import { concatBytes } from '#util';
import { SigVersion } from '../../../src/script/sig-version.ts';
import { run, type Setup, tapscript } from './machine.ts';

const TAPSCRIPT: Setup = { version: SigVersion.TAPSCRIPT, taproot: tapscript(0) };
const bytes = (length: number, value = 0x61): Uint8Array => new Uint8Array(length).fill(value);

test('10,000 bytes of script at most, but for tapscript', () => {
  const script = (length: number): Uint8Array =>
    concatBytes(...Array.from({ length: length - 1 }, () => bytes(1, 0)), bytes(1, 0x6a));
  for (const version of [SigVersion.BASE, SigVersion.WITNESS_V0] as const) {
    assert.equal(run(script(10_000), { version }), 'STACK_SIZE');
    assert.equal(run(script(10_001), { version }), 'SCRIPT_SIZE');
  }
  assert.equal(run(script(10_001), TAPSCRIPT), 'STACK_SIZE');
});

test('520 bytes in a push, also in one that is not executed', () => {
  const fits = pushData(bytes(520));
  const large = pushData(bytes(521));
  assert.equal(run(concatBytes(fits, Uint8Array.of(0x75, 0x51))), '01');
  for (const setup of [{}, TAPSCRIPT]) {
    assert.equal(run(large, setup), 'PUSH_SIZE');
    assert.equal(run(concatBytes(Uint8Array.of(0, 0x63), large, Uint8Array.of(0x68)), setup), 'PUSH_SIZE');
  }
});

test('201 operations, counted where they are not executed too, but not in tapscript', () => {
  const nops = (count: number): Uint8Array => bytes(count);
  for (const version of [SigVersion.BASE, SigVersion.WITNESS_V0] as const) {
    assert.equal(run(nops(201), { version }), '');
    assert.equal(run(nops(202), { version }), 'OP_COUNT');
  }
  assert.equal(run(nops(202), TAPSCRIPT), '');
  const skipped = (count: number): Uint8Array => concatBytes(Uint8Array.of(0, 0x63), nops(count), Uint8Array.of(0x68));
  assert.equal(run(skipped(199)), '');
  assert.equal(run(skipped(200)), 'OP_COUNT');
  // Pushes and numbers are no operations.
  assert.equal(run(concatBytes(nops(201), bytes(100, 0x60), bytes(100, 0x50 - 1))).split(' ').length, 200);
});

test('1000 elements on both stacks together', () => {
  assert.equal(run(bytes(1000, 0x51)).split(' ').length, 1000);
  assert.equal(run(bytes(1001, 0x51)), 'STACK_SIZE');
  const moved = concatBytes(bytes(101, 0x51), bytes(100, 0x6b), bytes(899, 0));
  assert.equal(run(moved).split(' ').length, 900);
  assert.equal(run(concatBytes(moved, bytes(1, 0))), 'STACK_SIZE');
});

const DISABLED = [0x7e, 0x7f, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0x8d, 0x8e, 0x95, 0x96, 0x97, 0x98, 0x99];

test('what each opcode does without anything to work on', () => {
  const everywhere = (opcode: number): string => run(Uint8Array.of(0, 0x63, opcode, 0x68));
  for (let opcode = 0x61; opcode <= 0xff; opcode++) {
    const executed = run(concatBytes(bytes(6, 0x51), Uint8Array.of(opcode)));
    const known = opcode <= 0xb9 && ![0x62, 0x65, 0x66, 0x89, 0x8a].includes(opcode);
    if (DISABLED.includes(opcode)) {
      assert.equal(executed, 'DISABLED_OPCODE', opcode.toString(16));
      assert.equal(everywhere(opcode), 'DISABLED_OPCODE', opcode.toString(16));
    } else {
      assert.equal(executed === 'BAD_OPCODE', !known, opcode.toString(16));
      // VERIF and VERNOTIF fail even where nothing runs.
      const bad = opcode === 0x65 || opcode === 0x66;
      assert.equal(everywhere(opcode) === 'BAD_OPCODE', bad, opcode.toString(16));
    }
  }
  assert.equal(everywhere(0x50), '', 'RESERVED may stand where nothing runs');
});

test('a push that runs over the end', () => {
  for (const hex of ['02aa', '4c', '4d01', '4e010000', '514c02aa']) {
    assert.equal(run(Buffer.from(hex, 'hex')), 'BAD_OPCODE', hex);
  }
});

test('OP_CODESEPARATOR is refused in base scripts when asked for, also where nothing runs', () => {
  const flags = ScriptFlag.CONST_SCRIPTCODE;
  assert.equal(run('CODESEPARATOR'), '');
  assert.equal(run('CODESEPARATOR', { flags }), 'OP_CODESEPARATOR');
  assert.equal(run('0 IF CODESEPARATOR ENDIF', { flags }), 'OP_CODESEPARATOR');
  assert.equal(run('CODESEPARATOR', { flags, version: SigVersion.WITNESS_V0 }), '');
  assert.equal(run('1', { flags }), '01');
});

test('the shortest push, when asked for and executed', () => {
  const flags = ScriptFlag.MINIMALDATA;
  const isMinimal = (script: Uint8Array): boolean => {
    assert.doesNotMatch(run(script), /[A-Z]/);
    const skipped = concatBytes(Uint8Array.of(0, 0x63), script, Uint8Array.of(0x68));
    assert.equal(run(skipped, { flags }), '');
    const result = run(script, { flags });
    assert.equal(result === 'MINIMALDATA', /[A-Z]/.test(result));
    return result !== 'MINIMALDATA';
  };
  const pushed = (opcode: number, lengthBytes: number, length: number, fill = 0x61): Uint8Array => {
    const header = Buffer.alloc(1 + lengthBytes);
    header[0] = opcode;
    if (lengthBytes > 0) header.writeUIntLE(length, 1, lengthBytes);
    return concatBytes(header, bytes(length, fill));
  };
  assert.equal(isMinimal(Uint8Array.of(0)), true);
  for (const opcode of [0x4c, 0x4d, 0x4e]) assert.equal(isMinimal(pushed(opcode, 2 ** (opcode - 0x4c), 0)), false);
  for (let value = 0; value < 256; value++) {
    const hasOpcode = (value >= 1 && value <= 16) || value === 0x81;
    assert.equal(isMinimal(Uint8Array.of(1, value)), !hasOpcode, String(value));
  }
  for (const [length, shortest] of [
    [1, 0],
    [2, 0],
    [75, 0],
    [76, 1],
    [255, 1],
    [256, 2],
    [520, 2],
  ] as const) {
    if (length <= 75) assert.equal(isMinimal(pushed(length, 0, length)), shortest === 0, `${length} directly`);
    if (length <= 255) assert.equal(isMinimal(pushed(0x4c, 1, length)), shortest === 1, `${length} by PUSHDATA1`);
    assert.equal(isMinimal(pushed(0x4d, 2, length)), shortest === 2, `${length} by PUSHDATA2`);
    assert.equal(isMinimal(pushed(0x4e, 4, length)), false, `${length} by PUSHDATA4`);
  }
  // Two bytes have no opcode of their own, whatever the first is.
  assert.equal(isMinimal(Uint8Array.of(2, 1, 0)), true);
  assert.equal(isMinimal(Uint8Array.of(2, 0x81, 0)), true);
});

test('pushes that are not executed push nothing', () => {
  assert.equal(run('0 IF 0x02 0xaabb 0x4c 0x01 0xcc 5 ENDIF 0x01 0xdd'), 'dd');
});

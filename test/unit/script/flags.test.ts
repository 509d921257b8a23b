/** Flags and hash types are numbers that vectors, exceptions and other programs know. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptFlag } from '#script';
import { NO_CODE_SEPARATOR, SigVersion } from '../../../src/script/sig-version.ts';
import * as types from '../../../src/script/sighash-type.ts';

const BY_BIT = `P2SH STRICTENC DERSIG LOW_S NULLDUMMY SIGPUSHONLY MINIMALDATA DISCOURAGE_UPGRADABLE_NOPS CLEANSTACK
  CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY WITNESS DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM MINIMALIF NULLFAIL
  WITNESS_PUBKEYTYPE CONST_SCRIPTCODE TAPROOT DISCOURAGE_UPGRADABLE_TAPROOT_VERSION DISCOURAGE_OP_SUCCESS
  DISCOURAGE_UPGRADABLE_PUBKEYTYPE`;

test('each flag has Core’s bit', () => {
  const expected = [['NONE', 0], ...BY_BIT.split(/\s+/).map((name, bit) => [name, 2 ** bit])];
  assert.deepEqual(Object.entries(ScriptFlag), expected);
});

test('signature versions are Core’s, and no OP_CODESEPARATOR is 2^32-1', () => {
  assert.deepEqual(Object.entries(SigVersion), [
    ['BASE', 0],
    ['WITNESS_V0', 1],
    ['TAPROOT', 2],
    ['TAPSCRIPT', 3],
  ]);
  assert.equal(NO_CODE_SEPARATOR, 2 ** 32 - 1);
});

test('hash types; unknown bits do not change what of the outputs is covered', () => {
  const { baseType, sighashTypeName: _name, ...values } = types;
  assert.deepEqual(
    { ...values },
    { SIGHASH_DEFAULT: 0, SIGHASH_ALL: 1, SIGHASH_NONE: 2, SIGHASH_SINGLE: 3, SIGHASH_ANYONECANPAY: 0x80 },
  );
  assert.deepEqual([0x00, 0x1f, 0x20, 0x62, 0x83, -1].map(baseType), [0, 0x1f, 0, 2, 3, 0x1f]);
});

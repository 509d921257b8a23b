/** Conditions, VERIFY, RETURN, lock times and NOPs, each with what it refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptFlag } from '#script';
import { SigVersion } from '../../../src/script/sig-version.ts';
import { run, tapscript } from './machine.ts';

test('one branch runs', () => {
  assert.equal(run('1 IF 2 ELSE 3 ENDIF'), '02');
  assert.equal(run('0 IF 2 ELSE 3 ENDIF'), '03');
  assert.equal(run('1 NOTIF 2 ELSE 3 ENDIF'), '03');
  assert.equal(run('0 NOTIF 2 ELSE 3 ENDIF'), '02');
  assert.equal(run('9 0 IF 2 ENDIF'), '09');
  assert.equal(run('1 IF 2 ELSE 3 ELSE 4 ENDIF 5'), '02 04 05', 'each ELSE turns it over');
  assert.equal(run('0 IF 2 ELSE 3 ELSE 4 ENDIF 5'), '03 05');
});

test('conditions inside conditions', () => {
  for (const [outer, inner, left] of [
    [0, 0, '06'],
    [0, 1, '06'],
    [1, 0, '03 05'],
    [1, 1, '02 05'],
  ] as const) {
    assert.equal(run(`${inner} ${outer} IF IF 2 ELSE 3 ENDIF 5 ELSE DROP 6 ENDIF`), left, `${outer} ${inner}`);
  }
  // In a branch that does not run, an IF takes nothing and an ELSE of its own turns nothing over.
  assert.equal(run('0 IF IF 2 ELSE 3 ENDIF ELSE 4 ENDIF'), '04');
  assert.equal(run('0 IF NOTIF 2 ELSE 3 ENDIF 5 ENDIF'), '');
  assert.equal(run('0 IF 1 IF ELSE ENDIF 7 ENDIF 8'), '08');
  assert.equal(run('1 IF 0 IF 2 ELSE 3 ENDIF 4 ELSE 5 ENDIF'), '03 04');
  assert.equal(run('1 IF 0 IF 2 ENDIF 4 ELSE 5 ENDIF'), '04');
  assert.equal(run('1 IF 1 IF 0 IF 2 ENDIF 3 ENDIF 4 ENDIF 5'), '03 04 05');
});

test('conditions that do not match', () => {
  const unbalanced = [
    'IF',
    'NOTIF',
    'ELSE',
    'ENDIF',
    '1 IF',
    '0 IF',
    '1 IF ENDIF ENDIF',
    '1 IF ENDIF ELSE',
    '0 IF 1 IF ENDIF',
    'ENDIF 1 IF',
    'ELSE 1 IF ENDIF',
  ];
  for (const script of unbalanced) assert.equal(run(script), 'UNBALANCED_CONDITIONAL', script);
});

test('what an IF takes: anything in base scripts, minimal by policy in segwit and by consensus in tapscript', () => {
  const minimalIf = ScriptFlag.MINIMALIF;
  for (const [condition, minimal, left] of [
    ['0', true, '03'],
    ['1', true, '02'],
    ['2', false, '02'],
    ['0x01 0x00', false, '03'],
    ['0x02 0x0100', false, '02'],
    ['0x01 0x81', false, '02'],
  ] as const) {
    const script = `${condition} IF 2 ELSE 3 ENDIF`;
    assert.equal(run(script), left);
    assert.equal(run(script, { flags: minimalIf }), left, 'not before segwit');
    assert.equal(run(script, { version: SigVersion.WITNESS_V0 }), left, 'only with the flag');
    const segwit = run(script, { version: SigVersion.WITNESS_V0, flags: minimalIf });
    assert.equal(segwit, minimal ? left : 'MINIMALIF', condition);
    const tap = run(script, { version: SigVersion.TAPSCRIPT, taproot: tapscript(0) });
    assert.equal(tap, minimal ? left : 'TAPSCRIPT_MINIMALIF', condition);
  }
});

test('VERIFY takes one true element; RETURN ends; NOP does nothing', () => {
  assert.equal(run('9 1 VERIFY'), '09');
  assert.equal(run('1 VERIFY'), '');
  assert.equal(run('9 0 VERIFY'), 'VERIFY');
  assert.equal(run('VERIFY'), 'INVALID_STACK_OPERATION');
  assert.equal(run('1 RETURN'), 'OP_RETURN');
  assert.equal(run('0 IF RETURN ENDIF'), '');
  assert.equal(run('1 NOP', { flags: ScriptFlag.DISCOURAGE_UPGRADABLE_NOPS }), '01');
});

test('NOPs for upgrades are discouraged when asked for, where they run', () => {
  const flags = ScriptFlag.DISCOURAGE_UPGRADABLE_NOPS;
  for (const op of ['NOP1', 'NOP4', 'NOP5', 'NOP6', 'NOP7', 'NOP8', 'NOP9', 'NOP10']) {
    assert.equal(run(`1 ${op}`), '01', op);
    assert.equal(run(`1 ${op}`, { flags }), 'DISCOURAGE_UPGRADABLE_NOPS', op);
    assert.equal(run(`0 IF ${op} ENDIF`, { flags }), '', op);
  }
});

for (const { op, flag, answer } of [
  { op: 'CHECKLOCKTIMEVERIFY', flag: ScriptFlag.CHECKLOCKTIMEVERIFY, answer: 'checkLockTime' },
  { op: 'CHECKSEQUENCEVERIFY', flag: ScriptFlag.CHECKSEQUENCEVERIFY, answer: 'checkSequence' },
] as const) {
  test(`${op} asks the transaction, and is a NOP without its flag`, () => {
    const asked: number[] = [];
    const locks = (script: string, flags: number = flag): string =>
      run(`${script} ${op}`, { flags, checker: { [answer]: (value: number) => asked.push(value) > 0 && value < 100 } });
    assert.equal(locks('99'), '63', 'the operand stays');
    assert.equal(locks('100'), 'UNSATISFIED_LOCKTIME');
    assert.equal(locks('0'), '.');
    assert.equal(locks('-1'), 'NEGATIVE_LOCKTIME');
    assert.equal(locks(''), 'INVALID_STACK_OPERATION');
    assert.equal(locks('0x05 0xffffff7f00'), 'UNSATISFIED_LOCKTIME', 'five bytes');
    assert.equal(locks('0x06 0x000000000000'), 'UNKNOWN_ERROR', 'six bytes');
    assert.equal(locks('0x05 0x0000000000', flag | ScriptFlag.MINIMALDATA), 'UNKNOWN_ERROR');
    assert.deepEqual(asked.slice(0, 3), [99, 100, 0]);
    const noFlag = ScriptFlag.DISCOURAGE_UPGRADABLE_NOPS | (flag ^ 0x600);
    assert.equal(locks('', noFlag), '');
    assert.equal(locks('-1', noFlag), '81');
  });
}

test('BIP112: bit 31 of the operand switches the check off, other bits do not', () => {
  const asks = (script: string): boolean => {
    let asked = false;
    const checkSequence = (): boolean => {
      asked = true;
      return true;
    };
    assert.doesNotMatch(
      run(`${script} CHECKSEQUENCEVERIFY`, { flags: ScriptFlag.CHECKSEQUENCEVERIFY, checker: { checkSequence } }),
      /[A-Z]/,
    );
    return asked;
  };
  assert.equal(asks('2147483647'), true);
  assert.equal(asks('2147483648'), false);
  assert.equal(asks('4294967295'), false);
  assert.equal(asks('4294967296'), true);
  assert.equal(asks('6442450943'), true);
  assert.equal(asks('6442450944'), false);
});

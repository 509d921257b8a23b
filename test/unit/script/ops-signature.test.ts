/** Signature opcodes: what is asked of the checker, in which order, and what its answers lead to. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pushData, ScriptFlag } from '#script';
import { concatBytes, fromHex, toHex } from '#util';
import { SigVersion } from '../../../src/script/sig-version.ts';
import { assemble } from '../../support/core-vectors.ts';
import { run, tapscript } from './machine.ts';

type Asked = { readonly signature: string; readonly key: string; readonly code: string; readonly version: number };

/** A checker for which a signature aaNN fits the key bbNN, and what it was asked. */
function fits(): {
  readonly asked: Asked[];
  readonly checker: { checkEcdsa: (s: Uint8Array, k: Uint8Array, c: Uint8Array, v: number) => boolean };
} {
  const asked: Asked[] = [];
  return {
    asked,
    checker: {
      checkEcdsa: (signature, key, code, version) => {
        asked.push({ signature: toHex(signature), key: toHex(key), code: toHex(code), version });
        return signature[0] === 0xaa && signature[1] === key[1];
      },
    },
  };
}

const check = (script: string, flags: number = ScriptFlag.NONE, version: 0 | 1 = SigVersion.BASE): string =>
  run(script, { flags, version, checker: fits().checker });

const SIG1 = '0x02 0xaa01';
const SIG2 = '0x02 0xaa02';
const SIG3 = '0x02 0xaa03';
const KEY1 = '0x02 0xbb01';
const KEY2 = '0x02 0xbb02';
const KEY3 = '0x02 0xbb03';

describe('CHECKSIG', () => {
  test('a right, a wrong, an empty signature', () => {
    assert.equal(check(`9 ${SIG1} ${KEY1} CHECKSIG`), '09 01');
    assert.equal(check(`9 ${SIG1} ${KEY2} CHECKSIG`), '09 .');
    assert.equal(check(`9 0 ${KEY2} CHECKSIG`), '09 .');
    assert.equal(check(`9 ${SIG1} ${KEY1} CHECKSIGVERIFY`), '09');
    assert.equal(check(`9 ${SIG1} ${KEY2} CHECKSIGVERIFY`), 'CHECKSIGVERIFY');
    for (const script of ['CHECKSIG', '1 CHECKSIG', 'CHECKSIGVERIFY', '1 CHECKSIGVERIFY']) {
      assert.equal(check(script), 'INVALID_STACK_OPERATION', script);
    }
  });

  test('NULLFAIL: a signature that fails must be empty', () => {
    assert.equal(check(`${SIG1} ${KEY2} CHECKSIG`, ScriptFlag.NULLFAIL), 'NULLFAIL');
    assert.equal(check(`0 ${KEY2} CHECKSIG`, ScriptFlag.NULLFAIL), '.');
    assert.equal(check(`${SIG1} ${KEY1} CHECKSIG`, ScriptFlag.NULLFAIL), '01');
    assert.equal(check(`1 ${KEY2} CHECKSIG`, ScriptFlag.NULLFAIL), 'NULLFAIL', 'one byte is not empty');
  });

  test('encodings come first: of the signature, then of the key', () => {
    assert.equal(check(`${SIG1} ${KEY1} CHECKSIG`, ScriptFlag.DERSIG), 'SIG_DER');
    assert.equal(check(`0 ${KEY1} CHECKSIG`, ScriptFlag.STRICTENC), 'PUBKEYTYPE');
    assert.equal(check(`${SIG1} ${KEY1} CHECKSIG`, ScriptFlag.STRICTENC), 'SIG_DER');
    assert.equal(check(`0 ${KEY1} CHECKSIG`, ScriptFlag.WITNESS_PUBKEYTYPE), '.');
    assert.equal(
      check(`0 ${KEY1} CHECKSIG`, ScriptFlag.WITNESS_PUBKEYTYPE, SigVersion.WITNESS_V0),
      'WITNESS_PUBKEYTYPE',
    );
  });

  test('the script code: from the last OP_CODESEPARATOR that was executed, for all checks the same array', () => {
    const { asked, checker } = fits();
    const codes = new Set<Uint8Array>();
    const spy = {
      checkEcdsa: (s: Uint8Array, k: Uint8Array, c: Uint8Array, v: 0 | 1) => {
        codes.add(c);
        return checker.checkEcdsa(s, k, c, v);
      },
    };
    const part = `${SIG1} ${KEY1} CHECKSIGVERIFY`;
    const script = `${part} ${part} CODESEPARATOR ${part} 0 IF CODESEPARATOR ENDIF ${part}`;
    assert.equal(run(script, { checker: spy, version: SigVersion.WITNESS_V0 }), '');
    const whole = toHex(assemble(script));
    const rest = whole.slice(whole.indexOf('ab') + 2);
    assert.deepEqual(
      asked.map(({ code }) => code),
      [whole, whole, rest, rest],
    );
    assert.equal(codes.size, 2);
    assert.ok(asked.every(({ version, signature, key }) => version === 1 && signature === 'aa01' && key === 'bb01'));
  });

  test('an OP_CODESEPARATOR in front of everything is left out, too', () => {
    const { asked, checker } = fits();
    assert.equal(run(`CODESEPARATOR ${SIG1} ${KEY1} CHECKSIG`, { checker, version: SigVersion.WITNESS_V0 }), '01');
    assert.equal(asked[0]?.code, '02aa0102bb01ac');
  });

  test('before segwit the signature’s own push is taken out of the script code', () => {
    for (const [version, flags, result] of [
      [SigVersion.BASE, ScriptFlag.NONE, '01'],
      [SigVersion.BASE, ScriptFlag.CONST_SCRIPTCODE, 'SIG_FINDANDDELETE'],
      [SigVersion.WITNESS_V0, ScriptFlag.CONST_SCRIPTCODE, '01'],
    ] as const) {
      const { asked, checker } = fits();
      assert.equal(run(`${SIG1} ${KEY1} CHECKSIG`, { version, flags, checker }), result);
      const code = version === SigVersion.BASE ? '02bb01ac' : '02aa0102bb01ac';
      assert.deepEqual(
        asked.map((each) => each.code),
        result === '01' ? [code] : [],
      );
    }
    assert.equal(check(`1 ${KEY2} CHECKSIG`, ScriptFlag.CONST_SCRIPTCODE), '.', 'not in the script');
    // A script code that only just holds it.
    const { asked, checker } = fits();
    const script = concatBytes(assemble(`${KEY1} ${SIG1} SWAP CODESEPARATOR CHECKSIG`), fromHex('02aa01'));
    assert.equal(run(script, { checker }), '01 aa01');
    assert.deepEqual(
      asked.map((each) => each.code),
      ['ac'],
    );
    assert.equal(
      run('0x02 0xaa01 DUP 0x02 0xbb01 CHECKSIG', { checker, flags: ScriptFlag.CONST_SCRIPTCODE }),
      'SIG_FINDANDDELETE',
    );
    assert.equal(
      run(`0x01 0xaa 0x01 0x01 DROP ${KEY1} CHECKSIG`, { checker, flags: ScriptFlag.CONST_SCRIPTCODE }),
      'SIG_FINDANDDELETE',
    );
  });
});

describe('CHECKMULTISIG', () => {
  const keys = `${KEY1} ${KEY2} ${KEY3} 3`;

  test('signatures in the order of the keys', () => {
    assert.equal(check(`9 0 ${SIG1} ${SIG2} 2 ${keys} CHECKMULTISIG`), '09 01');
    assert.equal(check(`9 0 ${SIG1} ${SIG3} 2 ${keys} CHECKMULTISIG`), '09 01');
    assert.equal(check(`9 0 ${SIG2} ${SIG3} 2 ${keys} CHECKMULTISIG`), '09 01');
    assert.equal(check(`9 0 ${SIG1} ${SIG2} ${SIG3} 3 ${keys} CHECKMULTISIG`), '09 01');
    assert.equal(check(`9 0 ${SIG2} ${SIG1} 2 ${keys} CHECKMULTISIG`), '09 .');
    assert.equal(check(`9 0 ${SIG1} ${SIG1} 2 ${keys} CHECKMULTISIG`), '09 .');
    assert.equal(check(`9 0 0 ${keys} CHECKMULTISIG`), '09 01');
    assert.equal(check('9 0 0 0 CHECKMULTISIG'), '09 01');
    assert.equal(check(`9 0 ${SIG2} 1 ${keys} CHECKMULTISIGVERIFY`), '09');
    assert.equal(check(`9 0 ${SIG2} 1 ${KEY1} 1 CHECKMULTISIGVERIFY`), 'CHECKMULTISIGVERIFY');
  });

  test('keys are tried from the top, and only while enough are left', () => {
    const { asked, checker } = fits();
    assert.equal(run(`0 ${SIG2} ${SIG1} 2 ${keys} CHECKMULTISIG`, { checker }), '.');
    assert.deepEqual(
      asked.map(({ signature, key }) => `${signature} ${key}`),
      ['aa01 bb03', 'aa01 bb02'],
    );
    // One more would be the last key, which two signatures cannot share.
  });

  test('what is not there, or is no number', () => {
    const cases: readonly (readonly [script: string, error: string])[] = [
      ['CHECKMULTISIG', 'INVALID_STACK_OPERATION'],
      ['-1 CHECKMULTISIG', 'PUBKEY_COUNT'],
      ['21 CHECKMULTISIG', 'PUBKEY_COUNT'],
      ['20 CHECKMULTISIG', 'INVALID_STACK_OPERATION'],
      ['0x05 0x0000000000 CHECKMULTISIG', 'UNKNOWN_ERROR'],
      ['0 CHECKMULTISIG', 'INVALID_STACK_OPERATION'],
      ['1 1 CHECKMULTISIG', 'INVALID_STACK_OPERATION'],
      ['-1 1 1 CHECKMULTISIG', 'SIG_COUNT'],
      ['2 1 1 CHECKMULTISIG', 'SIG_COUNT'],
      ['0x05 0x0000000000 1 1 CHECKMULTISIG', 'UNKNOWN_ERROR'],
      ['0 0 CHECKMULTISIG', 'INVALID_STACK_OPERATION'],
      [`${SIG1} 1 ${KEY1} 1 CHECKMULTISIG`, 'INVALID_STACK_OPERATION'],
      [`0 ${SIG1} 1 ${KEY1} 1 CHECKMULTISIG`, '01'],
    ];
    for (const [script, result] of cases) assert.equal(check(script), result, script);
  });

  test('keys count as operations', () => {
    const twenty = `0 0 ${'1 '.repeat(20)} 20 CHECKMULTISIG DROP `;
    const nops = (count: number): string => 'NOP '.repeat(count);
    // 9 times 22 operations make 198.
    assert.equal(check(`${twenty.repeat(9)} ${nops(3)} 1`), '01');
    assert.equal(check(`${twenty.repeat(9)} ${nops(4)} 1`), 'OP_COUNT');
    assert.equal(check(`${nops(201 - 21)} ${twenty.replace(' DROP', '')}`), '01');
    assert.equal(check(`${nops(201 - 20)} ${twenty.replace(' DROP', '')}`), 'OP_COUNT');
  });

  test('NULLDUMMY and NULLFAIL', () => {
    assert.equal(check(`1 ${SIG1} 1 ${KEY1} 1 CHECKMULTISIG`), '01');
    assert.equal(check(`1 ${SIG1} 1 ${KEY1} 1 CHECKMULTISIG`, ScriptFlag.NULLDUMMY), 'SIG_NULLDUMMY');
    assert.equal(check(`0 ${SIG1} 1 ${KEY1} 1 CHECKMULTISIG`, ScriptFlag.NULLDUMMY), '01');
    const { NULLFAIL } = ScriptFlag;
    assert.equal(check(`0 0 0 2 ${keys} CHECKMULTISIG`, NULLFAIL), '.');
    assert.equal(check(`1 0 0 2 ${keys} CHECKMULTISIG`, NULLFAIL), '.', 'the dummy is no signature');
    assert.equal(check(`0 0 ${SIG1} 2 ${keys} CHECKMULTISIG`, NULLFAIL), 'NULLFAIL');
    assert.equal(check(`0 ${SIG1} 0 2 ${keys} CHECKMULTISIG`, NULLFAIL), 'NULLFAIL');
    assert.equal(check(`0 1 1 ${keys} CHECKMULTISIG`, NULLFAIL), 'NULLFAIL', 'one byte is not empty');
    assert.equal(check(`0 ${SIG1} ${SIG2} 2 ${keys} CHECKMULTISIG`, NULLFAIL), '01');
  });

  test('encodings fail as they are met', () => {
    assert.equal(check(`0 ${SIG1} 1 ${KEY1} 1 CHECKMULTISIG`, ScriptFlag.DERSIG), 'SIG_DER');
    assert.equal(check(`0 0 1 ${KEY1} 1 CHECKMULTISIG`, ScriptFlag.STRICTENC), 'PUBKEYTYPE');
    assert.equal(check(`0 0 ${KEY1} 1 CHECKMULTISIG`, ScriptFlag.STRICTENC), '01', 'no signature, no key is looked at');
    const good = `0x21 0x02${'11'.repeat(32)}`;
    assert.equal(
      check(`0 0 0 2 ${KEY1} ${good} 2 CHECKMULTISIG`, ScriptFlag.STRICTENC),
      '.',
      'the top key fails to fit first',
    );
    const flags = ScriptFlag.WITNESS_PUBKEYTYPE;
    assert.equal(check(`0 0 1 ${KEY1} 1 CHECKMULTISIG`, flags, SigVersion.WITNESS_V0), 'WITNESS_PUBKEYTYPE');
    assert.equal(check(`0 0 1 ${KEY1} 1 CHECKMULTISIG`, flags), '.');
  });

  test('all signatures are taken out of the script code before the first is checked', () => {
    for (const version of [SigVersion.BASE, SigVersion.WITNESS_V0] as const) {
      const { asked, checker } = fits();
      const script = `0 ${SIG1} ${SIG2} 2 ${KEY1} ${KEY2} 2 CHECKMULTISIG`;
      assert.equal(run(script, { checker, version }), '01');
      const code = version === SigVersion.BASE ? '005202bb0102bb0252ae' : toHex(assemble(script));
      assert.deepEqual([...new Set(asked.map((each) => each.code))], [code]);
      assert.ok(asked.every((each) => each.version === version));
    }
    assert.equal(check(`0 ${SIG1} 1 ${KEY1} 1 CHECKMULTISIG`, ScriptFlag.CONST_SCRIPTCODE), 'SIG_FINDANDDELETE');
    const { asked, checker } = fits();
    assert.equal(run(`0 ${SIG1} 0x01 0x01 ${KEY1} 1 CHECKMULTISIG`, { checker }), '01');
    assert.equal(asked[0]?.code, '00010102bb0151ae', 'the number of signatures is none of them');
  });

  test('does not exist in tapscript', () => {
    const setup = { version: SigVersion.TAPSCRIPT, taproot: tapscript(0) } as const;
    assert.equal(run('CHECKMULTISIG', setup), 'TAPSCRIPT_CHECKMULTISIG');
    assert.equal(run('CHECKMULTISIGVERIFY', setup), 'TAPSCRIPT_CHECKMULTISIG');
  });
});

describe('tapscript', () => {
  const KEY = `0x20 0x${'bb'.repeat(32)}`;

  function tap(script: string, { weightLeft = 1000, flags = 0 } = {}): string {
    const checkSchnorr = (signature: Uint8Array) => (signature[0] === 0xaa ? undefined : ('SCHNORR_SIG' as const));
    return run(script, {
      version: SigVersion.TAPSCRIPT,
      taproot: tapscript(weightLeft),
      flags,
      checker: { checkSchnorr },
    });
  }

  test('a right signature, an empty one, and a wrong one, which ends the script', () => {
    assert.equal(tap(`${SIG1} ${KEY} CHECKSIG`), '01');
    assert.equal(tap(`0 ${KEY} CHECKSIG`), '.');
    assert.equal(tap(`0x01 0xcc ${KEY} CHECKSIG`), 'SCHNORR_SIG');
    assert.equal(tap(`${SIG1} ${KEY} CHECKSIGVERIFY 9`), '09');
    assert.equal(tap(`0 ${KEY} CHECKSIGVERIFY`), 'CHECKSIGVERIFY');
  });

  test('keys: none is an error, 32 bytes are checked, others succeed for now', () => {
    assert.equal(tap(`${SIG1} 0 CHECKSIG`), 'PUBKEYTYPE');
    assert.equal(tap('0 0 CHECKSIG'), 'PUBKEYTYPE');
    const flags = ScriptFlag.DISCOURAGE_UPGRADABLE_PUBKEYTYPE;
    for (const length of [1, 31, 33]) {
      const key = `0x${length.toString(16).padStart(2, '0')} 0x${'bb'.repeat(length)}`;
      assert.equal(tap(`0x01 0xcc ${key} CHECKSIG`), '01', `${length} bytes`);
      assert.equal(tap(`0 ${key} CHECKSIG`), '.');
      assert.equal(tap(`0 ${key} CHECKSIG`, { flags }), 'DISCOURAGE_UPGRADABLE_PUBKEYTYPE');
    }
    assert.equal(tap(`${SIG1} ${KEY} CHECKSIG`, { flags }), '01');
  });

  test('each signature that is given costs 50, whatever the key', () => {
    assert.equal(tap(`${SIG1} ${KEY} CHECKSIG`, { weightLeft: 50 }), '01');
    assert.equal(tap(`${SIG1} ${KEY} CHECKSIG`, { weightLeft: 49 }), 'TAPSCRIPT_VALIDATION_WEIGHT');
    assert.equal(tap(`${SIG1} 0x01 0xbb CHECKSIG`, { weightLeft: 49 }), 'TAPSCRIPT_VALIDATION_WEIGHT');
    assert.equal(tap(`${SIG1} 0 CHECKSIG`, { weightLeft: 49 }), 'TAPSCRIPT_VALIDATION_WEIGHT');
    assert.equal(tap(`0 ${KEY} CHECKSIG`, { weightLeft: 0 }), '.');
    const two = `${SIG1} ${KEY} CHECKSIG ${SIG1} ${KEY} CHECKSIG`;
    assert.equal(tap(two, { weightLeft: 100 }), '01 01');
    assert.equal(tap(two, { weightLeft: 99 }), 'TAPSCRIPT_VALIDATION_WEIGHT');
  });

  test('without its context it is a bug of the caller', () => {
    const unprepared = (): string => run(`0 ${KEY} CHECKSIG`, { version: SigVersion.TAPSCRIPT });
    assert.throws(unprepared, /a tapscript has its context/);
  });

  test('CHECKSIGADD counts up', () => {
    assert.equal(tap(`9 ${SIG1} 5 ${KEY} CHECKSIGADD`), '09 06');
    assert.equal(tap(`9 0 5 ${KEY} CHECKSIGADD`), '09 05');
    assert.equal(tap(`${SIG1} -1 ${KEY} CHECKSIGADD`), '.');
    assert.equal(tap(`0x01 0xcc 5 ${KEY} CHECKSIGADD`), 'SCHNORR_SIG');
    assert.equal(tap(`${SIG1} 0x05 0x0000000001 ${KEY} CHECKSIGADD`), 'UNKNOWN_ERROR');
    for (const script of ['CHECKSIGADD', '1 CHECKSIGADD', '1 1 CHECKSIGADD']) {
      assert.equal(tap(script), 'INVALID_STACK_OPERATION', script);
    }
    for (const version of [SigVersion.BASE, SigVersion.WITNESS_V0] as const) {
      assert.equal(check(`${SIG1} 5 ${KEY} CHECKSIGADD`, 0, version), 'BAD_OPCODE');
    }
  });

  test('OP_CODESEPARATOR leaves its index among the instructions for the signature hash', () => {
    const positions: number[] = [];
    const taproot = tapscript(1000);
    const checkSchnorr = (_: Uint8Array, key: Uint8Array, version: number) => {
      assert.equal(version, SigVersion.TAPSCRIPT);
      assert.equal(key.length, 32);
      positions.push(taproot.codeSeparatorPosition);
      return undefined;
    };
    const part = `${SIG1} ${KEY} CHECKSIGVERIFY`;
    run(`${part} CODESEPARATOR ${part} 0 IF CODESEPARATOR ENDIF ${part} CODESEPARATOR ${part}`, {
      version: SigVersion.TAPSCRIPT,
      taproot,
      checker: { checkSchnorr },
    });
    assert.deepEqual(positions, [0xffffffff, 3, 3, 14]);
  });
});

test('a signature’s push is longer than the signature: script codes that are not need no search', () => {
  const { asked, checker } = fits();
  const signature = concatBytes(fromHex('aa01'), new Uint8Array(100));
  const script = concatBytes(pushData(signature), assemble(`${KEY1} CODESEPARATOR CHECKSIG`));
  assert.equal(run(script, { checker }), '01');
  assert.deepEqual(
    asked.map(({ code }) => code),
    ['ac'],
  );
});

/** Spending witness programs: versions, sizes, the annex, control blocks, the budget, and who is asked what. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hash160, sha256 } from '#crypto';
import { ScriptFlag, type SignatureChecker } from '#script';
import { concatBytes, fromHex, toHex } from '#util';
import { tapLeafHash, taprootMerkleRoot, tapTweakHash } from '../../../src/script/taproot.ts';
import { verifyWitnessProgram } from '../../../src/script/witness-program.ts';
import { assemble } from '../../support/core-vectors.ts';
import { checkerThat } from './machine.ts';

const EMPTY = new Uint8Array(0);
const ONE = Uint8Array.of(1);

type Given = {
  readonly version?: number;
  readonly program: Uint8Array;
  readonly flags?: number;
  readonly isP2sh?: boolean;
  readonly checker?: Partial<SignatureChecker>;
};

function verify(
  witness: readonly Uint8Array[],
  { version = 0, program, flags = 0, isP2sh = false, checker = {} }: Given,
): string {
  return verifyWitnessProgram(witness, { version, program }, flags, checkerThat(checker), isP2sh) ?? 'OK';
}

describe('version 0', () => {
  const script = (text: string, below: readonly Uint8Array[] = []): string => {
    const bytes = assemble(text);
    return verify([...below, bytes], { program: sha256(bytes) });
  };

  test('a script by its hash, which must leave one true element', () => {
    assert.equal(script('1'), 'OK');
    assert.equal(script('0'), 'EVAL_FALSE');
    assert.equal(script('0x01 0x80'), 'EVAL_FALSE');
    assert.equal(script('1 1'), 'CLEANSTACK');
    assert.equal(script(''), 'CLEANSTACK', 'nothing is left');
    assert.equal(script('', [ONE]), 'OK');
    assert.equal(script('ADD 3 EQUAL', [ONE, Uint8Array.of(2)]), 'OK');
    assert.equal(script('RETURN'), 'OP_RETURN');
    assert.equal(verify([], { program: sha256(EMPTY) }), 'WITNESS_PROGRAM_WITNESS_EMPTY');
    assert.equal(verify([assemble('1')], { program: sha256(EMPTY) }), 'WITNESS_PROGRAM_MISMATCH');
  });

  test('elements of 520 bytes at most, but for the script', () => {
    assert.equal(script('DROP 1', [new Uint8Array(520)]), 'OK');
    assert.equal(script('DROP 1', [new Uint8Array(521)]), 'PUSH_SIZE');
    assert.equal(script(`${'1 DROP '.repeat(300)} RETURN`), 'OP_COUNT');
    assert.equal(script(`${'1 '.repeat(600)} ${'2DROP '.repeat(200)} NOP`), 'CLEANSTACK');
  });

  test('a key by its hash', () => {
    const key = new Uint8Array(33).fill(2);
    const asked: string[] = [];
    const checkEcdsa: SignatureChecker['checkEcdsa'] = (signature, publicKey, code, version) => {
      asked.push(`${toHex(signature)} ${publicKey.length} ${toHex(code)} ${version}`);
      return signature.length > 0;
    };
    const program = hash160(key);
    const spend = (...witness: Uint8Array[]): string => verify(witness, { program, checker: { checkEcdsa } });
    assert.equal(spend(fromHex('aa01'), key), 'OK');
    assert.deepEqual(asked, [`aa01 33 76a914${toHex(program)}88ac 1`]);
    assert.equal(spend(EMPTY, key), 'EVAL_FALSE');
    assert.equal(spend(fromHex('aa01'), key.subarray(1)), 'EQUALVERIFY');
    assert.equal(spend(key), 'WITNESS_PROGRAM_MISMATCH');
    assert.equal(spend(), 'WITNESS_PROGRAM_MISMATCH');
    assert.equal(spend(EMPTY, fromHex('aa01'), key), 'WITNESS_PROGRAM_MISMATCH');
  });

  test('no other sizes', () => {
    for (const length of [2, 19, 21, 31, 33, 40]) {
      assert.equal(verify([ONE], { program: new Uint8Array(length) }), 'WITNESS_PROGRAM_WRONG_LENGTH');
    }
  });

  test('the witness is not changed', () => {
    const key = new Uint8Array(33).fill(2);
    const witness = [fromHex('aa01'), key];
    verify(witness, { program: hash160(key), checker: { checkEcdsa: () => true } });
    assert.equal(witness.length, 2);
  });
});

test('unknown programs: free to spend, unless discouraged', () => {
  const flags = ScriptFlag.DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM;
  const key = new Uint8Array(32);
  for (const given of [
    { version: 2, program: key },
    { version: 16, program: EMPTY },
    { version: 1, program: key.subarray(1) },
    { version: 1, program: new Uint8Array(33) },
    { version: 1, program: key, isP2sh: true },
  ]) {
    assert.equal(verify([], { ...given, flags: ScriptFlag.TAPROOT }), 'OK');
    assert.equal(verify([], { ...given, flags: ScriptFlag.TAPROOT | flags }), 'DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM');
  }
  assert.equal(verify([], { version: 1, program: key, flags }), 'OK', 'taproot before its rules');
  assert.equal(verify([], { program: key.subarray(1), flags }), 'WITNESS_PROGRAM_WRONG_LENGTH');
});

test('pay to anchor: free to spend, and never discouraged, but in P2SH', () => {
  const anchor = { version: 1, program: fromHex('4e73') };
  const flags = ScriptFlag.TAPROOT | ScriptFlag.DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM;
  assert.equal(verify([], { ...anchor, flags }), 'OK');
  assert.equal(verify([ONE], { ...anchor, flags }), 'OK', 'policy refuses the witness, not the script');
  for (const other of [
    { ...anchor, isP2sh: true },
    { ...anchor, version: 2 },
    { ...anchor, program: fromHex('734e') },
    { ...anchor, program: fromHex('4e7300') },
  ]) {
    assert.equal(verify([], { ...other, flags }), 'DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM');
  }
});

describe('taproot', () => {
  const program = new Uint8Array(32).fill(9);
  const INTERNAL = new Uint8Array(32).fill(7);
  const annex = fromHex('50aabb');

  function spend(witness: readonly Uint8Array[], checker: Partial<SignatureChecker> = {}, flags = 0): string {
    return verify(witness, { version: 1, program, flags: flags | ScriptFlag.TAPROOT, checker });
  }

  test('the key path: one element, which is the signature', () => {
    const asked: string[] = [];
    const checkSchnorr: SignatureChecker['checkSchnorr'] = (signature, key, version, context) => {
      const { annexHash, leafHash, codeSeparatorPosition, weightLeft } = context;
      assert.deepEqual([leafHash, codeSeparatorPosition, weightLeft, version], [undefined, 0xffffffff, 0, 2]);
      assert.equal(key, program);
      asked.push(`${toHex(signature)} ${annexHash && toHex(annexHash)}`);
      return signature[0] === 0xaa ? undefined : 'SCHNORR_SIG';
    };
    assert.equal(spend([], { checkSchnorr }), 'WITNESS_PROGRAM_WITNESS_EMPTY');
    assert.equal(spend([fromHex('aa')], { checkSchnorr }), 'OK');
    assert.equal(spend([fromHex('cc')], { checkSchnorr }), 'SCHNORR_SIG');
    assert.equal(spend([fromHex('aa'), annex], { checkSchnorr }), 'OK');
    assert.equal(spend([annex], { checkSchnorr }), 'SCHNORR_SIG', 'an annex is never alone');
    const annexHash = toHex(sha256(concatBytes(fromHex('03'), annex)));
    assert.deepEqual(asked, ['aa undefined', 'cc undefined', `aa ${annexHash}`, '50aabb undefined']);
    const long = concatBytes(fromHex('50'), new Uint8Array(300));
    assert.equal(spend([fromHex('aa'), long], { checkSchnorr }), 'OK');
    assert.equal(asked.at(-1), `aa ${toHex(sha256(concatBytes(fromHex('fd2d01'), long)))}`);
  });

  const control = (first: number, nodes = 0): Uint8Array =>
    concatBytes(Uint8Array.of(first), INTERNAL, ...Array.from({ length: nodes }, (_, i) => new Uint8Array(32).fill(i)));

  test('control blocks have 33 bytes and up to 128 nodes of 32', () => {
    const checkTapTweak = (): boolean => true;
    for (const [length, fits] of [
      [0, false],
      [1, false],
      [32, false],
      [33, true],
      [34, false],
      [64, false],
      [65, true],
      [66, false],
      [33 + 32 * 127, true],
      [33 + 32 * 128, true],
      [33 + 32 * 128 + 1, false],
      [33 + 32 * 129, false],
    ] as const) {
      const block = new Uint8Array(length).fill(0xc0);
      assert.equal(
        spend([assemble('1'), block], { checkTapTweak }),
        fits ? 'OK' : 'TAPROOT_WRONG_CONTROL_SIZE',
        `${length}`,
      );
    }
  });

  test('the output key must commit to the script: what the curve is asked', () => {
    const script = assemble('1');
    for (const first of [0xc0, 0xc1, 0xbe, 0xbf]) {
      for (const nodes of [0, 1, 3]) {
        const block = control(first, nodes);
        let asked = 0;
        const checkTapTweak: SignatureChecker['checkTapTweak'] = (internalKey, tweak, output, parity) => {
          asked++;
          const root = taprootMerkleRoot(block, tapLeafHash(first & 0xfe, script));
          assert.deepEqual(internalKey, INTERNAL);
          assert.equal(toHex(tweak), toHex(tapTweakHash(INTERNAL, root)));
          assert.deepEqual(output, program);
          assert.equal(parity, first & 1);
          return nodes < 3;
        };
        assert.equal(spend([script, block], { checkTapTweak }), nodes < 3 ? 'OK' : 'WITNESS_PROGRAM_MISMATCH');
        assert.equal(asked, 1);
      }
    }
  });

  const tapscript = (
    text: string | Uint8Array,
    below: readonly Uint8Array[] = [],
    flags = 0,
    more: readonly Uint8Array[] = [],
  ): string => {
    const script = typeof text === 'string' ? assemble(text) : text;
    const checker = { checkTapTweak: () => true, checkSchnorr: () => undefined };
    return spend([...below, script, control(0xc0), ...more], checker, flags);
  };

  test('leaf versions other than 0xc0: free to spend, unless discouraged', () => {
    const flags = ScriptFlag.DISCOURAGE_UPGRADABLE_TAPROOT_VERSION;
    const checkTapTweak = (): boolean => true;
    for (const first of [0xbe, 0xc2, 0x52, 0x00]) {
      assert.equal(spend([assemble('RETURN'), control(first)], { checkTapTweak }), 'OK');
      assert.equal(
        spend([assemble('RETURN'), control(first)], { checkTapTweak }, flags),
        'DISCOURAGE_UPGRADABLE_TAPROOT_VERSION',
      );
    }
    assert.equal(spend([assemble('RETURN'), control(0xc1)], { checkTapTweak }), 'OP_RETURN');
    assert.equal(tapscript('1', [], flags), 'OK');
  });

  test('a tapscript must leave one true element', () => {
    assert.equal(tapscript('1'), 'OK');
    assert.equal(tapscript('0'), 'EVAL_FALSE');
    assert.equal(tapscript('1 1'), 'CLEANSTACK');
    assert.equal(tapscript('ADD 3 EQUAL', [ONE, Uint8Array.of(2)]), 'OK');
    assert.equal(tapscript('DROP 1', [new Uint8Array(520)]), 'OK');
    assert.equal(tapscript('DROP 1', [new Uint8Array(521)]), 'PUSH_SIZE');
  });

  test('an OP_SUCCESS decides at once: before what cannot be read, before the limits', () => {
    const flags = ScriptFlag.DISCOURAGE_OP_SUCCESS;
    for (const script of ['0x50', 'RETURN 0x7e', '0xbb 0x4c', '0 IF 0xfe ENDIF']) {
      assert.equal(tapscript(script), 'OK', script);
      assert.equal(tapscript(script, [new Uint8Array(521)]), 'OK', script);
      assert.equal(tapscript(script, [], flags), 'DISCOURAGE_OP_SUCCESS', script);
    }
    assert.equal(tapscript('0x4c 0x50'), 'BAD_OPCODE', 'what cannot be read comes first');
    assert.equal(tapscript('0x01 0x50', [], flags), 'OK', 'a pushed byte is none');
    assert.equal(tapscript('', [ONE]), 'OK');
    const many = Array.from({ length: 1001 }, () => ONE);
    assert.equal(tapscript('1', many), 'STACK_SIZE');
    assert.equal(tapscript('DROP', many), 'STACK_SIZE', 'before the first instruction');
    assert.equal(tapscript('0x50', many), 'OK');
    assert.equal(tapscript('1 RETURN', many.slice(2)), 'OP_RETURN');
    assert.equal(tapscript('RETURN', many.slice(1)), 'OP_RETURN');
  });

  test('the budget is 50 more than the size of the witness, annex included', () => {
    const sign = (count: number): Uint8Array => assemble(`${'0x01 0xaa 0x01 0xbb CHECKSIGVERIFY '.repeat(count)} NOP`);
    const size = (elements: readonly Uint8Array[]): number =>
      1 + elements.reduce((sum, { length }) => sum + (length < 0xfd ? 1 : 3) + length, 0);
    for (const count of [2, 4]) {
      const script = sign(count);
      const rest = count * 50 - 50 - size([EMPTY, script, control(0xc0)]);
      assert.ok(rest > 1 && rest < 0xfd);
      assert.equal(tapscript(script, [new Uint8Array(rest).fill(1)]), 'OK', `${count} checks`);
      assert.equal(
        tapscript(script, [new Uint8Array(rest - 1).fill(1)]),
        'TAPSCRIPT_VALIDATION_WEIGHT',
        `${count} checks`,
      );
    }
    const script = sign(4);
    const rest = 150 - size([EMPTY, script, control(0xc0), annex]);
    const below = [new Uint8Array(rest).fill(1)];
    assert.equal(tapscript(script, below, 0, [annex]), 'OK');
    assert.equal(tapscript(script, below, 0, [annex.subarray(0, 2)]), 'TAPSCRIPT_VALIDATION_WEIGHT');
    assert.equal(tapscript(script, below), 'TAPSCRIPT_VALIDATION_WEIGHT');
  });

  test('an element of 253 bytes or more has a length of three bytes', () => {
    const script = (count: number): Uint8Array =>
      assemble(`DROP ${'0x01 0xaa 0x01 0xbb CHECKSIGVERIFY '.repeat(count)} 1`);
    for (const count of [8, 9]) {
      const others = 1 + 1 + script(count).length + 1 + control(0xc0).length + 50;
      const length = count * 50 - others - 3;
      assert.ok(length > 253 && length <= 520);
      assert.equal(tapscript(script(count), [new Uint8Array(length)]), 'OK');
      assert.equal(tapscript(script(count), [new Uint8Array(length - 1)]), 'TAPSCRIPT_VALIDATION_WEIGHT');
    }
  });
});

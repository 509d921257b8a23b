/** Parsing, patterns, sigop counts, FindAndDelete and encodings of single scripts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  countP2shSigOps,
  countSigOps,
  countWitnessSigOps,
  isPayToScriptHash,
  isUnspendable,
  pushData,
  ScriptFlag,
  ScriptReader,
} from '#script';
import { concatBytes, fromHex, toHex } from '#util';
import { checkSignatureEncoding } from '../../../src/script/encoding-checks.ts';
import { findAndDelete } from '../../../src/script/find-and-delete.ts';
import { opcodeName } from '../../../src/script/opcodes.ts';
import { isPushOnly, witnessProgram } from '../../../src/script/patterns.ts';
import { isOpSuccess } from '../../../src/script/taproot.ts';
import { assemble, packagedPath } from '../../support/core-vectors.ts';

describe('reading instructions', () => {
  test('each form of push', () => {
    const reader = new ScriptReader(fromHex('0002aabb4c01cc4d0100dd4e01000000ee51ac'));
    const seen: string[] = [];
    while (reader.next()) seen.push(`${opcodeName(reader.opcode)} ${toHex(reader.data)}`);
    assert.deepEqual(seen, [
      'OP_0 ',
      'OP_UNKNOWN aabb',
      'OP_PUSHDATA1 cc',
      'OP_PUSHDATA2 dd',
      'OP_PUSHDATA4 ee',
      'OP_1 ',
      'OP_CHECKSIG ',
    ]);
    assert.equal(reader.atEnd, true);
  });

  test('a push that runs over the end stops it behind the length, as in Core', () => {
    for (const [hex, position] of [
      ['02aa', 1],
      ['4c', 1],
      ['4c05aa', 2],
      ['4d01', 1],
      ['4d0100', 3],
      ['4effffffff', 5],
      ['4e010000', 1],
    ] as const) {
      const reader = new ScriptReader(fromHex(hex));
      assert.equal(reader.next(), false, hex);
      assert.equal(reader.position, position, hex);
    }
  });

  test('at the end, and behind a push that is cut short, there is no data', () => {
    const reader = new ScriptReader(fromHex('02aabb'));
    assert.deepEqual([reader.atEnd, reader.position, reader.dataLength, reader.opcode], [false, 0, 0, 0xff]);
    assert.equal(reader.next(), true);
    assert.deepEqual([reader.atEnd, reader.position, reader.dataLength, reader.opcode], [true, 3, 2, 2]);
    assert.equal(reader.next(), false);
    assert.deepEqual([reader.atEnd, reader.position, reader.dataLength, toHex(reader.data)], [true, 3, 0, '']);
    const short = new ScriptReader(fromHex('01aa02bb'), 0);
    assert.equal(short.next() && !short.next(), true);
    assert.deepEqual([short.atEnd, short.position, short.dataLength, short.opcode], [false, 3, 0, 1]);
    const later = new ScriptReader(fromHex('515253'), 1);
    assert.equal(later.next(), true);
    assert.deepEqual([later.opcode, later.position], [0x52, 2]);
  });

  test('lengths of two and four bytes are little endian', () => {
    for (const [header, length] of [
      ['4d0201', 258],
      ['4e02010000', 258],
      ['4e00000100', 65_536],
    ] as const) {
      const reader = new ScriptReader(concatBytes(fromHex(header), new Uint8Array(length)));
      assert.equal(reader.next(), true);
      assert.equal(reader.dataLength, length);
      assert.equal(reader.atEnd, true);
    }
  });

  test('any bytes are read to an end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (script) => {
        const reader = new ScriptReader(script);
        let before = -1;
        while (reader.next()) {
          assert.ok(reader.position > before && reader.position <= script.length);
          assert.ok(reader.data.length === reader.dataLength);
          before = reader.position;
        }
        assert.ok(reader.position <= script.length);
      }),
      { seed: 7 },
    );
  });
});

test('FindAndDelete takes out whole instructions only', () => {
  const cases: readonly (readonly [script: string, needle: string, left: string])[] = [
    ['5152', '', '5152'],
    ['515253', '52', '5153'],
    ['53515353545353', '53', '5154'],
    ['0302ff03', '0302ff03', ''],
    ['0302ff030302ff03', '0302ff03', ''],
    ['0302ff030302ff03', '02', '0302ff030302ff03'],
    ['0302ff030302ff03', 'ff', '0302ff030302ff03'],
    // Taking the first byte moves the boundary; the rest then starts an instruction.
    ['0302ff030302ff03', '03', '02ff0302ff03'],
    ['02feed5169', 'feed51', '02feed5169'],
    ['02feed5169', '02feed51', '69'],
    ['516902feed5169', 'feed51', '516902feed5169'],
    ['516902feed5169', '02feed51', '516969'],
    ['00005151', '0051', '0051'],
    ['000051510051', '0051', '0051'],
    // What is left may hold the needle again; it is not searched anew.
    ['0003feed', '03feed', '00'],
    // Everything behind a push that is cut short stays.
    ['51524c', '52', '514c'],
    ['524c0552', '52', '4c0552'],
  ];
  for (const [script, needle, left] of cases) {
    assert.equal(toHex(findAndDelete(fromHex(script), fromHex(needle))), left, `${script} without ${needle}`);
  }
  const untouched = fromHex('0302ff03');
  assert.equal(findAndDelete(untouched, fromHex('ff')), untouched, 'the very same array when nothing was found');
});

describe('patterns', () => {
  const hash20 = '11'.repeat(20);

  test('pay to script hash is these 23 bytes only', () => {
    assert.equal(isPayToScriptHash(fromHex(`a914${hash20}87`)), true);
    assert.equal(isPayToScriptHash(fromHex(`a94c14${hash20}87`)), false, 'another push of the same hash');
    assert.equal(isPayToScriptHash(fromHex(`a914${hash20}88`)), false);
    assert.equal(isPayToScriptHash(fromHex(`a914${hash20}8751`)), false);
    assert.equal(isPayToScriptHash(new Uint8Array(0)), false);
  });

  test('witness programs have version 0 to 16 and 2 to 40 bytes in one direct push', () => {
    const program = (hex: string): number | undefined => witnessProgram(fromHex(hex))?.version;
    assert.equal(program(`0014${hash20}`), 0);
    assert.equal(program('5102aabb'), 1);
    assert.equal(program(`6028${'22'.repeat(40)}`), 16);
    assert.equal(program('5101aa'), undefined, 'too short');
    assert.equal(program(`5129${'22'.repeat(41)}`), undefined, 'too long');
    assert.equal(program('4f02aabb'), undefined, 'OP_1NEGATE is no version');
    assert.equal(program('5002aabb'), undefined, 'OP_RESERVED is no version');
    assert.equal(program('6102aabb'), undefined, 'OP_NOP is no version');
    assert.equal(program('514c02aabb'), undefined, 'OP_PUSHDATA1');
    assert.equal(program('5102aabb51'), undefined, 'something behind');
    assert.equal(program('5103aabb'), undefined, 'cut short');
    assert.equal(toHex(witnessProgram(fromHex('5102aabb'))?.program ?? new Uint8Array(0)), 'aabb');
  });

  test('one other byte in the frame of P2SH makes it something else', () => {
    const script = fromHex(`a914${hash20}87`);
    for (const at of [0, 1, 22]) {
      for (const change of [1, -1]) {
        const other = script.map((byte, i) => (i === at ? byte + change : byte));
        assert.equal(isPayToScriptHash(other), false, `byte ${at}`);
      }
    }
    assert.equal(isPayToScriptHash(script.subarray(0, 22)), false);
  });

  test('every version and every length of a witness program', () => {
    for (let opcode = 0; opcode < 256; opcode++) {
      const version = opcode === 0 ? 0 : opcode >= 0x51 && opcode <= 0x60 ? opcode - 0x50 : undefined;
      assert.equal(witnessProgram(Uint8Array.of(opcode, 2, 1, 1))?.version, version, `${opcode}`);
    }
    for (let length = 0; length < 60; length++) {
      const script = concatBytes(Uint8Array.of(0, length), new Uint8Array(length));
      assert.equal(witnessProgram(script)?.program.length, length >= 2 && length <= 40 ? length : undefined);
      assert.equal(witnessProgram(script.subarray(0, -1)), undefined);
    }
    assert.equal(witnessProgram(new Uint8Array(0)), undefined);
    assert.equal(witnessProgram(Uint8Array.of(0)), undefined);
  });

  test('push only', () => {
    for (const hex of ['', '00', '4f', '50', '60', '02aabb', '4c00']) assert.equal(isPushOnly(fromHex(hex)), true, hex);
    for (const hex of ['61', '02aa', '5161', '4c']) assert.equal(isPushOnly(fromHex(hex)), false, hex);
  });

  test('unspendable: OP_RETURN first, or above 10,000 bytes', () => {
    assert.equal(isUnspendable(fromHex('6a')), true);
    assert.equal(isUnspendable(fromHex('516a')), false);
    assert.equal(isUnspendable(new Uint8Array(0)), false);
    assert.equal(isUnspendable(new Uint8Array(10_000)), false);
    assert.equal(isUnspendable(new Uint8Array(10_001)), true);
  });

  test('BIP342: the 87 opcodes that make a tapscript succeed', () => {
    const all = Array.from({ length: 256 }, (_, opcode) => opcode).filter(isOpSuccess);
    assert.equal(all.length, 87);
    assert.ok(all.every((opcode) => opcode < 187 || opcode < 255));
  });
});

describe('signature operations', () => {
  test('CHECKSIG counts one, CHECKMULTISIG its keys if told in front and asked for, else 20', () => {
    const script = assemble('1 0x01 0xaa 0x01 0xbb 2 CHECKMULTISIG IF CHECKSIG ENDIF');
    assert.equal(countSigOps(script, true), 3);
    assert.equal(countSigOps(script, false), 21);
    assert.equal(countSigOps(assemble('CHECKMULTISIGVERIFY CHECKSIGVERIFY'), true), 21);
    assert.equal(countSigOps(assemble('0 CHECKMULTISIG'), true), 20, 'OP_0 is not among OP_1 to OP_16');
    assert.equal(countSigOps(assemble('CHECKSIG 0x4c CHECKSIG'), true), 1, 'up to the push that is cut short');
    assert.equal(countSigOps(assemble('CHECKSIGADD'), true), 0);
  });

  test('the number in front counts only if it is the instruction before, from OP_1 to OP_16', () => {
    for (let keys = 1; keys <= 16; keys++) {
      assert.equal(countSigOps(assemble(`${keys} CHECKMULTISIG`), true), keys);
      assert.equal(countSigOps(assemble(`${keys} CHECKMULTISIGVERIFY`), true), keys);
      assert.equal(countSigOps(assemble(`${keys} CHECKMULTISIG`), false), 20);
      assert.equal(countSigOps(assemble(`${keys} NOP CHECKMULTISIG`), true), 20);
    }
    for (const before of ['-1', '0x50', 'NOP', ''])
      assert.equal(countSigOps(assemble(`${before} CHECKMULTISIG`), true), 20);
    assert.equal(countSigOps(assemble('CHECKMULTISIG CHECKMULTISIG'), true), 40);
  });

  test('P2SH counts the redeem script, if the scriptSig only pushes', () => {
    const redeem = assemble('2 CHECKMULTISIG CHECKSIG');
    const p2sh = fromHex(`a914${'00'.repeat(20)}87`);
    const scriptSig = concatBytes(assemble('0 1'), pushData(redeem));
    assert.equal(countP2shSigOps(scriptSig, p2sh), 3);
    assert.equal(countP2shSigOps(concatBytes(assemble('NOP'), scriptSig), p2sh), 0);
    assert.equal(countP2shSigOps(concatBytes(scriptSig, assemble('1')), p2sh), 0, 'OP_1 pushes no script');
    assert.equal(countP2shSigOps(new Uint8Array(0), p2sh), 0);
    assert.equal(countP2shSigOps(scriptSig, redeem), 0, 'not P2SH');
  });

  test('witness programs of version 0 count one or their script, later versions nothing', () => {
    const flags = ScriptFlag.P2SH | ScriptFlag.WITNESS;
    const none = new Uint8Array(0);
    const script = assemble('CHECKSIG 16 CHECKMULTISIG');
    const keyHash = fromHex(`0014${'00'.repeat(20)}`);
    const scriptHash = fromHex(`0020${'00'.repeat(32)}`);
    const taproot = fromHex(`5120${'00'.repeat(32)}`);
    const p2sh = fromHex(`a914${'00'.repeat(20)}87`);
    assert.equal(countWitnessSigOps({ scriptSig: none, witness: [] }, keyHash, flags), 1);
    assert.equal(countWitnessSigOps({ scriptSig: none, witness: [none, script] }, scriptHash, flags), 17);
    assert.equal(countWitnessSigOps({ scriptSig: none, witness: [] }, scriptHash, flags), 0);
    assert.equal(countWitnessSigOps({ scriptSig: none, witness: [script, script] }, taproot, flags), 0);
    assert.equal(countWitnessSigOps({ scriptSig: pushData(keyHash), witness: [] }, p2sh, flags), 1);
    assert.equal(countWitnessSigOps({ scriptSig: pushData(scriptHash), witness: [script] }, p2sh, flags), 17);
    assert.equal(countWitnessSigOps({ scriptSig: assemble('NOP'), witness: [script] }, p2sh, flags), 0);
    assert.equal(
      countWitnessSigOps({ scriptSig: concatBytes(assemble('NOP'), pushData(keyHash)), witness: [] }, p2sh, flags),
      0,
    );
    assert.equal(countWitnessSigOps({ scriptSig: none, witness: [] }, keyHash, ScriptFlag.P2SH), 0, 'before segwit');
    assert.equal(
      countWitnessSigOps({ scriptSig: none, witness: [script] }, fromHex(`0015${'00'.repeat(21)}`), flags),
      0,
      'no known size',
    );
    assert.equal(
      countWitnessSigOps({ scriptSig: pushData(script), witness: [script] }, p2sh, flags),
      0,
      'no program in P2SH',
    );
    assert.equal(countWitnessSigOps({ scriptSig: pushData(keyHash), witness: [script] }, script, flags), 0, 'no P2SH');
    assert.equal(countWitnessSigOps({ scriptSig: none, witness: [script] }, p2sh, flags), 0);
    assert.throws(
      () => countWitnessSigOps({ scriptSig: none, witness: [] }, keyHash, ScriptFlag.WITNESS),
      /the WITNESS flag needs P2SH/,
    );
  });
});

describe('strict DER (BIP66) with a defined hash type', () => {
  const { STRICTENC } = ScriptFlag;
  const samples = (name: string): readonly string[] | undefined => {
    const path = packagedPath(`bitcore-lib/test/data/bitcoind/${name}.json`);
    return path === undefined ? undefined : (JSON.parse(readFileSync(path, 'utf8')) as string[]);
  };
  const canonical = samples('sig_canonical');
  const nonCanonical = samples('sig_noncanonical');
  const skip = canonical === undefined && 'no vectors';

  test('canonical signatures', { skip }, (t) => {
    for (const hex of canonical ?? []) assert.equal(checkSignatureEncoding(fromHex(hex), STRICTENC), undefined, hex);
    t.diagnostic(`${canonical?.length} signatures`);
  });

  test('others', { skip }, (t) => {
    const hexOnly = (nonCanonical ?? []).filter((line) => /^[0-9a-f]+$/.test(line));
    for (const hex of hexOnly) assert.ok(checkSignatureEncoding(fromHex(hex), STRICTENC), hex);
    t.diagnostic(`${hexOnly.length} signatures`);
  });
});

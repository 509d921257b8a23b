import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Op, pushData, redeemScriptOf, solver } from '#script';
import { concatBytes, fromHex, toHex } from '#util';
import { repeated, script } from '../../support/script.ts';
import { OUTPUT_KINDS, outputScript } from '../../support/signed-tx.ts';

const bytes = (length: number, first = 2): Uint8Array => {
  const made = new Uint8Array(length).fill(7);
  made[0] = first;
  return made;
};
const KEY = pushData(bytes(33));
const keys = (count: number): Uint8Array => concatBytes(...Array.from({ length: count }, () => KEY));
const multisig = (...parts: readonly (number | Uint8Array)[]): Uint8Array => script(...parts, Op.OP_CHECKMULTISIG);
const longPush = (data: Uint8Array): Uint8Array => script(Op.OP_PUSHDATA1, data.length, data);

describe('solver', () => {
  test('the outputs that another library makes', () => {
    assert.deepEqual(
      OUTPUT_KINDS.map((kind) => solver(outputScript(kind)).kind),
      [
        ...['pubkeyhash', 'pubkey', 'multisig', 'scripthash', 'witness_v0_keyhash', 'scripthash'],
        ...['witness_v0_scripthash', 'scripthash', 'witness_v1_taproot', 'witness_v1_taproot', 'witness_v1_taproot'],
      ],
    );
  });

  const kinds: readonly (readonly [name: string, script: Uint8Array, kind: string])[] = [
    ['nothing', script(), 'nonstandard'],
    ['33-byte key', script(KEY, Op.OP_CHECKSIG), 'pubkey'],
    ['33-byte key, odd', script(pushData(bytes(33, 3)), Op.OP_CHECKSIG), 'pubkey'],
    ['33-byte key of form 4', script(pushData(bytes(33, 4)), Op.OP_CHECKSIG), 'nonstandard'],
    ['65-byte key', script(pushData(bytes(65, 4)), Op.OP_CHECKSIG), 'pubkey'],
    ['65-byte key of form 7', script(pushData(bytes(65, 7)), Op.OP_CHECKSIG), 'pubkey'],
    ['65-byte key of form 2', script(pushData(bytes(65, 2)), Op.OP_CHECKSIG), 'nonstandard'],
    ['key by a longer push', script(longPush(bytes(33)), Op.OP_CHECKSIG), 'nonstandard'],
    ['key behind another opcode than its push', script(Op.OP_NOP, bytes(33), Op.OP_CHECKSIG), 'nonstandard'],
    ['key and another opcode', script(KEY, Op.OP_CHECKSIGVERIFY), 'nonstandard'],
    [
      'key hash',
      script(Op.OP_DUP, Op.OP_HASH160, pushData(bytes(20)), Op.OP_EQUALVERIFY, Op.OP_CHECKSIG),
      'pubkeyhash',
    ],
    [
      'key hash of 21 bytes',
      script(Op.OP_DUP, Op.OP_HASH160, pushData(bytes(21)), Op.OP_EQUALVERIFY, Op.OP_CHECKSIG),
      'nonstandard',
    ],
    ['script hash', script(Op.OP_HASH160, pushData(bytes(20)), Op.OP_EQUAL), 'scripthash'],
    ['script hash by a longer push', script(Op.OP_HASH160, longPush(bytes(20)), Op.OP_EQUAL), 'nonstandard'],
    ['version 0 of 20', script(Op.OP_0, pushData(bytes(20))), 'witness_v0_keyhash'],
    ['version 0 of 32', script(Op.OP_0, pushData(bytes(32))), 'witness_v0_scripthash'],
    ['version 0 of 31', script(Op.OP_0, pushData(bytes(31))), 'nonstandard'],
    ['version 1 of 32', script(Op.OP_1, pushData(bytes(32))), 'witness_v1_taproot'],
    ['version 1 of 20', script(Op.OP_1, pushData(bytes(20))), 'witness_unknown'],
    ['version 2 of 32', script(Op.OP_2, pushData(bytes(32))), 'witness_unknown'],
    ['version 16 of 40', script(Op.OP_16, pushData(bytes(40))), 'witness_unknown'],
    ['anchor', fromHex('51024e73'), 'anchor'],
    ['another program of two bytes', fromHex('51024e74'), 'witness_unknown'],
    ['the same two bytes in version 2', fromHex('52024e73'), 'witness_unknown'],
    ['the same two bytes by a longer push', fromHex('514c024e73'), 'nonstandard'],
    ['version 1 of 41', script(Op.OP_1, pushData(bytes(41))), 'nonstandard'],
    ['version 1 of 1', script(Op.OP_1, pushData(bytes(1))), 'nonstandard'],
    ['data', script(Op.OP_RETURN), 'nulldata'],
    ['data of any size', script(Op.OP_RETURN, pushData(bytes(20_000))), 'nulldata'],
    ['data with a reserved opcode', script(Op.OP_RETURN, Op.OP_RESERVED), 'nulldata'],
    ['data cut short', script(Op.OP_RETURN, 2, 0), 'nonstandard'],
    ['data that is not all pushes', script(Op.OP_RETURN, Op.OP_RETURN), 'nonstandard'],
  ];
  for (const [name, scriptPubKey, kind] of kinds) {
    test(`${kind}: ${name}`, () => assert.deepEqual(solver(scriptPubKey), { kind }));
  }
});

describe('solver: multisig', () => {
  const found: readonly (readonly [name: string, script: Uint8Array, required: number, keys: number])[] = [
    ['1-of-1', multisig(Op.OP_1, KEY, Op.OP_1), 1, 1],
    ['2-of-3', multisig(Op.OP_2, keys(3), Op.OP_3), 2, 3],
    ['16-of-16', multisig(Op.OP_16, keys(16), Op.OP_16), 16, 16],
    ['17-of-20, numbers pushed', multisig(1, 17, keys(20), 1, 20), 17, 20],
    ['keys of both lengths', multisig(Op.OP_1, KEY, pushData(bytes(65, 4)), Op.OP_2), 1, 2],
    ['a key by a longer push', multisig(Op.OP_1, longPush(bytes(33)), Op.OP_1), 1, 1],
  ];
  for (const [name, scriptPubKey, required, count] of found) {
    test(name, () => {
      const solved = solver(scriptPubKey);
      assert.ok(solved.kind === 'multisig');
      assert.deepEqual([solved.required, solved.keys.length], [required, count]);
      // The keys as they are pushed, one behind the other.
      const hex = toHex(scriptPubKey);
      assert.deepEqual(
        solved.keys.map(toHex).toSorted((a, b) => hex.indexOf(a) - hex.indexOf(b)),
        solved.keys.map(toHex),
      );
      assert.ok(solved.keys.every((key) => hex.includes(toHex(key))));
    });
  }

  const none: Readonly<Record<string, Uint8Array>> = {
    'no keys': multisig(Op.OP_1, Op.OP_1),
    '0-of-0': multisig(Op.OP_0, Op.OP_0),
    '0-of-1': multisig(Op.OP_0, KEY, Op.OP_1),
    '2-of-1': multisig(Op.OP_2, KEY, Op.OP_1),
    'more keys than said': multisig(Op.OP_1, keys(2), Op.OP_1),
    'fewer keys than said': multisig(Op.OP_1, KEY, Op.OP_2),
    '1-of-21': multisig(Op.OP_1, keys(21), 1, 21),
    'a small number pushed': multisig(1, 1, KEY, Op.OP_1),
    'the largest small number pushed': multisig(Op.OP_1, keys(16), 1, 16),
    'a first push cut short': multisig(2),
    'a push cut short where keys should be': multisig(Op.OP_1, 5),
    'a number by a longer push': multisig(Op.OP_1, keys(17), longPush(Uint8Array.of(17))),
    'the opcode behind OP_16, for 17': multisig(Op.OP_1, keys(17), Op.OP_NOP),
    'a number of two bytes': multisig(Op.OP_1, keys(17), 2, 17, 0),
    'something that is no key': multisig(Op.OP_1, pushData(bytes(33, 5)), Op.OP_1),
    'an opcode before the end': multisig(Op.OP_1, KEY, Op.OP_1, Op.OP_NOP),
    'CHECKMULTISIG twice': multisig(Op.OP_1, KEY, Op.OP_1, Op.OP_CHECKMULTISIG),
    'an opcode behind the end': script(multisig(Op.OP_1, KEY, Op.OP_1), Op.OP_NOP),
    'another opcode at the end': script(Op.OP_1, KEY, Op.OP_1, Op.OP_CHECKMULTISIGVERIFY),
    'a last byte inside of a key': script(Op.OP_1, KEY, pushData(Uint8Array.from([...bytes(32), Op.OP_CHECKMULTISIG]))),
    'a last byte inside of a push cut short': multisig(Op.OP_1, KEY, 5),
    'only the last opcode': multisig(),
  };
  for (const [name, scriptPubKey] of Object.entries(none)) {
    test(`none: ${name}`, () => assert.deepEqual(solver(scriptPubKey), { kind: 'nonstandard' }));
  }
});

describe('the redeem script that a scriptSig gives', () => {
  const cases: readonly (readonly [name: string, scriptSig: Uint8Array, found: Uint8Array | undefined])[] = [
    ['nothing', script(), undefined],
    ['the last push', script(pushData(bytes(3)), pushData(bytes(5))), bytes(5)],
    ['a longer push than needed', longPush(bytes(5)), bytes(5)],
    ['OP_16 gives its byte', script(Op.OP_16), Uint8Array.of(16)],
    ['OP_0 gives an empty script', script(Op.OP_0), script()],
    ['a push of 520 bytes', pushData(bytes(520)), bytes(520)],
    ['a push of 521 bytes', pushData(bytes(521)), undefined],
    ['1000 elements', repeated(Op.OP_1, 1_000), Uint8Array.of(1)],
    ['1001 elements', repeated(Op.OP_1, 1_001), undefined],
    ['a reserved opcode', script(Op.OP_RESERVED, Op.OP_1), undefined],
    ['a push cut short', script(Op.OP_1, 2, 0), undefined],
    ['a check of a signature fails', script(Op.OP_0, Op.OP_0, Op.OP_CHECKSIG), script()],
  ];
  for (const [name, scriptSig, found] of cases) {
    test(name, () => assert.equal(hex(redeemScriptOf(scriptSig)), hex(found)));
  }
  const hex = (data: Uint8Array | undefined): string => (data === undefined ? 'none' : toHex(data));
});

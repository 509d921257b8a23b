/** Scripts as text: numbers, names, hash types behind signatures, and where it stops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptToAsm, sighash } from '#script';
import { fromHex } from '#util';

const SIGNATURE =
  '304402207fa7a6d1e0ee81132a269ad84e68d695483745cde8b541e3bf630749894e342a022100c1f7ab20e13e22fb95281a870f3dcf38d782e53023ee313d741ad0cfbc0c5090';

test('what a script says', () => {
  const cases: readonly (readonly [hex: string, asm: string])[] = [
    ['', ''],
    ['00', '0'],
    ['4f5160', '-1 1 16'],
    ['50', 'OP_RESERVED'],
    ['0181', '-1'],
    ['04ffffff7f', '2147483647'],
    ['04ffffffff', '-2147483647'],
    ['020100', '1'],
    ['050000000001', '0000000001'],
    ['4e050000000102030405', '0102030405'],
    ['76a91488ac', 'OP_DUP OP_HASH160 [error]'],
    ['4c', '[error]'],
    ['b1b2bafeff', 'OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_CHECKSIGADD OP_UNKNOWN OP_INVALIDOPCODE'],
  ];
  for (const [hex, asm] of cases) assert.equal(scriptToAsm(fromHex(hex)), asm, hex);
});

test('a hash type is shown behind a signature, where that is asked for', () => {
  // The signature's length byte fits what follows it: 0x44 + 3 bytes with the hash type.
  const push = (last: string): Uint8Array => {
    const data = `${SIGNATURE.replace('3044', '3045')}${last}`;
    return fromHex(`${(data.length / 2).toString(16)}${data}`);
  };
  const body = SIGNATURE.replace('3044', '3045');
  assert.equal(scriptToAsm(push('01'), { decodeSighash: true }), `${body}[ALL]`);
  assert.equal(scriptToAsm(push('83'), { decodeSighash: true }), `${body}[SINGLE|ANYONECANPAY]`);
  assert.equal(scriptToAsm(push('82'), { decodeSighash: true }), `${body}[NONE|ANYONECANPAY]`);
  assert.equal(scriptToAsm(push('01')), `${body}01`);
  // A key; no defined hash type; and data that nobody signs.
  const key = `02${'11'.repeat(31)}01`;
  assert.equal(scriptToAsm(fromHex(`21${key}`), { decodeSighash: true }), key);
  assert.equal(scriptToAsm(push('5f'), { decodeSighash: true }), `${body}5f`);
  const afterReturn = Uint8Array.of(0x6a, ...push('01'));
  assert.equal(scriptToAsm(afterReturn, { decodeSighash: true }), `OP_RETURN ${body}01`);
  assert.equal(sighash.sighashTypeName(0), undefined);
});

/** Shapes of signatures and keys: each rule of BIP66 alone, hash types, low S, key types. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SECP256K1_ORDER } from '#crypto';
import { ScriptFlag } from '#script';
import { fromHex } from '#util';
import { checkPublicKeyEncoding, checkSignatureEncoding, hasKeyShape } from '../../../src/script/encoding-checks.ts';
import { SigVersion } from '../../../src/script/sig-version.ts';

const { NONE, DERSIG, LOW_S, STRICTENC } = ScriptFlag;

const check = (hex: string, flags: number): string | undefined => checkSignatureEncoding(fromHex(hex), flags);

/** A signature with these R and S (hex), and the hash type. */
function der(r: string, s: string, hashType = '01'): string {
  const byte = (value: number): string => value.toString(16).padStart(2, '0');
  const body = `02${byte(r.length / 2)}${r}02${byte(s.length / 2)}${s}`;
  return `30${byte(body.length / 2)}${body}${hashType}`;
}

test('strict DER: what is right', () => {
  const long = `00${'80'.repeat(32)}`;
  for (const hex of [
    der('01', '01'),
    der('7f', '01'),
    der('01', '7f'),
    der('0080', '00ff'),
    der('00', '00'),
    der('0101', '7f00'),
    der(long, long),
  ]) {
    assert.equal(check(hex, DERSIG), undefined, hex);
  }
  assert.equal(fromHex(der(long, long)).length, 73, 'the longest');
  assert.equal(fromHex(der('01', '01')).length, 9, 'the shortest');
  assert.equal(check('', DERSIG | LOW_S | STRICTENC), undefined, 'empty');
});

test('strict DER: one thing wrong', () => {
  const long = `00${'80'.repeat(32)}`;
  const wrong: Readonly<Record<string, string>> = {
    'too short': '3005020101020001',
    'too long': der(`${long}80`, long),
    'no sequence': `31${der('01', '01').slice(2)}`,
    'length too small': '300502010102010101',
    'length too large': '300702010102010101',
    'R not an integer': '300603010102010101',
    'S not an integer': '300602010103010101',
    'R empty': der('', '0101'),
    'S empty': der('0101', ''),
    'R negative': der('80', '01'),
    'S negative': der('01', '80'),
    'R padded': der('0001', '01'),
    'S padded': der('01', '0001'),
    'R padded zero': der('0000', '01'),
    'S padded zero': der('01', '0000'),
    'R padded with 7f': der('007f', '01'),
    'S padded with 7f': der('01', '007f'),
    'R over the end': '300602050102010101',
    'R up to the end': '300602040102010101',
    'S too long': '300602010102020101',
    'S too short': '30070201010201010101',
    'something behind': '3007020101020101ff01',
  };
  for (const [name, hex] of Object.entries(wrong)) {
    assert.equal(check(hex, DERSIG), 'SIG_DER', name);
    assert.equal(check(hex, LOW_S), 'SIG_DER', name);
    assert.equal(check(hex, STRICTENC), 'SIG_DER', name);
    assert.equal(check(hex, NONE), undefined, name);
    assert.equal(check(hex, ScriptFlag.NULLDUMMY | ScriptFlag.P2SH), undefined, name);
  }
});

test('hash types, with STRICTENC only', () => {
  for (let type = 0; type < 256; type++) {
    const hex = der('01', '01', type.toString(16).padStart(2, '0'));
    const defined = [1, 2, 3, 0x81, 0x82, 0x83].includes(type);
    assert.equal(check(hex, STRICTENC), defined ? undefined : 'SIG_HASHTYPE', hex);
    assert.equal(check(hex, DERSIG | LOW_S), undefined, hex);
  }
});

test('S is at most half the order, with LOW_S only; it is looked at before the hash type', () => {
  const half = SECP256K1_ORDER / 2n;
  const s = (value: bigint): string => {
    const hex = value.toString(16).padStart(64, '0');
    return hex >= '8' ? `00${hex}` : hex;
  };
  assert.equal(check(der('01', s(half)), LOW_S), undefined);
  assert.equal(check(der('01', s(half + 1n)), LOW_S), 'SIG_HIGH_S');
  assert.equal(check(der('01', s(half + 1n), '00'), LOW_S | STRICTENC), 'SIG_HIGH_S');
  assert.equal(check(der('01', s(half + 1n)), DERSIG | STRICTENC), undefined);
});

const key = (form: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length).fill(0x11);
  if (length > 0) bytes[0] = form;
  return bytes;
};

test('keys: forms and lengths', () => {
  const forms = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0xff];
  for (const form of forms) {
    for (const length of [0, 1, 32, 33, 34, 64, 65, 66]) {
      const bytes = key(form, length);
      const compressed = length === 33 && (form === 2 || form === 3);
      const uncompressed = length === 65 && form === 4;
      const hybrid = length === 65 && (form === 6 || form === 7);
      const name = `form ${form}, ${length} bytes`;
      assert.equal(hasKeyShape(bytes), compressed || uncompressed || hybrid, name);
      const strict = checkPublicKeyEncoding(bytes, STRICTENC, SigVersion.BASE);
      assert.equal(strict, compressed || uncompressed ? undefined : 'PUBKEYTYPE', name);
      const flags = ScriptFlag.WITNESS_PUBKEYTYPE;
      const segwit = checkPublicKeyEncoding(bytes, flags, SigVersion.WITNESS_V0);
      assert.equal(segwit, compressed ? undefined : 'WITNESS_PUBKEYTYPE', name);
      assert.equal(checkPublicKeyEncoding(bytes, flags, SigVersion.BASE), undefined, name);
      assert.equal(checkPublicKeyEncoding(bytes, NONE, SigVersion.WITNESS_V0), undefined, name);
      const both = checkPublicKeyEncoding(bytes, flags | STRICTENC, SigVersion.WITNESS_V0);
      assert.equal(both, compressed ? undefined : uncompressed ? 'WITNESS_PUBKEYTYPE' : 'PUBKEYTYPE', name);
    }
  }
});

/** Addresses: Core's texts for what is wrong, and both directions for any script that has one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base58, bech32, bech32m, createBase58check } from '@scure/base';
import fc from 'fast-check';
import { sha256 } from '#crypto';
import { decodeAddress, decodeWif, encodeAddress, encodeWif, pushNumber } from '#script';
import { concatBytes, toHex } from '#util';

const PREFIXES = { pubKeyHash: 0, scriptHash: 5, secretKey: 128, bech32Hrp: 'bc' };
const GENESIS = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa';
const base58check = createBase58check(sha256);

function errorOf(text: string): string | undefined {
  const decoded = decodeAddress(text, PREFIXES);
  return decoded.kind === 'invalid' ? decoded.error : undefined;
}

const withVersion = (version: number, length: number): string =>
  base58check.encode(concatBytes(Uint8Array.of(version), new Uint8Array(length)));

test('what is wrong with an address is said as Core says it', () => {
  const words = bech32.toWords(new Uint8Array(20).fill(7));
  const cases: readonly (readonly [address: string, error: string])[] = [
    ['', 'Invalid checksum or length of Base58 address (P2PKH or P2SH)'],
    ['0OIl', 'Invalid or unsupported Segwit (Bech32) or Base58 encoding.'],
    ['é', 'Invalid or unsupported Segwit (Bech32) or Base58 encoding.'],
    [`${GENESIS.slice(0, -1)}b`, 'Invalid checksum or length of Base58 address (P2PKH or P2SH)'],
    [withVersion(0, 19), 'Invalid length for Base58 address (P2PKH or P2SH)'],
    [withVersion(5, 21), 'Invalid checksum or length of Base58 address (P2PKH or P2SH)'],
    [withVersion(111, 20), 'Invalid or unsupported Base58-encoded address.'],
    ['1'.repeat(200), 'Invalid or unsupported Segwit (Bech32) or Base58 encoding.'],
    [`bc1${'q'.repeat(90)}`, 'Bech32 string too long'],
    ['bc1Qqqqqqq', 'Invalid character or mixed case'],
    ['bcqqqqqqqq', 'Missing separator'],
    ['bc1qqq', 'Invalid separator position'],
    ['bc1qqqqqqqbi', 'Invalid Base 32 character'],
    ['bc1qqqqqqqqq', 'Invalid checksum'],
    [bech32.encode('bc', []), 'Empty Bech32 data section'],
    [
      bech32.encode('bcrt', [0, ...words]),
      'Invalid or unsupported prefix for Segwit (Bech32) address (expected bc, got bcrt).',
    ],
    [bech32m.encode('bc', [0, ...words]), 'Version 0 witness address must use Bech32 checksum'],
    [bech32.encode('bc', [1, ...words]), 'Version 1+ witness address must use Bech32m checksum'],
    [bech32.encode('bc', [0, 1]), 'Invalid padding in Bech32 data section'],
    [
      bech32.encode('bc', [0, ...bech32.toWords(new Uint8Array(1))]),
      'Invalid Bech32 v0 address program size (1 byte), per BIP141',
    ],
    [
      bech32.encode('bc', [0, ...bech32.toWords(new Uint8Array(21))]),
      'Invalid Bech32 v0 address program size (21 bytes), per BIP141',
    ],
    [bech32m.encode('bc', [17, ...words]), 'Invalid Bech32 address witness version'],
    [
      bech32m.encode('bc', [1, ...bech32.toWords(new Uint8Array(41))]),
      'Invalid Bech32 address program size (41 bytes)',
    ],
  ];
  for (const [address, error] of cases) assert.equal(errorOf(address), error, address);
});

test('blanks around Base58 text are skipped, as in Core; inside they are not', () => {
  assert.equal(errorOf(` \t\n\v\f\r${GENESIS} \n`), undefined);
  assert.notEqual(errorOf(`${GENESIS.slice(0, 5)} ${GENESIS.slice(5)}`), undefined);
  assert.notEqual(errorOf(`\u00a0${GENESIS}`), undefined, 'a no-break space is none');
  assert.notEqual(errorOf(`${GENESIS}\0`), undefined);
});

test('a script that has an address is given back by it', () => {
  const hash = fc.uint8Array({ minLength: 20, maxLength: 20 });
  const script = fc.oneof(
    hash.map((bytes) => concatBytes(Uint8Array.of(0x76, 0xa9, 20), bytes, Uint8Array.of(0x88, 0xac))),
    hash.map((bytes) => concatBytes(Uint8Array.of(0xa9, 20), bytes, Uint8Array.of(0x87))),
    hash.map((bytes) => concatBytes(Uint8Array.of(0, 20), bytes)),
    fc
      .tuple(fc.integer({ min: 1, max: 16 }), fc.uint8Array({ minLength: 2, maxLength: 40 }))
      .map(([version, program]) => concatBytes(pushNumber(version), Uint8Array.of(program.length), program)),
  );
  fc.assert(
    fc.property(script, fc.constantFrom('bc', 'tb', 'bcrt', 'private1net'), (scriptPubKey, bech32Hrp) => {
      const prefixes = { ...PREFIXES, bech32Hrp };
      const address = encodeAddress(scriptPubKey, prefixes);
      assert.ok(address !== undefined);
      const decoded = decodeAddress(address, prefixes);
      // A long prefix and a long program pass the 90 characters of BIP173; Core's address is unreadable then, too.
      if (address.length > 90) assert.equal(decoded.kind, 'invalid');
      else assert.equal(decoded.kind === 'valid' && toHex(decoded.scriptPubKey), toHex(scriptPubKey));
    }),
    { seed: 8 },
  );
});

test('scripts without address: bare keys, data, version 0 of other sizes, nothing', () => {
  const none = ['', '6a', `21${'02'.repeat(33)}ac`, `0015${'00'.repeat(21)}`, `76a914${'00'.repeat(20)}88ad`];
  for (const hex of none) assert.equal(encodeAddress(Buffer.from(hex, 'hex'), PREFIXES), undefined, hex);
});

test('any text is decoded to something, never thrown on', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `bc1${text}`),
      ),
      (text) => {
        assert.ok(['valid', 'invalid'].includes(decodeAddress(text, PREFIXES).kind));
        decodeWif(text, PREFIXES);
      },
    ),
    { seed: 9 },
  );
});

test('private keys: in range, of this network, with the right marker', () => {
  const secret = sha256(Buffer.from('wif'));
  for (const compressed of [true, false]) {
    assert.deepEqual(decodeWif(encodeWif({ secret, compressed }, PREFIXES), PREFIXES), { secret, compressed });
  }
  const wif = encodeWif({ secret, compressed: true }, PREFIXES);
  assert.equal(decodeWif(wif, { ...PREFIXES, secretKey: 239 }), undefined);
  const bad = [
    concatBytes(Uint8Array.of(128), secret, Uint8Array.of(2)),
    concatBytes(Uint8Array.of(128), secret.subarray(1)),
    concatBytes(Uint8Array.of(128), secret, Uint8Array.of(1, 1)),
    concatBytes(Uint8Array.of(128), new Uint8Array(32)),
    concatBytes(Uint8Array.of(128), new Uint8Array(32).fill(0xff)),
  ];
  for (const payload of bad) assert.equal(decodeWif(base58check.encode(payload), PREFIXES), undefined);
  assert.equal(decodeWif(base58.encode(new Uint8Array(3)), PREFIXES), undefined);
});

test('the longest address that is read has 90 characters', () => {
  const program = concatBytes(Uint8Array.of(0x60, 40), new Uint8Array(40).fill(9));
  for (const [hrpLength, readable] of [
    [18, true],
    [19, false],
  ] as const) {
    const prefixes = { ...PREFIXES, bech32Hrp: 'x'.repeat(hrpLength) };
    const words = [16, ...bech32m.toWords(program.subarray(2))];
    const address = bech32m.encode(prefixes.bech32Hrp, words, false);
    assert.equal(address.length, readable ? 90 : 91);
    const decoded = decodeAddress(address, prefixes);
    if (readable) assert.deepEqual(decoded, { kind: 'valid', scriptPubKey: program });
    else assert.deepEqual(decoded, { kind: 'invalid', error: 'Bech32 string too long', locations: [90] });
    const wrong = `${address.slice(0, -1)}${address.endsWith('q') ? 'p' : 'q'}`;
    const [error, location] = readable ? ['Invalid Bech32m checksum', 89] : ['Bech32 string too long', 90];
    assert.deepEqual(decodeAddress(wrong, prefixes), { kind: 'invalid', error, locations: [location] });
  }
});

test('capital letters are read like small ones', () => {
  const script = concatBytes(Uint8Array.of(0, 20), new Uint8Array(20).fill(5));
  const address = encodeAddress(script, PREFIXES) ?? '';
  assert.deepEqual(decodeAddress(address.toUpperCase(), PREFIXES), { kind: 'valid', scriptPubKey: script });
});

test('Base58 of 100 bytes is read, of 101 not; an empty payload has no version', () => {
  assert.equal(errorOf('1'.repeat(100)), 'Invalid checksum or length of Base58 address (P2PKH or P2SH)');
  assert.equal(errorOf('1'.repeat(101)), 'Invalid or unsupported Segwit (Bech32) or Base58 encoding.');
  assert.equal(errorOf(base58check.encode(new Uint8Array(0))), 'Invalid or unsupported Base58-encoded address.');
  assert.equal(
    errorOf(base58.encode(new Uint8Array(3))),
    'Invalid checksum or length of Base58 address (P2PKH or P2SH)',
  );
  assert.equal(errorOf(withVersion(5, 20)), undefined);
  assert.equal(errorOf(withVersion(0, 21)), 'Invalid checksum or length of Base58 address (P2PKH or P2SH)');
  assert.equal(errorOf(withVersion(5, 19)), 'Invalid length for Base58 address (P2PKH or P2SH)');
  assert.equal(errorOf(withVersion(1, 19)), 'Invalid or unsupported Base58-encoded address.');
});

test('characters that no address has, wherever they stand, and letters of one size only', () => {
  assert.equal(errorOf('bc1qqqqqqé'), 'Invalid character or mixed case');
  assert.equal(errorOf('bc1qqqqqqqB'), 'Invalid character or mixed case');
  assert.equal(errorOf('BC1QQQQQQQQ'), 'Invalid checksum');
  assert.equal(errorOf('bc1bqqqqqqq'), 'Invalid Base 32 character');
});

test('where the separator may stand', () => {
  assert.equal(errorOf('bc1qqqqq'), 'Invalid separator position');
  assert.equal(errorOf('bc1qqqqqq'), 'Invalid checksum');
  const prefixes = { ...PREFIXES, bech32Hrp: '1' };
  const error = 'Invalid separator position';
  assert.deepEqual(decodeAddress('1qqqqqqqq', prefixes), { kind: 'invalid', error, locations: [0] });
});

test('versions and sizes of witness programs that have an address', () => {
  const hasAddress = (version: number, length: number): boolean => {
    const script = concatBytes(pushNumber(version), Uint8Array.of(length), new Uint8Array(length));
    const address = encodeAddress(script, PREFIXES);
    if (address === undefined) return false;
    assert.equal(errorOf(address), undefined, address);
    return true;
  };
  for (let length = 1; length <= 41; length++) {
    assert.equal(hasAddress(0, length), length === 20 || length === 32, `${length}`);
    for (const version of [1, 16]) assert.equal(hasAddress(version, length), length >= 2 && length <= 40, `${length}`);
  }
});

test('pay to anchor has the same address for everybody on a network', () => {
  const scriptPubKey = Uint8Array.of(0x51, 2, 0x4e, 0x73);
  for (const [bech32Hrp, address] of [
    ['bc', 'bc1pfeessrawgf'],
    ['tb', 'tb1pfees9rn5nz'],
    ['bcrt', 'bcrt1pfeesnyr2tx'],
  ] as const) {
    const prefixes = { ...PREFIXES, bech32Hrp };
    assert.equal(encodeAddress(scriptPubKey, prefixes), address);
    const decoded = decodeAddress(address, prefixes);
    assert.deepEqual(decoded.kind !== 'invalid' && decoded.scriptPubKey, scriptPubKey);
  }
});

test('a program of one byte is said to be too short', () => {
  for (const version of [1, 16]) {
    const address = bech32m.encode('bc', [version, ...bech32m.toWords(Uint8Array.of(1))]);
    assert.equal(errorOf(address), 'Invalid Bech32 address program size (1 byte)');
  }
});

test('a script that differs from pay-to-key-hash in one byte of its frame has no address', () => {
  const frame = concatBytes(Uint8Array.of(0x76, 0xa9, 20), new Uint8Array(20), Uint8Array.of(0x88, 0xac));
  assert.notEqual(encodeAddress(frame, PREFIXES), undefined);
  for (const at of [0, 1, 2, 23, 24]) {
    const other = frame.map((byte, i) => (i === at ? byte + 1 : byte));
    assert.equal(encodeAddress(other, PREFIXES), undefined, `byte ${at}`);
  }
  assert.equal(encodeAddress(frame.subarray(0, 24), PREFIXES), undefined);
  assert.equal(encodeAddress(concatBytes(frame, Uint8Array.of(0)), PREFIXES), undefined);
});

test('lengths of private keys', () => {
  const key = new Uint8Array(32).fill(1);
  const decoded = (...rest: readonly number[]) =>
    decodeWif(base58check.encode(concatBytes(Uint8Array.of(128), key, Uint8Array.from(rest))), PREFIXES);
  assert.deepEqual(decoded(), { secret: key, compressed: false });
  assert.deepEqual(decoded(1), { secret: key, compressed: true });
  for (const rest of [[0], [2], [1, 0], [0, 1], [1, 1]]) assert.equal(decoded(...rest), undefined);
});

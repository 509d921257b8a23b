/** Bitcoin Core's key_io_valid.json, key_io_invalid.json and base58_encode_decode.json. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base58 } from '@scure/base';
import type { NetworkParams } from '#consensus';
import { decodeAddress, decodeWif, encodeAddress, encodeWif } from '#script';
import { fromHex, toHex } from '#util';
import { coreVectors, list, text } from '../support/core-vectors.ts';

const TEST_PREFIXES = { pubKeyHash: 111, scriptHash: 196, secretKey: 239, bech32Hrp: 'tb' };
const CHAINS: Readonly<Record<string, NetworkParams['address']>> = {
  main: { pubKeyHash: 0, scriptHash: 5, secretKey: 128, bech32Hrp: 'bc' },
  test: TEST_PREFIXES,
  signet: TEST_PREFIXES,
  regtest: { ...TEST_PREFIXES, bech32Hrp: 'bcrt' },
};

type Metadata = {
  readonly chain: string;
  readonly isPrivkey: boolean;
  readonly isCompressed?: boolean;
  readonly tryCaseFlip?: boolean;
};

const flipCase = (value: string): string =>
  value.replace(/[a-z]/gi, (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()));

const valid = coreVectors('key_io_valid.json');

test('key_io_valid.json', { skip: valid === undefined && 'no vectors' }, (t) => {
  let keys = 0;
  let addresses = 0;
  for (const row of valid ?? []) {
    const [encoded, payload, metadata] = list(row) as [string, string, Metadata];
    const prefixes = CHAINS[metadata.chain];
    assert.ok(prefixes);
    const key = decodeWif(encoded, prefixes);
    const address = decodeAddress(encoded, prefixes);
    if (metadata.isPrivkey) {
      assert.equal(key && toHex(key.secret), payload);
      assert.equal(key?.compressed, metadata.isCompressed);
      assert.equal(key && encodeWif(key, prefixes), encoded);
      assert.equal(address.kind, 'invalid', 'a key is no address');
      keys++;
      continue;
    }
    assert.equal(address.kind === 'valid' ? toHex(address.scriptPubKey) : address.error, payload);
    assert.equal(encodeAddress(fromHex(payload), prefixes), encoded);
    assert.equal(key, undefined, 'an address is no key');
    const flipped = decodeAddress(flipCase(encoded), prefixes);
    assert.equal(flipped.kind === 'valid', metadata.tryCaseFlip === true, encoded);
    addresses++;
  }
  assert.equal(keys + addresses, valid?.length);
  t.diagnostic(`${keys + addresses} of ${valid?.length}: ${keys} keys, ${addresses} addresses`);
});

const invalid = coreVectors('key_io_invalid.json');

test('key_io_invalid.json', { skip: invalid === undefined && 'no vectors' }, (t) => {
  let count = 0;
  for (const row of invalid ?? []) {
    const [encoded] = list(row);
    for (const prefixes of Object.values(CHAINS)) {
      assert.equal(decodeAddress(text(encoded), prefixes).kind, 'invalid', text(encoded));
      assert.equal(decodeWif(text(encoded), prefixes), undefined, text(encoded));
    }
    count++;
  }
  assert.equal(count, 70);
  t.diagnostic(`${count} of ${invalid?.length} refused on four networks`);
});

const base58Vectors = coreVectors('base58_encode_decode.json');

test('base58_encode_decode.json', { skip: base58Vectors === undefined && 'no vectors' }, (t) => {
  let count = 0;
  for (const row of base58Vectors ?? []) {
    const [hex, encoded] = list(row).map(text) as [string, string];
    assert.equal(base58.encode(fromHex(hex)), encoded);
    assert.equal(toHex(base58.decode(encoded)), hex);
    count++;
  }
  assert.equal(count, base58Vectors?.length);
  t.diagnostic(`${count} of ${base58Vectors?.length}`);
});

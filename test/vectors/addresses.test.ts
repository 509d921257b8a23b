/** Bitcoin Core's key_io_valid.json, key_io_invalid.json and base58_encode_decode.json. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base58 } from '@scure/base';
import type { NetworkParams } from '#consensus';
import { decodeAddress, decodeWif, encodeAddress, encodeWif } from '#script';
import { fromHex, toHex } from '#util';
import { coreVectors, list, reportCount, text } from '../support/core-vectors.ts';
import { paramsOf } from '../unit/consensus/fixtures.ts';

/** By the names that the files use. */
const CHAINS: Readonly<Record<string, NetworkParams['address']>> = {
  main: paramsOf('mainnet').address,
  test: paramsOf('testnet3').address,
  signet: paramsOf('signet').address,
  regtest: paramsOf('regtest').address,
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
  const remark = `${keys} keys, ${addresses} addresses`;
  reportCount(t, 'key_io_valid.json', keys + addresses, valid?.length ?? 0, remark);
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
  reportCount(t, 'key_io_invalid.json', count, invalid?.length ?? 0, 'refused on four networks');
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
  reportCount(t, 'base58_encode_decode.json', count, base58Vectors?.length ?? 0);
});

/** `blocktxn/1`: places as distances (BIP152), over their whole range. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError, Transaction } from '#primitives';
import { streams } from '#protocol';
import { fromHex, toHex } from '#util';
import { GENESIS_COINBASE, genesisHash } from './vectors.ts';

const { request, response, maxRequestBytes } = streams.blocktxn;
const HASH = '11'.repeat(32);
const LAST = 16_665;

test('any ascending places come back, within the bound of the row', () => {
  const places = fc
    .uniqueArray(fc.nat(LAST), { minLength: 1, maxLength: 2000 })
    .map((all) => all.sort((a, b) => a - b));
  fc.assert(
    fc.property(places, (indexes) => {
      const bytes = request.encode({ hash: genesisHash, indexes });
      assert.ok(bytes.length <= maxRequestBytes);
      assert.deepEqual(request.decode(bytes), { hash: genesisHash, indexes });
    }),
    { numRuns: 50 },
  );
  const all = Array.from({ length: LAST + 1 }, (_, index) => index);
  assert.equal(request.encode({ hash: genesisHash, indexes: all }).length, maxRequestBytes);
});

test('a place behind the last one of any block is refused, however it is reached', () => {
  assert.deepEqual(request.decode(fromHex(`${HASH}01fd1941`)).indexes, [LAST]);
  for (const places of [
    '01fd1a41', // 16,666 at once
    '02fd194100', // the one behind the last
    '02fdffff00', // Core's bound, 65,535
    '03fe00000002fe00000002fe00000002', // the largest compact sizes, again and again
    '02ffffffffffffffffff00', // 2^64 - 1, which would come back to 0
  ]) {
    assert.throws(() => request.decode(fromHex(HASH + places)), DecodeError, places);
  }
});

test('places that do not ascend cannot be asked', () => {
  for (const indexes of [[1, 1], [2, 1], [LAST + 1], []]) {
    assert.throws(() => request.encode({ hash: genesisHash, indexes }), indexes.join());
  }
});

test('an answer holds any number of transactions', () => {
  const coinbase = Transaction.fromBytes(fromHex(GENESIS_COINBASE));
  for (const count of [0, 1, 300]) {
    const bytes = response.encode(new Array(count).fill(coinbase));
    assert.deepEqual(
      response.decode(bytes).map((tx) => toHex(tx.raw)),
      new Array(count).fill(GENESIS_COINBASE),
    );
  }
});

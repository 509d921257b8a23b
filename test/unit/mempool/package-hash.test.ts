import assert from 'node:assert/strict';
import { it } from 'node:test';
import { packageHash } from '#mempool';
import { parseTxid, type Wtxid } from '#primitives';
import { toReversedHex } from '#util';

/** The transactions of Core's package_hash_tests, and SHA-256 of their wtxids one after the other. */
const WTXIDS = [
  '85cd1a31eb38f74ed5742ec9cb546712ab5aaf747de28a9168b53e846cbda17f',
  'b4749f017444b051c44dfd2720e88f314ff94f3dd6d56d40ef65854fcd7fff6b',
  'e065bac15f62bb4e761d761db928ddee65a47296b2b776785abb912cdec474e3',
].map((text): Wtxid => parseTxid(text) as string as Wtxid);
const SHA256 = '0f076ece34c184294c64badd99a4444bb0140d0812f3c76baf466180db2e4fb0';

it('the hash of a package is over its wtxids, whatever their order', () => {
  const [first, second, third] = WTXIDS;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  for (const order of [WTXIDS, [third, second, first], [second, first, third]]) {
    assert.equal(packageHash(order), toReversedHex(Buffer.from(SHA256, 'hex')));
  }
  assert.notEqual(packageHash([first, second]), packageHash([first, third]));
});

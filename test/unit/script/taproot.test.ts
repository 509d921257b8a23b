/** BIP341's hashes written out, and the tree that a control block's path goes up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '#crypto';
import { concatBytes, fromHex, toHex } from '#util';
import {
  annexOf,
  isControlBlockSize,
  isTapscriptControl,
  TAPROOT_LEAF_MASK,
  TAPROOT_LEAF_TAPSCRIPT,
  tapBranchHash,
  tapLeafHash,
  taprootMerkleRoot,
  tapTweakHash,
} from '../../../src/script/taproot.ts';

function tagged(tag: string, ...parts: readonly Uint8Array[]): string {
  const hash = sha256(Buffer.from(tag));
  return toHex(sha256(concatBytes(hash, hash, ...parts)));
}

const low = new Uint8Array(32).fill(1);
const high = new Uint8Array(32).fill(2);

test('leaf, branch and tweak', () => {
  assert.equal(toHex(tapLeafHash(0xc0, fromHex('51ac'))), tagged('TapLeaf', fromHex('c00251ac')));
  const long = new Uint8Array(300);
  assert.equal(toHex(tapLeafHash(0xfe, long)), tagged('TapLeaf', fromHex('fefd2c01'), long));
  for (const pair of [
    [low, high],
    [high, low],
  ] as const) {
    assert.equal(toHex(tapBranchHash(...pair)), tagged('TapBranch', low, high), 'the smaller first');
  }
  assert.equal(toHex(tapTweakHash(low)), tagged('TapTweak', low));
  assert.equal(toHex(tapTweakHash(low, high)), tagged('TapTweak', low, high));
});

test('the path goes up from the leaf, node by node', () => {
  const head = new Uint8Array(33).fill(9);
  assert.equal(taprootMerkleRoot(head, low), low);
  const one = tapBranchHash(low, high);
  assert.deepEqual(taprootMerkleRoot(concatBytes(head, high), low), one);
  const top = new Uint8Array(32).fill(3);
  assert.deepEqual(taprootMerkleRoot(concatBytes(head, high, top), low), tapBranchHash(one, top));
});

test('sizes of control blocks', () => {
  const sizes = Array.from({ length: 5000 }, (_, length) => length).filter(isControlBlockSize);
  assert.deepEqual(
    sizes,
    Array.from({ length: 129 }, (_, nodes) => 33 + 32 * nodes),
  );
});

test('leaf versions are even; tapscript’s is 0xc0', () => {
  assert.deepEqual([TAPROOT_LEAF_MASK, TAPROOT_LEAF_TAPSCRIPT], [0xfe, 0xc0]);
});

test('the annex is the last of two or more items, by its first byte', () => {
  const annex = fromHex('5001');
  const other = fromHex('5101');
  assert.equal(annexOf([other, annex]), annex);
  assert.equal(annexOf([other, other, annex]), annex);
  assert.equal(annexOf([annex]), undefined);
  assert.equal(annexOf([annex, other]), undefined);
  assert.equal(annexOf([other, fromHex('')]), undefined);
  assert.equal(annexOf([]), undefined);
});

test('a tapscript’s control block begins with 0xc0 or 0xc1', () => {
  const leaves = ['c0', 'c1', 'c000', 'c2', 'bf', '50', '01', ''].filter((hex) => isTapscriptControl(fromHex(hex)));
  assert.deepEqual(leaves, ['c0', 'c1', 'c000']);
});

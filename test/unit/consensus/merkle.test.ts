/** Merkle roots and the detection of CVE-2012-2459. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { merkleRoot } from '#consensus';
import { hash256 } from '#crypto';
import { concatBytes, toHex } from '#util';
import { merkleTree } from '../../../src/consensus/merkle.ts';

const leaf = (n: number): Uint8Array => hash256(Uint8Array.of(n & 0xff, n >> 8));
const leaves = (...numbers: number[]): Uint8Array[] => numbers.map(leaf);

/** The definition, as plainly as it can be said. */
function plainRoot(level: readonly Uint8Array[]): Uint8Array {
  const [first] = level;
  if (first === undefined) return new Uint8Array(32);
  if (level.length === 1) return first;
  const next: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i] ?? first;
    next.push(hash256(concatBytes(left, level[i + 1] ?? left)));
  }
  return plainRoot(next);
}

test('no leaves, one leaf, two leaves', () => {
  assert.deepEqual(merkleRoot([]), new Uint8Array(32));
  assert.deepEqual(merkleRoot([leaf(1)]), leaf(1));
  assert.deepEqual(merkleRoot(leaves(1, 2)), hash256(concatBytes(leaf(1), leaf(2))));
});

test('roots equal the plain definition for any number of leaves', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 1000 }), (count, first) => {
      const some = Array.from({ length: count }, (_, i) => leaf(first + i));
      const { root, mutated } = merkleTree(some);
      assert.equal(toHex(root), toHex(plainRoot(some)));
      assert.equal(mutated, false);
    }),
  );
});

test('the leaves themselves are not changed', () => {
  const some = leaves(1, 2, 3);
  merkleTree(some);
  assert.deepEqual(some, leaves(1, 2, 3));
});

test('repeating the tail gives the same root, and is noticed', () => {
  const pairs: readonly [number[], number[]][] = [
    [
      [1, 2, 3],
      [1, 2, 3, 3],
    ],
    [
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6, 5, 6],
    ],
    [
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5, 5],
    ],
    [
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5, 5, 5, 5],
    ],
  ];
  for (const [honest, forged] of pairs) {
    assert.equal(merkleTree(leaves(...honest)).mutated, false);
    const tree = merkleTree(leaves(...forged));
    assert.deepEqual(tree.root, merkleRoot(leaves(...honest)));
    assert.equal(tree.mutated, true, forged.join());
  }
});

test('equal leaves that are no pair are no mutation', () => {
  assert.equal(merkleTree(leaves(1, 2, 2, 3)).mutated, false);
  assert.equal(merkleTree(leaves(1, 2, 1, 3)).mutated, false);
  assert.equal(merkleTree(leaves(1, 2, 2)).mutated, false);
});

test('equal neighbours are found in the first pair as in the last, and only when every byte is equal', () => {
  const leaf = (first: number, rest = 7): Uint8Array => new Uint8Array(32).fill(rest).fill(first, 0, 1);
  const mutated = (...leaves: Uint8Array[]): boolean => merkleTree(leaves).mutated;
  assert.equal(mutated(leaf(1), leaf(1)), true);
  assert.equal(mutated(leaf(1), leaf(1), leaf(1, 8), leaf(2)), true, 'the next leaf begins alike');
  assert.equal(mutated(leaf(2), leaf(3), leaf(1), leaf(1)), true);
  assert.equal(mutated(leaf(1), leaf(2)), false, 'the first byte differs');
  assert.equal(mutated(leaf(1), leaf(1).fill(9, 31)), false, 'the last byte differs');
  assert.equal(mutated(leaf(2), leaf(1), leaf(1), leaf(3)), false, 'no pair of the tree');
});

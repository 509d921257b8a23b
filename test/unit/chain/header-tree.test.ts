import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BlockHeader, parseBlockHash } from '#primitives';
import { seededRandom } from '#util';
import { locatorIds } from '../../../src/chain/active-chain.ts';
import { type HeaderId, HeaderTree } from '../../../src/chain/header-tree.ts';

/** A tree whose header i + 1 has the parent `parents[i] mod (i + 1)`; genesis is 0. */
function buildTree(parents: readonly number[]) {
  const tree = new HeaderTree(seededRandom(1));
  const parentOf: (number | undefined)[] = [];
  const headers: BlockHeader[] = [];
  const add = (parent: HeaderId | undefined): void => {
    const header = BlockHeader.fromFields({
      version: 1,
      prevHash: parent === undefined ? NO_HASH : tree.entry(parent).hash,
      merkleRoot: new Uint8Array(32).fill(tree.size & 0xff),
      time: 1_000_000 + ((tree.size * 7919) % 1000),
      bits: 0x207fffff,
      nonce: tree.size,
    });
    tree.add(header, parent, workOf(tree.size));
    headers.push(header);
    parentOf.push(parent);
  };
  add(undefined);
  parents.forEach((parent, i) => add(parent % (i + 1)));
  return { tree, parentOf, headers };
}

const NO_HASH = parseBlockHash('00'.repeat(32));
const fields = { version: 1, merkleRoot: new Uint8Array(32), time: 1, bits: 0x207fffff, nonce: 0 };
/** Around and beyond one word, not in the order of the ids. */
const workOf = (id: number): bigint => (BigInt((id * 7919) % 1009) << 64n) + 2n ** 64n - BigInt((id * 31) % 17);

const tree0Hash = new BlockHeader(new Uint8Array(80)).hash;

function pathOf(id: number, parentOf: readonly (number | undefined)[]): number[] {
  const path: number[] = [];
  for (let walk: number | undefined = id; walk !== undefined; walk = parentOf[walk]) path.unshift(walk);
  return path;
}

/** Mostly long chains with some branches. */
const parents = fc
  .array(fc.tuple(fc.nat(9), fc.nat(1000)), { minLength: 1, maxLength: 300 })
  .map((picks) => picks.map(([kind, any], i) => (kind < 8 ? i : any)));

describe('HeaderTree', () => {
  it('finds ancestors and forks as a walk along parents does', () => {
    fc.assert(
      fc.property(parents, fc.nat(), fc.nat(), fc.nat(), (list, a, b, h) => {
        const { tree, parentOf } = buildTree(list);
        const [x, y] = [a % tree.size, b % tree.size];
        const [pathX, pathY] = [pathOf(x, parentOf), pathOf(y, parentOf)];
        const height = h % pathX.length;
        assert.equal(tree.heightOf(x), pathX.length - 1);
        assert.equal(tree.ancestorOf(x, height), pathX[height]);
        const fork = pathX.findLast((id, i) => pathY[i] === id);
        assert.equal(tree.forkOf(x, y), fork);
        assert.equal(tree.isAncestor(x, y), pathY.includes(x));
      }),
      { numRuns: 200 },
    );
  });

  it('finds every header by its hash, over several growths, and no other', () => {
    const { tree } = buildTree(Array.from({ length: 20_000 }, (_, i) => i));
    for (let id = 0; id < tree.size; id += 7) assert.equal(tree.find(tree.entry(id).hash), id);
    assert.equal(tree.find(tree0Hash), undefined);
  });

  it('gives back what was added, over several growths', () => {
    const { tree, headers } = buildTree(
      Array.from({ length: 20_000 }, (_, i) => (i % 3 === 0 ? i : Math.floor(i / 2))),
    );
    const ids = Array.from({ length: 300 }, (_, i) => i * 66);
    const given = tree.headersOf(ids);
    for (const [i, id] of ids.entries()) {
      const entry = tree.entry(id);
      const header = headers[id];
      assert(header !== undefined);
      assert.deepEqual(entry.header.raw, header.raw);
      assert.deepEqual(given[i]?.raw, header.raw);
      assert.deepEqual(
        [entry.hash, entry.version, entry.time, entry.bits, entry.chainWork],
        [header.hash, header.version, header.time, header.bits, workOf(id)],
      );
      const other = (id * 31 + 7) % tree.size;
      assert.equal(tree.hasMoreWork(id, other), workOf(id) > workOf(other));
    }
  });

  it('refuses what it cannot keep: a header twice, a genesis with a parent, work that nobody can do', () => {
    const { tree, headers } = buildTree([0]);
    assert.throws(() => tree.add(headers[1] as BlockHeader, 0, 1n), /added once/);
    const orphan = BlockHeader.fromFields({ ...fields, prevHash: tree0Hash });
    assert.throws(() => new HeaderTree(seededRandom(1)).add(orphan, undefined, 1n), /genesis has no parent/);
    const next = BlockHeader.fromFields({ ...fields, prevHash: tree.entry(1).hash });
    assert.throws(() => tree.add(next, 1, 2n ** 128n), /below 2\^128/);
  });

  it('takes the median of the last eleven times, and of fewer near genesis', () => {
    const { tree, parentOf } = buildTree(Array.from({ length: 40 }, (_, i) => i));
    for (const id of [0, 1, 2, 5, 10, 11, 40]) {
      const times = pathOf(id, parentOf)
        .slice(-11)
        .map((each) => tree.entry(each).time)
        .sort((a, b) => a - b);
      assert.equal(tree.entry(id).medianTimePast, times[Math.floor(times.length / 2)]);
    }
  });

  it('makes locators that start dense, end at genesis and stay short', () => {
    const { tree } = buildTree(Array.from({ length: 5000 }, (_, i) => i));
    const heights = locatorIds(tree, 5000).map((id) => tree.heightOf(id));
    assert.deepEqual(
      heights.slice(0, 13),
      [5000, 4999, 4998, 4997, 4996, 4995, 4994, 4993, 4992, 4991, 4990, 4988, 4984],
    );
    assert.equal(heights.at(-1), 0);
    assert.ok(heights.length <= 32);
  });
});

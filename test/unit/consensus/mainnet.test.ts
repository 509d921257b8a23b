/** Real blocks: the first 4,313 of mainnet pass every rule that needs no coins, in place; block 413567 alone. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  bip30Applies,
  blockProof,
  checkBlock,
  checkBlockHeader,
  contextualCheckBlock,
  contextualCheckBlockHeader,
  type HeaderView,
  permittedDifficultyTransition,
} from '#consensus';
import { Block, Reader } from '#primitives';
import { equalBytes, toHex } from '#util';
import { blockMerkleTree } from '../../../src/consensus/merkle.ts';
import { legacySigOpCount } from '../../../src/consensus/sigops.ts';
import { sharedPath } from '../../support/shared.ts';
import { paramsOf, tipOf, viewAt } from './fixtures.ts';

const mainnet = paramsOf('mainnet');
const NOW = 1_700_000_000;

/** Blocks of a file in Core's format: magic, length, block. */
function* blocksOf(path: string): Generator<Block> {
  const reader = new Reader(readFileSync(path));
  while (reader.remaining > 0) {
    assert.equal(toHex(reader.take(4)), 'f9beb4d9');
    yield Block.fromBytes(reader.take(reader.u32()));
  }
}

const chainFile = sharedPath('data/mainnet-0-4312.dat');

test('the first 4,313 blocks of mainnet', { skip: chainFile === undefined && 'no shared data' }, () => {
  assert(chainFile !== undefined);
  const views: HeaderView[] = [];
  let work = 0n;
  let retargets = 0;
  for (const block of blocksOf(chainFile)) {
    const { header } = block;
    const height = views.length;
    assert.equal(checkBlock(block, mainnet), undefined, `block ${height}`);
    if (height === 0) {
      assert(equalBytes(block.raw, mainnet.genesis.raw));
    } else {
      const prev = tipOf(views);
      assert.equal(header.prevHash, prev.hash);
      assert.equal(contextualCheckBlockHeader(header, prev, mainnet, NOW), undefined, `header ${height}`);
      assert.equal(contextualCheckBlock(block, prev, mainnet), undefined, `block ${height}`);
      assert(permittedDifficultyTransition(mainnet, height, prev.bits, header.bits));
      if (height % 2016 === 0) retargets++;
    }
    const { version, time, bits, hash } = header;
    views.push({ height, version, time, bits, hash, ancestor: (h) => viewAt(views, h) });
    work += blockProof(bits);
  }
  assert.equal(views.length, 4313);
  assert.equal(retargets, 2);
  assert.equal(tipOf(views).hash, '00000000a9da635727dce622d78361b153ce3334e6a60d4377fad529abfc7863');
  // Every one of them at the pow limit.
  assert.equal(work, 4313n * 0x100010001n);
  assert.equal(bip30Applies(tipOf(views), mainnet), true);
});

const largeFile = sharedPath('data/mainnet-413567.raw');

test('block 413567 of mainnet', { skip: largeFile === undefined && 'no shared data' }, () => {
  assert(largeFile !== undefined);
  const block = Block.fromBytes(readFileSync(largeFile));
  assert.equal(checkBlockHeader(block.header, mainnet), undefined);
  assert.equal(checkBlock(block, mainnet), undefined);
  assert.equal(block.transactions.length, 1557);
  assert.equal(block.weight, 4 * 999_887);
  const tree = blockMerkleTree(block);
  assert(equalBytes(tree.root, block.header.merkleRoot) && !tree.mutated);
  const sigOps = block.transactions.reduce((sum, tx) => sum + legacySigOpCount(tx), 0);
  assert.equal(sigOps, 2841);
});

test(
  'one flipped bit anywhere in block 413567 is noticed',
  { skip: largeFile === undefined && 'no shared data' },
  () => {
    assert(largeFile !== undefined);
    const raw = readFileSync(largeFile);
    for (const offset of [4, 40, 70, 75, 79, 1000, 500_000, raw.length - 5]) {
      const forged = Uint8Array.from(raw);
      forged[offset] = (forged[offset] ?? 0) ^ 1;
      const code = checkBlock(Block.fromBytes(forged), mainnet)?.code;
      assert.equal(code, offset < 80 ? 'high-hash' : 'bad-txnmrklroot', `offset ${offset}`);
    }
  },
);

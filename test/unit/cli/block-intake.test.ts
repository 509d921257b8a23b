import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Block } from '#primitives';
import { BlockIntake, type Rejection } from '../../../src/cli/block-intake.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { openTestChain } from '../../support/test-chain.ts';

const BLOCKS = 12;

function builtBlocks(): Block[] {
  const builder = createChainBuilder(regtest(), { seed: 5 });
  for (let i = 0; i < BLOCKS; i++) builder.mine();
  return [...builder.blocks];
}

async function importInOrder(order: readonly Block[], maxHeldBytes: number, maxWaiting = 1000) {
  await using chain = await openTestChain(regtest());
  const rejections: Rejection[] = [];
  const limits = { maxHeldBytes, maxWaiting, pending: { minBlocks: 2, maxBytes: 700 } };
  const intake = new BlockIntake(chain, limits, (rejection) => rejections.push(rejection));
  for (const block of order) await intake.take(block);
  await intake.settled();
  const wanted = intake.wanted.size;
  for (const block of order) if (intake.wanted.has(block.hash)) await intake.take(block);
  await intake.settled();
  return { height: chain.tip().height, wanted, intake, rejections };
}

test('any order ends at the same tip: with room for bodies in one pass, without in two', async () => {
  const blocks = builtBlocks();
  const orders = fc.shuffledSubarray(blocks, { minLength: BLOCKS, maxLength: BLOCKS });
  await fc.assert(
    fc.asyncProperty(orders, fc.integer({ min: 0, max: 1200 }), async (order, maxHeldBytes) => {
      const roomy = await importInOrder(order, 1_000_000);
      assert.deepEqual([roomy.height, roomy.wanted, roomy.intake.counts.added], [BLOCKS, 0, BLOCKS]);
      const tight = await importInOrder(order, maxHeldBytes);
      assert.deepEqual([tight.height, tight.intake.wanted.size, tight.intake.orphans], [BLOCKS, 0, 0]);
      assert.equal(tight.intake.counts.added, BLOCKS);
    }),
    { numRuns: 20 },
  );
});

test('blocks without a known parent are counted, and their number is bounded', async () => {
  const [, ...parentless] = builtBlocks();
  const { height, intake } = await importInOrder(parentless, 1_000_000, 4);
  assert.equal(height, 0);
  // Counted once a pass, though only four are kept.
  assert.equal(intake.orphans, BLOCKS - 1);
});

test('known and invalid blocks are told apart', async () => {
  const builder = createChainBuilder(regtest(), { seed: 6 });
  builder.mine();
  const invalid = builder.build({ coinbaseValue: 5_000_000_001n });
  const [first] = builder.blocks;
  assert.ok(first);
  const { intake, rejections } = await importInOrder([first, first, regtest().genesis, invalid], 0);
  assert.deepEqual(intake.counts, { added: 1, known: 2, invalid: 1 });
  assert.deepEqual(rejections, [{ hash: invalid.hash, code: 'bad-cb-amount' }]);
});

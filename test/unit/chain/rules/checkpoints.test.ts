/** Checkpoints: once one is known, no new branch may begin below it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChainBuilder, regtest } from '../../../support/chain-builder.ts';
import { RuleChain, regtestWith } from '../../../support/rule-chain.ts';

const CHECKPOINT = 6;

test('bad-fork-prior-to-checkpoint: below the height of a known checkpoint, not at it', async () => {
  const plain = createChainBuilder(regtest());
  plain.mineMany(CHECKPOINT);
  const params = regtestWith({ checkpoints: { [CHECKPOINT]: plain.tip.hash } });
  const rules = await RuleChain.open({ params, blocks: 0 });
  const early = plain.fork(2);
  await rules.follow(plain.fork(CHECKPOINT - 1));
  assert.equal((await rules.chain.submitBlock(early.mine())).kind, 'stored', 'the checkpoint is not known yet');
  await rules.follow(plain);
  await rules.refuses(early.mine(), 'bad-fork-prior-to-checkpoint', 'checkpoint');
  await rules.refuses(plain.fork(4).mine(), 'bad-fork-prior-to-checkpoint', 'checkpoint');
  // Core compares heights only: a rival of the checkpoint itself is let in.
  assert.equal((await rules.chain.submitBlock(plain.fork(CHECKPOINT - 1).mine())).kind, 'stored');
});

test('bad-fork-prior-to-checkpoint: a checkpoint that never came forbids nothing', async () => {
  const params = regtestWith({ checkpoints: { [CHECKPOINT]: 'ab'.repeat(32) } });
  const rules = await RuleChain.open({ params, blocks: CHECKPOINT + 1 });
  assert.equal((await rules.chain.submitBlock(rules.builder.fork(2).mine())).kind, 'stored');
});

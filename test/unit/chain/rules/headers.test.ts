/** Headers alone and in their place: CheckBlockHeader, AcceptBlockHeader, ContextualCheckBlockHeader. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chain } from '#chain';
import { limits } from '#consensus';
import type { BlockHeader } from '#primitives';
import { createChainBuilder, regtest } from '../../../support/chain-builder.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { RuleChain, regtestWith } from '../../../support/rule-chain.ts';
import { createTestDisk, openTestChain } from '../../../support/test-chain.ts';

const OTHER_BITS = 0x207ffffe;

function headerVerdict(chain: Chain, header: BlockHeader): string {
  const verdict = chain.submitHeaders([header]);
  return verdict.kind === 'rejected' ? `${verdict.failure.kind}: ${verdict.failure.code}` : verdict.kind;
}

test('high-hash: the hash is above the target, or the target above the limit', async () => {
  const rules = await RuleChain.open({ blocks: 2 });
  const unsolved = await rules.reject('high-hash', { work: 'invalid' }, 'invalid-header');
  assert.equal(headerVerdict(rules.chain, unsolved.header), 'invalid-header: high-hash');
  const impossible: readonly [bits: number, work: 'valid' | 'none'][] = [
    // One more than the limit, and much more.
    [0x21008000, 'valid'],
    [0x2100ffff, 'valid'],
    // Negative, and nothing.
    [0x04800001, 'none'],
    [0, 'none'],
  ];
  for (const [bits, work] of impossible) {
    await rules.reject('high-hash', { mutateHeader: (fields) => ({ ...fields, bits }), work }, 'invalid-header');
  }
  await rules.accept();
});

test('bad-diffbits: good work for another target', async () => {
  const rules = await RuleChain.open({ blocks: 2 });
  const other = rules.builder.build({ mutateHeader: (fields) => ({ ...fields, bits: OTHER_BITS }) });
  await rules.refuses(other, 'bad-diffbits', 'invalid-header');
  await rules.accept();
});

test('bad-diffbits: the difficulty changes with the period, and only then', async () => {
  const pow = { targetTimespanSeconds: 10 * 600, noRetargeting: false, allowMinDifficultyBlocks: false };
  const params = regtestWith({ pow });
  const rules = await RuleChain.open({ params, blocks: 0 });
  // A block each 450 seconds: the target shrinks to 9 * 450 / (10 * 600) of what it was.
  while (rules.nextHeight < 10) await rules.accept({ time: rules.builder.view(rules.builder.height).time + 450 });
  const old = rules.builder.tip.block.header.bits;
  await rules.reject('bad-diffbits', { mutateHeader: (fields) => ({ ...fields, bits: old }) }, 'invalid-header');
  const first = await rules.accept();
  assert.ok(first.header.bits < old);
  await rules.reject('bad-diffbits', { mutateHeader: (fields) => ({ ...fields, bits: old }) }, 'invalid-header');
  await rules.accept();
});

test('bad-diffbits: minimum difficulty twenty minutes after the parent, where the network allows it', async () => {
  const pow = { targetTimespanSeconds: 10 * 600, noRetargeting: false, allowMinDifficultyBlocks: true };
  const rules = await RuleChain.open({ params: regtestWith({ pow }), blocks: 0 });
  const timeAfter = (seconds: number) => rules.builder.view(rules.builder.height).time + seconds;
  while (rules.nextHeight < 11) await rules.accept({ time: timeAfter(450) });
  const hard = rules.builder.tip.block.header.bits;
  const easiest = rules.builder.at(0).block.header.bits;
  const withBits = (bits: number, seconds: number) => {
    return { time: timeAfter(seconds), mutateHeader: <T>(fields: T) => ({ ...fields, bits }) };
  };
  await rules.reject('bad-diffbits', withBits(easiest, 1200), 'invalid-header');
  await rules.reject('bad-diffbits', withBits(hard, 1201), 'invalid-header');
  await rules.accept(withBits(easiest, 1201));
  await rules.accept(withBits(hard, 1200));
});

test('time-too-old: equal to the median of the eleven blocks before, and one second later', async () => {
  const rules = await RuleChain.open({ blocks: 0 });
  const start = rules.builder.view(0).time;
  await rules.reject('time-too-old', { time: start }, 'invalid-header');
  for (let i = 1; i <= 11; i++) await rules.accept({ time: start + i * 600 });
  const median = start + 6 * 600;
  await rules.reject('time-too-old', { time: median }, 'invalid-header');
  await rules.accept({ time: median + 1 });
});

test('time-too-new: two hours ahead of the clock, one second more, and later', async () => {
  const builder = createChainBuilder(regtest());
  const nowSeconds = builder.view(0).time + 1000;
  const clock = createManualClock(nowSeconds * 1000);
  const chain = await openTestChain(regtest(), createTestDisk(), { clock });
  const latest = nowSeconds + limits.MAX_FUTURE_BLOCK_SECONDS;
  const early = builder.build({ time: latest + 1 });
  const verdict = await chain.submitBlock(early);
  assert.deepEqual(verdict.kind === 'invalid' && [verdict.failure.kind, verdict.failure.code], [
    'time-future',
    'time-too-new',
  ]);
  assert.equal(headerVerdict(chain, early.header), 'time-future: time-too-new');
  assert.equal((await chain.submitBlock(builder.build({ time: latest }))).kind, 'connected');
  await clock.advance(1000);
  // Nothing was held against it: a block of equal work is stored now.
  assert.equal((await chain.submitBlock(early)).kind, 'stored');
});

test('bad-version: BIP34, BIP66 and BIP65 each end a version at their height', async () => {
  const params = regtestWith({ activation: { bip34: 5, bip66: 8, bip65: 11 } });
  const rules = await RuleChain.open({ params, blocks: 3 });
  const steps: readonly [height: number, outdated: number, code: string][] = [
    [5, 1, 'bad-version(0x00000001)'],
    [8, 2, 'bad-version(0x00000002)'],
    [11, 3, 'bad-version(0x00000003)'],
  ];
  for (const [height, outdated, code] of steps) {
    await rules.extendTo(height - 1);
    await rules.accept({ version: outdated });
    await rules.reject(code, { version: outdated }, 'invalid-header');
    await rules.accept({ version: outdated + 1 });
  }
  for (const [version, code] of [
    [0, 'bad-version(0x00000000)'],
    [-1, 'bad-version(0xffffffff)'],
    [-0x80000000, 'bad-version(0x80000000)'],
  ] as const) {
    await rules.reject(code, { version }, 'invalid-header');
  }
  await rules.accept({ version: 0x7fffffff });
});

test('prev-blk-not-found: the parent is unknown, and then known', async () => {
  const rules = await RuleChain.open({ blocks: 1 });
  const other = rules.builder.fork(1);
  const parent = other.mine();
  const orphan = other.mine();
  await rules.refuses(orphan, 'prev-blk-not-found', 'missing-prev');
  assert.equal(headerVerdict(rules.chain, orphan.header), 'missing-prev: prev-blk-not-found');
  assert.equal((await rules.chain.submitBlock(parent)).kind, 'connected');
  assert.equal((await rules.chain.submitBlock(orphan)).kind, 'connected');
});

test('bad-prevblk and duplicate: what builds on an invalid block, and the block itself', async () => {
  const disk = createTestDisk();
  const rules = await RuleChain.open({ blocks: 1, disk });
  const fork = rules.builder.fork(1);
  const bad = fork.mine({ coinbaseValue: 50_0000_0001n });
  const child = fork.mine();
  await rules.refuses(bad, 'bad-cb-amount');
  await rules.refuses(child, 'bad-prevblk', 'invalid-prev');
  assert.equal(headerVerdict(rules.chain, child.header), 'invalid-prev: bad-prevblk');
  assert.equal(headerVerdict(rules.chain, bad.header), 'cached-invalid: duplicate');
  await rules.accept();
  await rules.chain.flush();
  // A restart forgets the reason, not the fact.
  const reopened = await openTestChain(regtest(), disk);
  assert.equal(headerVerdict(reopened, bad.header), 'cached-invalid: duplicate');
  const again = await reopened.submitBlock(bad);
  assert.deepEqual(again.kind === 'invalid' && again.failure, { kind: 'cached-invalid', code: 'duplicate' });
  assert.equal((await reopened.submitBlock(rules.builder.tip.block)).kind, 'duplicate', 'a good block known already');
});

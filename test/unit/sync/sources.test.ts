/** Which peers bodies come from: all of them at once, the clearly faster one for what holds up the rest, and who pays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syncDefaults } from '#sync';
import { pickRace, type Situation } from '../../../src/sync/assign.ts';
import { Batch, type Slot } from '../../../src/sync/batches.ts';
import { BlockPeer } from '../../../src/sync/block-peer.ts';
import { DownloadWindow } from '../../../src/sync/window.ts';
import { createFakeChain, fakeBlock, fakeBlocks, fakeGenesis } from '../../support/fake-chain.ts';
import { createBench } from './fixtures.ts';

const sizing = { maxBlocksPerPeer: 128, firstBatchBytes: 2_000_000, maxFirstBlocks: 16, inFlightMs: 2000 };
const BLOCK_BYTES = 1000;

/** A window of ten blocks, and peers that have all of them and are measured at a rate. */
function createRace(nowMs: number) {
  const chain = createFakeChain();
  chain.submitHeaders(fakeBlocks(10).map((block) => block.header));
  const window = new DownloadWindow(chain, 100, 1);
  window.setTargets([chain.bestHeader()], 0);
  const [branch] = window.branches;
  assert.ok(branch);
  const peers = new Map<string, BlockPeer>();
  const at: Situation = {
    nowMs,
    blockBytes: BLOCK_BYTES,
    stallMs: 2000,
    sizing,
    holder: ({ peer }) => peers.get(peer),
  };
  return {
    slots: branch.slots,
    peer: (id: string, bytesPerSecond: number): BlockPeer => {
      const peer = new BlockPeer(id, 0, 60_000);
      peers.set(id, peer);
      peer.reach.set(branch, 10);
      peer.rate.account(0, true);
      peer.rate.account(1000, true);
      peer.rate.add(bytesPerSecond);
      peer.rate.account(1000, false);
      return peer;
    },
    ask: (peer: BlockPeer, slots: readonly Slot[], sinceMs: number): void => {
      peer.batches.add(new Batch(peer.id, slots, sinceMs, false));
    },
    raced: (peer: BlockPeer): number[] => pickRace(peer, window.branches, at).map((slot) => slot.height),
  };
}

test('a race is run only by who will clearly be sooner than everybody asked before', () => {
  const race = createRace(10_000);
  const [first, second] = race.slots;
  assert.ok(first && second);
  const holder = race.peer('holder', 50);
  race.ask(holder, [first, second], 5_000);
  assert.deepEqual(race.raced(race.peer('as slow', 50)), [], 'though the holder has been silent for long');
  assert.deepEqual(race.raced(race.peer('fast', 5_000)), [1, 2]);
});

test('a peer that has never shown a rate is outrun when it has been silent for long enough', () => {
  const race = createRace(10_000);
  const unknown = new BlockPeer('unknown', 0, 60_000);
  race.ask(unknown, race.slots.slice(0, 1), 5_000);
  assert.deepEqual(race.raced(race.peer('slow', 250)), [], 'it would need four seconds, the other perhaps five');
  assert.deepEqual(race.raced(race.peer('fast', 5_000)), [1]);
});

test('slow sources do not keep a block from one that is clearly sooner, up to six in all', () => {
  const race = createRace(10_000);
  const [front] = race.slots;
  assert.ok(front);
  for (const id of ['a', 'b', 'c', 'd', 'e']) race.ask(race.peer(id, 50), [front], 5_000);
  const fast = race.peer('fast', 5_000);
  assert.deepEqual(race.raced(fast), [1]);
  race.ask(fast, [front], 5_000);
  assert.deepEqual(race.raced(race.peer('faster', 500_000)), []);
});

test('a benched peer is tried again after seconds with one block, and trusted as before when that comes', () => {
  const peer = new BlockPeer('a', 0, 60_000);
  peer.strike(0);
  assert.ok(peer.strike(0) && peer.isBenched(4_999));
  assert.equal(peer.isBenched(5_000), false);
  assert.equal(peer.room(sizing, BLOCK_BYTES, 2), 1);
  for (const untilMs of [15_000, 35_000, 75_000, 135_000, 195_000]) {
    const nowMs = untilMs - Math.min(60_000, (untilMs + 5_000) / 2);
    assert.equal(peer.strike(nowMs), false, 'one outage is charged once');
    assert.ok(peer.isBenched(untilMs - 1) && !peer.isBenched(untilMs), `benched until ${untilMs}`);
  }
  const batch = new Batch('a', createRace(0).slots.slice(0, 1), 200_000, false);
  batch.advance(BLOCK_BYTES, 200_500);
  peer.completed(batch);
  assert.ok(peer.room(sizing, BLOCK_BYTES, 2) > 1);
  assert.equal(peer.strike(210_000), false);
  assert.ok(peer.strike(210_000) && !peer.isBenched(215_000), 'the bench is short again');
});

test('stored bodies behind the first missing one are not asked for again', async () => {
  const chain = createFakeChain();
  const blocks = fakeBlocks(10);
  chain.submitHeaders(blocks.map((block) => block.header));
  for (const index of [4, 5]) await chain.submitBlock(blocks[index] ?? fakeGenesis);
  const window = new DownloadWindow(chain, 100, 1);
  window.setTargets([chain.bestHeader()], 0);
  const wanted = window.branches[0]?.slots.filter((slot) => slot.state.kind === 'wanted').map((slot) => slot.height);
  assert.deepEqual(wanted, [1, 2, 3, 4, 7, 8, 9, 10]);
});

test('all of forty peers work at once, although a block of each is more than the budget in memory', async () => {
  const [bytes, maxBytes] = [100_000, 1_600_000];
  const options = { ...syncDefaults.blocks, intake: { maxBytes, depth: 4 }, maxAskedBytes: 4 * maxBytes };
  await using bench = createBench({ sync: { blocks: options } });
  const big = fakeBlocks(600, fakeGenesis.hash, { size: bytes });
  for (let i = 0; i < 40; i++) bench.join(`p${i}`, { blocks: big, bytesPerSecond: bytes });
  await bench.reach(big.at(-1));
  const idealMs = (big.length / 40) * 1000;
  assert.ok(bench.clock.monotonicMs() < 1.5 * idealMs, `${bench.clock.monotonicMs()} ms of ${idealMs}`);
});

test('a slow chain has no time for a branch that loses', async () => {
  const size = 20_000;
  const options = { ...syncDefaults.blocks, intake: { maxBytes: 10 * size, depth: 4 } };
  await using bench = createBench({ sync: { blocks: options } });
  const common = fakeBlocks(50, fakeGenesis.hash, { size });
  const main = [...common, ...fakeBlocks(150, common.at(-1)?.hash, { size })];
  const stale = [...common, ...fakeBlocks(140, common.at(-1)?.hash, { size, salt: 5 })];
  const blockMs = 100;
  bench.chain.delay = () => new Promise((resolve) => bench.clock.after(blockMs, resolve));
  for (const id of ['a', 'b']) bench.join(id, { blocks: main, bytesPerSecond: 10 * size });
  for (const id of ['c', 'd']) bench.join(id, { blocks: stale, bytesPerSecond: 100 * size });
  await bench.reach(main.at(-1));
  const idealMs = main.length * blockMs;
  const tookMs = bench.clock.monotonicMs();
  const { length } = bench.chain.submitted;
  await bench.clock.advance(30_000);
  assert.ok(bench.chain.submitted.length <= length + 20, 'nor has anybody once it has lost');
  assert.ok(tookMs < 1.2 * idealMs, `${tookMs} ms of ${idealMs}`);
});

for (const leaver of ['a', 'b']) {
  test(`two announce a branch: when ${leaver} goes after the headers came, the other gives the bodies`, async () => {
    await using bench = createBench();
    const common = fakeBlocks(20);
    const ours = [...common, ...fakeBlocks(10, common.at(-1)?.hash)];
    const theirs = [...common, ...fakeBlocks(40, common.at(-1)?.hash, { salt: 7, size: 50_000 })];
    const peers = ['a', 'b'].map((id) => bench.join(id, { blocks: ours, bytesPerSecond: 200_000 }));
    await bench.reach(ours.at(-1));
    for (const peer of peers) {
      bench.net.setChain(peer, [fakeGenesis, ...theirs]);
      bench.sync.headerAnnounced(peer.id, theirs.at(-1)?.header ?? fakeGenesis.header);
    }
    await bench.clock.runUntil(() => bench.chain.bestHeader().hash === theirs.at(-1)?.hash);
    bench.leave(leaver);
    await bench.reach(theirs.at(-1), 60_000);
  });
}

test('a bad copy from the second source costs the second source, not the slow first one', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(30, fakeGenesis.hash, { size: 4000 });
  bench.join('first', { blocks, behaviour: 'slow-drip' });
  await bench.clock.advance(500);
  bench.join('second', { blocks, behaviour: 'bad-bytes' });
  await bench.clock.advance(5_000);
  assert.ok(bench.net.charged('second').includes('invalid-block'));
  bench.join('third', { blocks });
  await bench.reach(blocks.at(-1), 60_000);
  assert.ok(!bench.net.charged('first').includes('invalid-block'));
  assert.deepEqual(bench.net.charged('third'), []);
});

test('a body that two were asked for and that proves invalid only when connected costs who gave it', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(21, fakeGenesis.hash, { size: 4000 });
  const bad = fakeBlock(blocks.at(-1)?.hash ?? fakeGenesis.hash, { isInvalid: true, size: 4000 });
  const invalid = [...blocks, bad, ...fakeBlocks(60, bad.hash)];
  // The blocks below 15 are missing, so the bad one waits in store.
  bench.join('asked', { blocks: invalid, lowestHeightServed: 15, behaviour: 'slow-drip' });
  await bench.clock.advance(500);
  bench.join('gave', { blocks: invalid, lowestHeightServed: 15 });
  await bench.clock.runUntil(() => bench.chain.hasBlock(bad.hash), 60_000);
  assert.deepEqual(bench.net.charged('gave'), []);
  bench.join('good', { blocks });
  await bench.reach(blocks.at(-1), 60_000);
  await bench.clock.advance(1000);
  assert.deepEqual(bench.net.charged('gave'), ['invalid-block']);
  assert.ok(!bench.net.charged('asked').includes('invalid-block'));
  assert.deepEqual(bench.net.charged('good'), []);
});

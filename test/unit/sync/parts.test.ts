/** The parts of sync, one by one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HeaderEntry } from '#chain';
import type { BlockHash, BlockHeader } from '#primitives';
import { seededRandom } from '#util';
import { Backoff } from '../../../src/sync/backoff.ts';
import { Batch, Slot } from '../../../src/sync/batches.ts';
import { BlockPeer } from '../../../src/sync/block-peer.ts';
import { CrossCheck } from '../../../src/sync/cross-check.ts';
import { forkHeight } from '../../../src/sync/fork-height.ts';
import { chooseNext, dueToEnd } from '../../../src/sync/header-turns.ts';
import { blocksInFlight, DecayingRate, Throughput } from '../../../src/sync/rates.ts';
import { describeSync, type SyncFacts } from '../../../src/sync/status.ts';
import { Tracker } from '../../../src/sync/tracker.ts';
import { DownloadWindow } from '../../../src/sync/window.ts';
import { createFakeChain, fakeBlocks, fakeGenesis } from '../../support/fake-chain.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const header = fakeGenesis.header;

function entryAt(height: number, name = 'a'): HeaderEntry {
  const hash = `${name}${height}`.padStart(64, '0') as BlockHash;
  return { hash, height, header, chainWork: BigInt(height + 1), medianTimePast: 0 };
}

const slotAt = (height: number): Slot => new Slot(entryAt(height));

test('forkHeight agrees with walking back, on any two branches', () => {
  const branch = (name: string, fork: number) => (height: number) => entryAt(height, height <= fork ? 'a' : name);
  fc.assert(
    fc.property(fc.nat(3000), fc.nat(500), fc.nat(500), (fork, left, right) => {
      const [a, b] = [branch('b', fork), branch('c', fork)];
      const chain = {
        ancestor: (entry: HeaderEntry, height: number) => (entry.hash.includes('c') ? b : a)(height),
      };
      assert.equal(forkHeight(chain, a(fork + left), b(fork + right)), fork);
      assert.equal(forkHeight(chain, b(fork + right), a(fork + left)), fork);
    }),
    { numRuns: 300 },
  );
});

test('a backoff doubles up to its most and starts anew after a success', () => {
  const backoff = new Backoff(1000, 5000);
  assert.ok(backoff.isReady(0));
  assert.deepEqual(
    [0, 0, 0, 0].map(() => backoff.fail(10_000)),
    [1000, 2000, 4000, 5000],
  );
  assert.equal(backoff.isReady(14_999), false);
  assert.equal(backoff.isReady(15_000), true);
  backoff.succeed();
  assert.equal(backoff.fail(0), 1000);
});

test('a rate is right from the first seconds, and fades', async () => {
  const clock = createManualClock();
  const rate = new DecayingRate(clock, 10_000);
  assert.equal(rate.perSecond(), 0);
  for (let i = 0; i < 50; i++) {
    rate.add(10);
    await clock.advance(100);
    if (i === 29) assert.ok(Math.abs(rate.perSecond() - 100) < 10, `${rate.perSecond()} after 3 s`);
  }
  await clock.advance(120_000);
  assert.ok(rate.perSecond() < 0.01);
});

test('blocks in flight follow the measured rate, within bounds', () => {
  const sizing = { maxBlocksPerPeer: 128, firstBatchBytes: 2_000_000, maxFirstBlocks: 16, inFlightMs: 2000 };
  const rate = new Throughput();
  assert.equal(blocksInFlight(sizing, rate, 1000), 16);
  assert.equal(blocksInFlight(sizing, rate, 1_000_000), 2);
  assert.equal(blocksInFlight(sizing, rate, 4_000_000), 1);
  rate.account(0, true);
  rate.add(3_000_000);
  rate.account(1000, true);
  rate.account(1000, true);
  assert.equal(blocksInFlight(sizing, rate, 1_000_000), 5);
  assert.equal(blocksInFlight(sizing, rate, 100), 128);
  assert.equal(blocksInFlight(sizing, rate, 3_500_000), 2, 'its link is not idle for a round trip after each block');
  assert.equal(blocksInFlight(sizing, rate, 10_000_000), 1);
});

test('throughput counts busy time over all requests, and forgets', () => {
  const rate = new Throughput();
  rate.account(0, false);
  rate.account(60_000, true);
  assert.equal(rate.isMeasured, false);
  for (let ms = 61_000; ms <= 90_000; ms += 1000) {
    rate.account(ms, true);
    rate.add(50_000);
  }
  assert.ok(Math.abs(rate.value - 50_000) < 10_000, `${rate.value}`);
  rate.account(90_000, false);
  rate.account(500_000, true);
  assert.ok(Math.abs(rate.value - 50_000) < 10_000, 'idle time does not count');
  rate.account(520_000, true);
  assert.ok(rate.value < 4_000 && rate.isMeasured, 'silence does');
  const silent = new Throughput();
  silent.account(0, true);
  silent.account(2000, true);
  assert.deepEqual([silent.isMeasured, silent.value], [true, 0]);
});

test('a slot goes from wanted to stored, and back when a copy was bad', () => {
  const slot = slotAt(1);
  const batch = new Batch('a', [slot], 0, false);
  assert.equal(slot.state.kind, 'asked');
  const second = new Batch('b', [slot], 0, true);
  assert.deepEqual(slot.receive(batch), [second]);
  assert.equal(slot.isMissing, false);
  assert.throws(() => slot.receive(second), /not received again/);
  assert.throws(() => slot.ask(second), /not asked for/);
  slot.refuse('a', 100);
  slot.reject();
  assert.equal(slot.state.kind, 'wanted');
  assert.deepEqual(
    [slot.isRefusedBy('a', 99), slot.isRefusedBy('a', 100), slot.isRefusedBy('b', 0)],
    [true, false, false],
  );
  slot.store();
  assert.throws(() => slot.reject(), /not rejected/);
});

test('refusals are bounded', () => {
  const slot = slotAt(1);
  for (let i = 0; i < 1000; i++) slot.refuse(`p${i}`, 100);
  assert.equal(slot.isRefusedBy('p0', 0), false);
  assert.equal(slot.isRefusedBy('p999', 0), true);
});

test('a batch that ends gives back what it owes, once', () => {
  const slots = [1, 2, 3].map(slotAt);
  const batch = new Batch('a', slots, 0, false);
  batch.advance(500, 10);
  slots[0]?.receive(batch);
  assert.equal(batch.head, slots[1]);
  const { signal } = batch.controller;
  batch.end('silent');
  assert.deepEqual(
    slots.map((slot) => slot.state.kind),
    ['received', 'wanted', 'wanted'],
  );
  assert.ok(signal.aborted && batch.isOver);
  assert.throws(() => batch.end('silent'), /ends once/);
  assert.throws(() => batch.advance(1, 1), /while downloading/);
});

test('the time that a batch is held back by us is not the peer’s', () => {
  const batch = new Batch('a', [slotAt(1), slotAt(2)], 0, false);
  batch.advance(100, 50);
  batch.hold(50);
  assert.equal(batch.silentMs(10_000), 0);
  batch.resume(10_000);
  assert.equal(batch.silentMs(10_400), 400);
  assert.equal(batch.activeMs(10_400), 450);
});

test('a peer is charged at the second strike, unless a batch was completed in between', () => {
  const peer = new BlockPeer('a', 0, 60_000);
  const good = new Batch('a', [slotAt(1)], 0, false);
  good.advance(1000, 10);
  assert.equal(peer.strike(0), false);
  assert.equal(peer.isBenched(0), false);
  peer.completed(good);
  assert.equal(peer.strike(0), false);
  assert.equal(peer.strike(0), true);
  assert.equal(peer.isBenched(0), true);
});

test('the window passes over stored bodies and grows with its target', async () => {
  const chain = createFakeChain();
  const blocks = fakeBlocks(50);
  chain.submitHeaders(blocks.slice(0, 30).map((block) => block.header));
  const window = new DownloadWindow(chain, 10, 4);
  window.setTargets([chain.bestHeader()], 0);
  const heights = (): number[] => window.branches[0]?.slots.map((slot) => slot.height) ?? [];
  assert.deepEqual(heights(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const index of [1, 2, 0, 4]) await chain.submitBlock(blocks[index] ?? fakeGenesis);
  window.advance(5);
  assert.deepEqual(heights(), [4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  assert.equal(window.branches[0]?.frontSinceMs, 5);
  chain.submitHeaders(blocks.slice(30).map((block) => block.header));
  const [before] = window.branches;
  window.setTargets([chain.bestHeader()], 6);
  assert.equal(window.branches[0], before, 'a longer chain keeps the branch');
  for (const block of blocks.slice(3)) await chain.submitBlock(block);
  window.advance(7);
  assert.deepEqual(heights(), []);
});

test('of several tips only the ends of branches with more work than ours are targets', () => {
  const chain = createFakeChain();
  const main = fakeBlocks(20);
  const side = fakeBlocks(5, main[9]?.hash, { salt: 1 });
  const headers = [...main, ...side].map((block) => block.header);
  const entries = headers.map((item: BlockHeader) => {
    chain.submitHeaders([item]);
    const entry = chain.getHeader(item.hash);
    assert.ok(entry);
    return entry;
  });
  const window = new DownloadWindow(chain, 1024, 4);
  window.setTargets(entries, 0);
  assert.deepEqual(
    window.branches.map((branch) => branch.target.hash),
    [main.at(-1)?.hash, side.at(-1)?.hash],
  );
  const [first, second] = window.branches;
  assert.equal(first?.slots[3], second?.slots[3], 'shared blocks have one slot');
  window.setTargets([chain.tip()], 0);
  assert.equal(window.branches.length, 0);
});

test('the memory about single blocks is bounded and forgets the oldest', () => {
  const tracker = new Tracker(1000);
  const hashes = Array.from({ length: 5000 }, (_, i) => entryAt(i).hash);
  for (const hash of hashes) {
    tracker.servedBy(hash, 'a');
    tracker.hurry(hash, ['a']);
  }
  assert.equal(tracker.urgent().length, 16);
  assert.equal(tracker.takeServer(hashes[0] ?? ('' as BlockHash)), undefined);
  const last = hashes.at(-1) ?? ('' as BlockHash);
  assert.equal(tracker.takeServer(last), 'a');
  assert.equal(tracker.takeServer(last), undefined, 'nobody is charged twice');
});

test('the grace of an announced block is given once', () => {
  const tracker = new Tracker(1000);
  const { hash } = entryAt(1);
  tracker.leaveAlone(hash, 0);
  tracker.leaveAlone(hash, 900);
  assert.deepEqual([tracker.isLeftAlone(hash, 999), tracker.isLeftAlone(hash, 1000)], [true, false]);
  tracker.forget(hash);
  tracker.hurry(hash, []);
  tracker.leaveAlone(hash, 2000);
  assert.equal(tracker.isLeftAlone(hash, 2000), false);
});

const facts: SyncFacts = {
  tip: entryAt(100),
  bestHeader: entryAt(100),
  peers: 3,
  claimedHeight: undefined,
  isAskingHeaders: false,
  headerPass: undefined,
  hasMinimumWork: true,
  nextMissing: undefined,
  pausedReason: '',
  wasAtTip: false,
  quietMs: 0,
  blocksPerSecond: 0,
  bytesPerSecond: 0,
};

test('each state that a person sees, and its reason', () => {
  const see = (change: Partial<SyncFacts>) => describeSync({ ...facts, ...change });
  assert.deepEqual([see({}).phase, see({}).progress, see({}).secondsLeft], ['at-tip', 1, 0]);
  assert.equal(see({ peers: 0 }).reason, 'no peer is connected');
  const headers = see({ claimedHeight: 400 });
  assert.deepEqual([headers.phase, headers.progress], ['headers', 0.25]);
  const blocks = see({ bestHeader: entryAt(400), nextMissing: entryAt(101), blocksPerSecond: 100 });
  assert.deepEqual([blocks.phase, blocks.progress, blocks.secondsLeft], ['blocks', 0.25, 3]);
  const quiet = see({ bestHeader: entryAt(400), nextMissing: entryAt(101), quietMs: 45_000 });
  assert.deepEqual([quiet.phase, quiet.reason], ['stalled', 'block 101 has not come for 45 s']);
  const full = see({ pausedReason: 'the disk is full', peers: 0 });
  assert.deepEqual([full.phase, full.reason], ['stalled', 'the disk is full']);
  const waiting = see({ hasMinimumWork: false });
  assert.equal(waiting.phase, 'waiting-for-peers');
  assert.match(waiting.reason, /minimum chain work/);
  const oneBehind = { bestHeader: entryAt(101), nextMissing: entryAt(101) };
  assert.equal(see({ ...oneBehind, wasAtTip: true }).phase, 'at-tip');
  assert.equal(see(oneBehind).phase, 'blocks');
});

test('headers that are downloaded twice are shown as two halves, also when their height is nothing new', () => {
  const see = (change: Partial<SyncFacts>) => describeSync({ ...facts, isAskingHeaders: true, ...change });
  const first = see({ claimedHeight: 400, headerPass: { number: 1, height: 200 } });
  assert.deepEqual([first.phase, first.progress], ['headers', 0.25]);
  assert.equal(first.reason, 'checking the work of the headers before they are stored: 50%');
  const second = see({ claimedHeight: 400, headerPass: { number: 2, height: 200 } });
  assert.deepEqual([second.phase, second.progress, second.reason], ['headers', 0.75, '']);
  // A heavier chain that is shorter than ours.
  assert.equal(see({ claimedHeight: 90, headerPass: { number: 1, height: 10 } }).phase, 'headers');
  // One that nobody claims matters only to who has nothing yet.
  assert.equal(see({ headerPass: { number: 1, height: 10 } }).phase, 'at-tip');
  const unclaimed = see({ headerPass: { number: 1, height: 10 }, hasMinimumWork: false });
  assert.deepEqual(
    [unclaimed.phase, unclaimed.reason],
    ['headers', 'checking the work of the headers before they are stored'],
  );
});

test('headers are asked of who claims most, but of an outbound peer before all while none is being asked', () => {
  const [small, large, strange] = [
    { id: 'small', isOutbound: true, claimedWork: 5n },
    { id: 'large', isOutbound: true, claimedWork: 9n },
    { id: 'strange', isOutbound: false, claimedWork: 99n },
  ];
  const random = seededRandom(1);
  const NOBODY = { isOutboundAsked: false, isPresyncing: false };
  const OUTBOUND = { ...NOBODY, isOutboundAsked: true };
  assert.equal(chooseNext([small, large, strange], NOBODY, random), 'large');
  assert.equal(chooseNext([small, large, strange], OUTBOUND, random), 'strange');
  assert.equal(chooseNext([strange], NOBODY, random), 'strange');
  const equal = { ...strange, claimedWork: 9n };
  for (let i = 0; i < 10; i++) assert.equal(chooseNext([equal, large], OUTBOUND, random), 'large');
  const other = { ...large, id: 'other' };
  const chosen = Array.from({ length: 30 }, () => chooseNext([large, other], NOBODY, random));
  assert.equal(new Set(chosen).size, 2, 'chance among equals');
  const beside = Array.from({ length: 30 }, () =>
    chooseNext([small, large], { ...OUTBOUND, isPresyncing: true }, random),
  );
  assert.equal(new Set(beside).size, 2, 'beside a presync a claim counts for nothing');
  assert.equal(chooseNext([], NOBODY, random), undefined);
});

const turn = (work: bigint, startedMs: number, phase: 'presync' | 'redownload' | 'none' = 'presync') => ({
  run: { presync: phase === 'none' ? undefined : { phase, height: 1, work } },
  startedMs,
  turnMs: 1000,
});

test('a presync loses its place after its turn: at once if we have the work, else if somebody waits', () => {
  const sessions = [
    turn(5n, 0),
    turn(3n, 0),
    turn(9n, 0),
    turn(1n, 600),
    turn(0n, 0, 'redownload'),
    turn(0n, 0, 'none'),
  ];
  const due = (nowMs: number, hasMinimumWork: boolean, isWaiting: boolean) =>
    dueToEnd(sessions, nowMs, { hasMinimumWork, isAnyWaiting: () => isWaiting }).map(({ run }) => run.presync?.work);
  assert.deepEqual(due(999, true, true), []);
  assert.deepEqual(due(1000, true, false), [5n, 3n, 9n]);
  assert.deepEqual(due(1000, false, false), []);
  assert.deepEqual(due(1000, false, true), [3n], 'the least work of those whose turn is over');
  assert.deepEqual(due(1600, false, true), [1n]);
});

test('the one that is ahead in presync keeps its place, also when it is the only one', () => {
  const circumstances = { hasMinimumWork: false, isAnyWaiting: () => true };
  assert.deepEqual(dueToEnd([turn(5n, 0)], 5000, circumstances), []);
  assert.deepEqual(dueToEnd([turn(5n, 0), turn(3n, 4500)], 5000, circumstances), []);
});

test('a cross-check waits for so many answers of peers not asked before, and begins anew after a silence', () => {
  const check = new CrossCheck(2, 1000);
  const [best, next] = [entryAt(1).hash, entryAt(2).hash];
  check.look(best, 0);
  check.asked('source');
  assert.deepEqual(
    ['source', 'a'].map((peer) => check.wants(peer)),
    [false, true],
  );
  check.asked('a');
  check.answered(10);
  check.asked('silent');
  assert.deepEqual(
    ['a', 'silent', 'b'].map((peer) => check.wants(peer)),
    [false, false, true],
  );
  check.asked('b');
  check.answered(20);
  assert.equal(check.wants('c'), false);
  check.look(next, 900);
  check.look(next, 1899);
  assert.equal(check.wants('c'), false);
  check.look(next, 1900);
  assert.ok(check.wants('a') && check.wants('c'));
});

/** Which headers are asked for, of whom, and which are worth storing, over a fake chain. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Block } from '#primitives';
import type { SyncStatus } from '#sync';
import { createFakeChain, fakeBlocks, fakeGenesis } from '../../support/fake-chain.ts';
import type { SimPeer } from '../../support/sim-peers.ts';
import { type Bench, type BenchOptions, createBench } from './fixtures.ts';

/** Of a block; a cheap header has 2. */
const WORK = 64;
const MINIMUM = 500n * BigInt(WORK);
const TURN_MS = 5000;
/** More than the minimum. */
const good = fakeBlocks(600, fakeGenesis.hash, { work: WORK });
const short = good.slice(0, 400);
const MINUTE_MS = 60_000;

const STRICT_HEADERS = { commitmentPeriod: 7, redownloadBuffer: 100, presyncTurnMs: TURN_MS };

/** A node of a network whose chain has at least `MINIMUM`; 50 headers an answer. */
function createStrictBench(options: BenchOptions = {}): Bench {
  return createBench({
    chain: createFakeChain({ minimumChainWork: MINIMUM }),
    maxHeaders: 50,
    headers: STRICT_HEADERS,
    ...options,
  });
}

const asked = (bench: Bench, id: string): number => bench.net.headerRequests.filter((peer) => peer === id).length;
const knowsAny = (bench: Bench, blocks: readonly Block[]): boolean =>
  blocks.some((block) => bench.chain.getHeader(block.hash) !== undefined);

/** Says hello again with other figures. */
function claim(bench: Bench, peer: SimPeer, figures: Partial<ReturnType<Bench['net']['hello']>>): void {
  bench.sync.peerUpdated(peer.id, { ...bench.net.hello(peer), ...figures });
}

test('a chain above the minimum comes through presync, and the status never says that it is at the tip before', async () => {
  await using bench = createStrictBench();
  const seen: SyncStatus[] = [];
  bench.sync.onStatus((status) => seen.push(status));
  bench.join('a', { blocks: good });
  const progress: number[] = [];
  await bench.clock.runUntil(() => {
    const status = bench.sync.status();
    assert.notEqual(status.phase, 'at-tip');
    if (status.phase === 'headers') progress.push(status.progress);
    return bench.chain.bestHeader().height === good.length;
  });
  assert.deepEqual(
    progress,
    progress.toSorted((a, b) => a - b),
    'it only grows',
  );
  assert.ok(progress.some((share) => share > 0.1 && share < 0.5));
  assert.ok(seen.some(({ reason }) => /^checking the work of the headers before they are stored: \d+%$/.test(reason)));
  await bench.reach(good.at(-1));
  await bench.clock.advance(1000);
  assert.equal(bench.sync.status().phase, 'at-tip');
  assert.deepEqual(bench.net.charges, []);
  assert.equal(bench.clock.pending(), 0);
  // Twice up to the minimum, once beyond.
  assert.ok(asked(bench, 'a') <= 2 * 10 + 4, `${asked(bench, 'a')} requests`);
});

test('a refused request costs a second, not the presync', async () => {
  await using bench = createStrictBench();
  bench.join('a', { blocks: good, behaviour: 'busy' });
  await bench.reach(good.at(-1), MINUTE_MS);
  assert.ok(asked(bench, 'a') <= ((2 * 10 + 4) * 3) / 2, `${asked(bench, 'a')} requests`);
  assert.deepEqual(bench.net.charges, []);
});

test('what was begun with a peer that breaks off is forgotten when others have brought the headers', async () => {
  await using bench = createStrictBench({ headers: { ...STRICT_HEADERS, crossChecks: 0 } });
  const peer = bench.join('a', { blocks: good });
  await bench.clock.runUntil(() => asked(bench, 'a') === 5);
  peer.isConnected = false;
  await bench.clock.advance(500);
  bench.join('b', { blocks: good, latencyMs: 5 });
  await bench.reach(good.at(-1), MINUTE_MS);
  await bench.clock.advance(MINUTE_MS);
  assert.equal(bench.sync.status().phase, 'at-tip');
  assert.equal(bench.clock.pending(), 0);
  const [next] = fakeBlocks(1, good.at(-1)?.hash, { work: WORK });
  assert.ok(next);
  bench.net.setChain(peer, [fakeGenesis, ...good, next]);
  peer.isConnected = true;
  const before = asked(bench, 'a');
  claim(bench, peer, {});
  await bench.reach(next, MINUTE_MS);
  assert.equal(asked(bench, 'a') - before, 1, 'it goes on from our headers, not from where it was');
});

test('a peer that says itself that it has less than the minimum is of no use: nothing is asked of it', async () => {
  await using bench = createStrictBench();
  const peers = [bench.join('out', { blocks: short }), bench.join('in', { blocks: short, isOutbound: false })];
  await bench.clock.advance(MINUTE_MS);
  for (const peer of peers) claim(bench, peer, {});
  await bench.clock.advance(MINUTE_MS);
  assert.deepEqual(bench.net.headerRequests, []);
  assert.deepEqual(bench.net.disconnects, [], 'others may be found through it');
  const { phase, reason } = bench.sync.status();
  assert.deepEqual([phase, reason], ['waiting-for-peers', 'no connected peer has a chain with the minimum chain work']);
  assert.equal(bench.clock.pending(), 0);
  for (const peer of peers) claim(bench, peer, {});
  await bench.clock.advance(MINUTE_MS);
  assert.deepEqual(bench.net.disconnects, ['out'], 'an outbound slot is for peers that can help');
  assert.deepEqual(bench.net.charges, []);
});

test('a peer that the operator asked for is kept', async () => {
  await using bench = createStrictBench();
  const peer = bench.net.add('manual', { chain: [fakeGenesis, ...short] });
  bench.sync.peerReady('manual', { ...bench.net.hello(peer), isManual: true });
  await bench.clock.advance(3 * MINUTE_MS);
  claim(bench, peer, {});
  await bench.clock.advance(1000);
  assert.deepEqual(bench.net.disconnects, []);
  bench.net.setChain(peer, [fakeGenesis, ...good]);
  claim(bench, peer, {});
  await bench.reach(good.at(-1));
});

test('a chain below the minimum is neither stored nor fetched, whatever its peer claims; the peer rests', async () => {
  await using bench = createStrictBench();
  const peer = bench.net.add('liar', { chain: [fakeGenesis, ...short] });
  bench.sync.peerReady('liar', { ...bench.net.hello(peer), tipChainWork: 10n ** 12n });
  await bench.clock.advance(MINUTE_MS);
  assert.equal(knowsAny(bench, short), false);
  assert.equal(peer.blocksSent, 0);
  assert.deepEqual(bench.net.disconnects, ['liar']);
  assert.deepEqual(bench.net.charges, [], 'Core does not punish it either');
  const requests = asked(bench, 'liar');
  assert.ok(requests <= 9);
  for (let i = 0; i < 8; i++) {
    claim(bench, peer, { tipChainWork: 10n ** 12n });
    bench.sync.headerAnnounced('liar', short.at(-1)?.hash ?? fakeGenesis.hash);
    await bench.clock.advance(MINUTE_MS);
  }
  assert.equal(asked(bench, 'liar'), requests, 'not in ten minutes');
  await bench.clock.advance(2 * MINUTE_MS);
  claim(bench, peer, { tipChainWork: 10n ** 12n });
  await bench.clock.advance(MINUTE_MS);
  assert.equal(asked(bench, 'liar'), 2 * requests, 'then once more');
  await bench.clock.advance(15 * MINUTE_MS);
  claim(bench, peer, { tipChainWork: 10n ** 12n });
  await bench.clock.advance(MINUTE_MS);
  assert.equal(asked(bench, 'liar'), 2 * requests, 'the second rest is longer');
});

test('a single short answer below the minimum is ignored', async () => {
  await using bench = createStrictBench();
  const peer = bench.net.add('liar', { chain: [fakeGenesis, ...good.slice(0, 30)] });
  bench.sync.peerReady('liar', { ...bench.net.hello(peer), tipChainWork: 10n ** 12n });
  await bench.clock.advance(MINUTE_MS);
  assert.equal(asked(bench, 'liar'), 1);
  assert.equal(bench.chain.bestHeader().height, 0);
  assert.deepEqual([bench.net.disconnects, bench.net.charges], [['liar'], []]);
});

test('who changes the chain between the passes is charged, and nothing of it is stored', async () => {
  await using bench = createStrictBench();
  const other = fakeBlocks(600, fakeGenesis.hash, { salt: 4, work: WORK });
  const peer = bench.join('liar', { blocks: good });
  await bench.clock.runUntil(() => asked(bench, 'liar') === 11);
  bench.net.setChain(peer, [fakeGenesis, ...other]);
  await bench.clock.advance(MINUTE_MS);
  assert.deepEqual(bench.net.charged('liar'), ['wrong-response']);
  assert.equal(bench.chain.bestHeader().height, 0);
});

test('endless cheap headers hold up nobody for long, and none is stored', async () => {
  await using bench = createStrictBench();
  for (const id of ['flood1', 'flood2', 'flood3', 'flood4'])
    bench.join(id, { blocks: [], behaviour: 'low-work-flood', latencyMs: 200 });
  for (const id of ['flood5', 'flood6'])
    bench.join(id, { blocks: [], behaviour: 'low-work-flood', latencyMs: 200, isOutbound: false });
  await bench.clock.advance(2 * TURN_MS);
  bench.join('a', { blocks: good });
  await bench.reach(good.at(-1), 10 * TURN_MS);
  assert.equal(bench.chain.bestHeader().hash, good.at(-1)?.hash);
  assert.deepEqual(bench.net.charges, []);
});

test('a flood against a node at the tip ends with its turn, and the next one is far off', async () => {
  await using bench = createStrictBench();
  bench.join('a', { blocks: good });
  await bench.reach(good.at(-1));
  const flood = bench.join('flood', { blocks: [], behaviour: 'low-work-flood', latencyMs: 200 });
  await bench.clock.advance(1000);
  assert.equal(bench.sync.status().phase, 'headers');
  await bench.clock.advance(TURN_MS);
  assert.equal(bench.sync.status().phase, 'at-tip');
  const requests = asked(bench, 'flood');
  claim(bench, flood, {});
  await bench.clock.advance(5 * MINUTE_MS);
  assert.equal(asked(bench, 'flood'), requests);
  assert.equal(bench.sync.status().phase, 'at-tip');
  assert.equal(bench.clock.pending(), 0);
  assert.deepEqual(bench.net.disconnects, [], 'our headers have the work: who has less may be connected');
});

test('headers below the minimum that a local source brought get no bodies', async () => {
  await using bench = createStrictBench();
  bench.chain.submitHeaders(short.map(({ header }) => header));
  const peer = bench.join('a', { blocks: short });
  await bench.clock.advance(MINUTE_MS);
  assert.equal(peer.blocksSent, 0);
  assert.equal(bench.sync.status().phase, 'waiting-for-peers');
  bench.net.setChain(peer, [fakeGenesis, ...good]);
  claim(bench, peer, {});
  await bench.reach(good.at(-1));
});

test('a heavier fork that parts far below the tip is followed', async () => {
  await using bench = createStrictBench();
  bench.join('a', { blocks: good });
  await bench.reach(good.at(-1));
  const fork = [...good.slice(0, 100), ...fakeBlocks(550, good[99]?.hash, { salt: 3, work: WORK })];
  bench.join('b', { blocks: fork });
  await bench.reach(fork.at(-1), MINUTE_MS);
  assert.deepEqual(bench.net.charges, []);
});

test('when headers end, two others are asked whether there is more; a third is not', async () => {
  await using bench = createBench();
  bench.join('a', { blocks: good });
  await bench.reach(good.at(-1));
  for (const id of ['b', 'c', 'd']) bench.join(id, { blocks: good });
  bench.join('e', { blocks: good, isOutbound: false });
  await bench.clock.advance(MINUTE_MS);
  assert.equal(asked(bench, 'b') + asked(bench, 'c') + asked(bench, 'd'), 2);
  assert.deepEqual([asked(bench, 'a'), asked(bench, 'e')], [1, 0], 'not the source, and outbound peers first');
  assert.equal(bench.clock.pending(), 0);
  await bench.clock.advance(31 * MINUTE_MS);
  assert.equal(bench.net.headerRequests.length, 3, 'no timer');
  for (const id of ['a', 'b']) claim(bench, bench.net.peers.get(id) as SimPeer, {});
  await bench.clock.advance(MINUTE_MS);
  assert.equal(bench.net.headerRequests.length, 5, 'after a long silence two more, with the next hello');
});

test('a heavier chain that its peer did not claim is found by the cross-check', async () => {
  await using bench = createBench();
  bench.join('a', { blocks: short });
  const peer = bench.net.add('modest', { chain: [fakeGenesis, ...good] });
  const { hash, height, chainWork } = {
    hash: good[300]?.hash ?? fakeGenesis.hash,
    height: 301,
    chainWork: 301n * BigInt(WORK),
  };
  bench.sync.peerReady('modest', {
    ...bench.net.hello(peer),
    tipHash: hash,
    tipHeight: height,
    tipChainWork: chainWork,
  });
  await bench.reach(good.at(-1), MINUTE_MS);
  assert.deepEqual(bench.net.charges, []);
});

test('without anybody else the end is the end', async () => {
  await using bench = createBench();
  bench.join('a', { blocks: good });
  await bench.reach(good.at(-1));
  await bench.clock.advance(1000);
  assert.equal(bench.sync.status().phase, 'at-tip');
  assert.equal(asked(bench, 'a'), 1);
});

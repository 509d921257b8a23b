/** The whole of sync over a fake chain: the ordinary ways, what a person sees, and how it starts and stops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SyncStatus, syncDefaults } from '#sync';
import { NodeError } from '#util';
import { fakeBlock, fakeBlocks, fakeGenesis } from '../../support/fake-chain.ts';
import { createBench } from './fixtures.ts';

const phases = (seen: readonly SyncStatus[]): string[] =>
  seen.map((status) => status.phase).filter((phase, i, all) => phase !== all[i - 1]);

test('syncs from one honest peer, then rests without timers or open requests', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(300);
  bench.join('a', { blocks });
  await bench.reach(blocks.at(-1), 60_000);
  await bench.clock.advance(1000);
  assert.equal(bench.sync.status().phase, 'at-tip');
  assert.equal(bench.sync.status().progress, 1);
  assert.deepEqual(bench.net.charges, []);
  assert.equal(bench.clock.pending(), 0);
  assert.equal(bench.net.openRequests, 0);
});

test('tells which blocks each peer owes', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(60, fakeGenesis.hash, { size: 20_000 });
  bench.join('a', { blocks, bytesPerSecond: 100_000 });
  while (bench.sync.blocksOwed('a').length === 0) await bench.clock.advance(10);
  const owed = bench.sync.blocksOwed('a');
  const had = new Set(bench.chain.submitted);
  assert.ok(owed.every((height) => height >= 1 && height <= 60 && !had.has(height)));
  assert.equal(new Set(owed).size, owed.length);
  assert.deepEqual(bench.sync.blocksOwed('nobody'), []);
  await bench.reach(blocks.at(-1));
  assert.deepEqual(bench.sync.blocksOwed('a'), []);
});

test('several peers share the work in proportion to their rates', async () => {
  const blocks = fakeBlocks(400, fakeGenesis.hash, { size: 20_000 });
  const alone = createBench();
  alone.join('a', { blocks, bytesPerSecond: 200_000 });
  await alone.reach(blocks.at(-1));
  await using bench = createBench();
  const rates = [200_000, 400_000, 100_000, 300_000];
  const peers = rates.map((bytesPerSecond, i) => bench.join(`p${i}`, { blocks, bytesPerSecond }));
  await bench.reach(blocks.at(-1));
  const ideal = (400 * 20_000) / rates.reduce((a, b) => a + b);
  assert.ok(bench.clock.monotonicMs() / 1000 < 1.3 * ideal + 1, `${bench.clock.monotonicMs()} ms of ${ideal} s`);
  assert.ok(alone.clock.monotonicMs() > 3 * bench.clock.monotonicMs());
  for (const peer of peers) assert.ok(peer.blocksSent >= 20, `${peer.id} sent ${peer.blocksSent}`);
  assert.deepEqual(bench.net.charges, []);
  const waste = bench.net.bytesSent / (400 * 20_000);
  assert.ok(waste < 1.15, `${waste} times the chain was downloaded`);
  await alone[Symbol.asyncDispose]();
});

test('headers come in full answers until a short one, also an empty one', async () => {
  for (const count of [99, 100, 101]) {
    await using bench = createBench({ maxHeaders: 50 });
    const blocks = fakeBlocks(count);
    bench.join('a', { blocks });
    await bench.reach(blocks.at(-1));
    assert.deepEqual(bench.net.charges, []);
  }
});

test('a chain longer than the window is fetched to its end', async () => {
  await using bench = createBench({ sync: { blocks: { ...syncDefaults.blocks, windowBlocks: 32 } } });
  const blocks = fakeBlocks(500);
  bench.join('a', { blocks });
  bench.join('b', { blocks, bytesPerSecond: 300_000 });
  await bench.reach(blocks.at(-1));
  assert.ok(Math.max(...bench.chain.submitted.map((height, i) => height - i)) <= 33, 'never far ahead of the gap');
});

test('follows a reorganisation of any depth to the branch with more work', async () => {
  await using bench = createBench({ sync: { blocks: { ...syncDefaults.blocks, windowBlocks: 100 } } });
  const common = fakeBlocks(20);
  const ours = [...common, ...fakeBlocks(400, common.at(-1)?.hash)];
  const theirs = [...common, ...fakeBlocks(401, common.at(-1)?.hash, { salt: 7 })];
  bench.join('a', { blocks: ours });
  await bench.reach(ours.at(-1));
  bench.join('b', { blocks: theirs });
  await bench.reach(theirs.at(-1));
  await bench.clock.advance(5000);
  assert.equal(bench.sync.status().phase, 'at-tip');
  assert.deepEqual(bench.net.charges, []);
});

test('a peer that switches to a better chain says so in its next hello', async () => {
  await using bench = createBench();
  const common = fakeBlocks(50);
  const before = [...common, ...fakeBlocks(5, common.at(-1)?.hash)];
  const after = [...common, ...fakeBlocks(9, common.at(-1)?.hash, { salt: 3 })];
  const peer = bench.join('a', { blocks: before });
  await bench.reach(before.at(-1));
  bench.net.setChain(peer, [fakeGenesis, ...after]);
  bench.sync.peerUpdated('a', bench.net.hello(peer));
  await bench.reach(after.at(-1));
});

test('a peer that has no more than we have is asked once, to be sure, and never again', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(30);
  bench.join('a', { blocks });
  await bench.reach(blocks.at(-1));
  const asked = () => bench.net.headerRequests.filter((peer) => peer === 'b').length;
  const short = bench.join('b', { blocks: blocks.slice(0, 10) });
  await bench.clock.advance(60_000);
  assert.equal(asked(), 1);
  bench.sync.peerUpdated('b', bench.net.hello(short));
  await bench.clock.advance(60_000);
  assert.equal(asked(), 1);
  assert.equal(short.blocksSent, 0);
  assert.equal(bench.sync.status().phase, 'at-tip');
});

test('bodies are asked only of peers that keep them', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(200);
  const pruned = bench.join('pruned', { blocks, lowestHeightServed: 150, bytesPerSecond: 10_000_000 });
  await bench.clock.advance(60_000);
  assert.equal(bench.chain.tip().height, 0);
  const { phase, reason } = bench.sync.status();
  assert.equal(phase, 'waiting-for-peers');
  assert.match(reason, /headers reach 200, but no connected peer serves the blocks after 0/);
  assert.ok(pruned.blocksSent <= 51, 'only what it keeps');
  const full = bench.join('full', { blocks });
  await bench.reach(blocks.at(-1));
  assert.ok(pruned.blocksSent <= 51 + 16);
  assert.equal(bench.sync.status().phase, 'at-tip');
  assert.ok(full.blocksSent >= 149);
  assert.deepEqual(bench.net.charges, []);
});

test('after a restart it goes on from the stored headers and bodies', async () => {
  const blocks = fakeBlocks(600, fakeGenesis.hash, { size: 2000 });
  const bench = createBench();
  bench.join('a', { blocks, bytesPerSecond: 200_000 });
  await bench.clock.runUntil(() => bench.chain.tip().height > 100);
  await bench.sync[Symbol.asyncDispose]();
  const sent = bench.net.bytesSent;
  await using again = createBench({ chain: bench.chain });
  again.join('a', { blocks });
  await again.reach(blocks.at(-1));
  assert.ok(sent + again.net.bytesSent < 1.2 * 600 * 2080, 'what was stored is not fetched again');
});

test('an announced block is left alone for a moment, then fetched', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(10);
  const peer = bench.join('a', { blocks });
  await bench.reach(blocks.at(-1));
  const next = fakeBlock(bench.chain.tip().hash);
  bench.net.setChain(peer, [fakeGenesis, ...blocks, next]);
  bench.chain.submitHeaders([next.header]);
  bench.sync.headerAnnounced('a', next.hash);
  await bench.clock.advance(19_500);
  assert.equal(bench.net.openRequests, 0);
  assert.equal(bench.sync.status().phase, 'at-tip');
  await bench.reach(next, 1000);
});

test('a wanted block is fetched at once, and from a second peer after half a second', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(10);
  const next = fakeBlock(blocks.at(-1)?.hash ?? fakeGenesis.hash);
  const slow = bench.join('slow', { blocks, behaviour: 'silent' });
  const other = bench.join('other', { blocks });
  await bench.reach(blocks.at(-1));
  bench.net.charges.length = 0;
  await bench.clock.advance(200_000);
  for (const peer of [slow, other]) bench.net.setChain(peer, [fakeGenesis, ...blocks, next]);
  bench.chain.submitHeaders([next.header]);
  bench.sync.headerAnnounced('slow', next.hash);
  bench.sync.headerAnnounced('other', next.hash);
  bench.sync.blockWanted(next.hash, ['slow', 'other']);
  await bench.reach(next, 1000);
  assert.deepEqual(bench.net.charges, []);
});

test('who announced a block and does not have its body yet is asked again a second later, and is not benched', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(10);
  const next = fakeBlock(blocks.at(-1)?.hash ?? fakeGenesis.hash);
  const peers = ['a', 'b'].map((id) => bench.join(id, { blocks }));
  await bench.reach(blocks.at(-1));
  bench.chain.submitHeaders([next.header]);
  for (const id of ['a', 'b']) bench.sync.headerAnnounced(id, next.hash);
  bench.sync.blockWanted(next.hash, ['a', 'b']);
  await bench.clock.advance(20_000);
  assert.equal(bench.chain.tip().hash, blocks.at(-1)?.hash);
  for (const peer of peers) bench.net.setChain(peer, [fakeGenesis, ...blocks, next]);
  await bench.reach(next, 1500);
  assert.deepEqual(bench.net.charges, []);
});

test('an announcement with unknown parents is followed by the headers in between', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(40);
  const peer = bench.join('a', { blocks: blocks.slice(0, 10) });
  await bench.reach(blocks[9]);
  bench.net.setChain(peer, [fakeGenesis, ...blocks]);
  bench.sync.headerAnnounced('a', fakeBlock(fakeGenesis.hash, { salt: 99 }).hash);
  bench.sync.headerAnnounced('a', blocks.at(-1)?.header ?? fakeGenesis.header);
  await bench.reach(blocks.at(-1));
});

test('a full disk stalls sync with the reason, blames nobody, and is tried again', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(200, fakeGenesis.hash, { size: 5000 });
  bench.join('a', { blocks });
  bench.join('b', { blocks });
  await bench.clock.runUntil(() => bench.chain.tip().height > 20);
  bench.chain.fault = new NodeError('DISK_FULL', 'the disk is full');
  await bench.clock.advance(1000);
  const { height } = bench.chain.tip();
  assert.deepEqual([bench.sync.status().phase, bench.sync.status().reason], ['stalled', 'the disk is full']);
  assert.equal(bench.net.openRequests, 0, 'nothing is downloaded that cannot be stored');
  await bench.clock.advance(300_000);
  assert.equal(bench.sync.status().phase, 'stalled');
  assert.equal(bench.chain.tip().height, height);
  bench.chain.fault = undefined;
  await bench.reach(blocks.at(-1), 120_000);
  assert.deepEqual(bench.net.charges, []);
});

test('a bug stops sync once and reaches the node', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(50);
  const bug = new TypeError('a bug');
  bench.chain.fault = bug;
  bench.join('a', { blocks });
  await assert.rejects(bench.reach(blocks.at(-1)), bug);
  await bench.clock.advance(60_000);
  assert.deepEqual(bench.fatal, [bug]);
  assert.equal(bench.clock.pending(), 0);
});

test('stopping in the middle leaves no timer and no open request', async () => {
  const bench = createBench();
  const blocks = fakeBlocks(500, fakeGenesis.hash, { size: 10_000 });
  for (const id of ['a', 'b', 'c']) bench.join(id, { blocks });
  await bench.clock.runUntil(() => bench.chain.tip().height > 10);
  await bench.sync[Symbol.asyncDispose]();
  await bench.clock.advance(0);
  assert.equal(bench.net.openRequests, 0);
  assert.equal(bench.clock.pending(), 0);
  const { height } = bench.chain.tip();
  await bench.clock.advance(60_000);
  assert.equal(bench.chain.tip().height, height);
});

test('memory stays in its budget while the chain is slow', async () => {
  const maxBytes = 200_000;
  const blocks = fakeBlocks(150, fakeGenesis.hash, { size: 20_000 });
  const options = { ...syncDefaults.blocks, intake: { maxBytes, depth: 2 } };
  await using bench = createBench({ sync: { blocks: options } });
  bench.chain.delay = () => new Promise((resolve) => bench.clock.after(100, resolve));
  for (const id of ['a', 'b', 'c', 'd']) bench.join(id, { blocks, bytesPerSecond: 50_000_000 });
  let most = 0;
  const watch = (): boolean => {
    most = Math.max(most, bench.net.bytesSent - bench.chain.submitted.length * 20_000);
    return bench.chain.tip().height === blocks.length;
  };
  await bench.clock.runUntil(watch);
  // One header's bytes more for each answer, also those that only confirm that there is nothing more.
  assert.ok(most <= maxBytes + 8 * 20_000 + (150 + 4) * 80, `${most} bytes undecided`);
  assert.deepEqual(bench.net.charges, []);
});

test('a person sees waiting, headers, blocks, at the tip, and the figures in between', async () => {
  await using bench = createBench({ maxHeaders: 100 });
  const seen: SyncStatus[] = [];
  const remove = bench.sync.onStatus((status) => seen.push(status));
  assert.equal(bench.sync.status().phase, 'waiting-for-peers');
  const blocks = fakeBlocks(1000, fakeGenesis.hash, { size: 10_000 });
  bench.join('a', { blocks, latencyMs: 200 });
  await bench.reach(blocks.at(-1));
  await bench.clock.advance(1000);
  assert.deepEqual(phases(seen), ['headers', 'blocks', 'at-tip']);
  assert.ok(seen.length < 30, `${seen.length} events in ${bench.clock.monotonicMs()} ms`);
  const middle = seen.findLast((status) => status.phase === 'blocks');
  assert.ok(middle !== undefined && middle.bytesPerSecond > 700_000 && middle.bytesPerSecond < 1_200_000);
  assert.ok(middle.blocksPerSecond > 70 && middle.blocksPerSecond < 120);
  assert.ok(middle.secondsLeft !== undefined && middle.secondsLeft < 3 && middle.progress > 0.7);
  bench.leave('a');
  await bench.clock.advance(0);
  assert.equal(seen.at(-1)?.phase, 'waiting-for-peers');
  remove();
  bench.join('b', { blocks });
  await bench.clock.advance(0);
  assert.equal(seen.at(-1)?.phase, 'waiting-for-peers');
});

test('what is downloaded is counted: the window by states, blocks and bytes, and how requests end', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(300, fakeGenesis.hash, { size: 20_000 });
  bench.join('a', { blocks, bytesPerSecond: 500_000 });
  await bench.reach(blocks[100]);
  const { window, requestsInFlight, receivedBlocks, receivedBytes } = bench.sync.figures();
  assert.ok(window.wanted + window.asked + window.received > 0 && requestsInFlight > 0);
  assert.ok(receivedBlocks > 100);
  assert.equal(receivedBytes, receivedBlocks * (blocks[0]?.size ?? 0));
  await bench.reach(blocks.at(-1));
  await bench.clock.advance(1000);
  const last = bench.sync.figures();
  assert.equal(last.receivedBlocks, 300);
  assert.deepEqual(last.window, { wanted: 0, asked: 0, received: 0, stored: 0 });
  assert.deepEqual([last.requestsInFlight, last.heldBytes], [0, 0]);
  assert.ok((last.requests['complete'] ?? 0) > 0);
  assert.equal(last.requests['silent'], 0);
});

test('when nobody serves what the headers promise, it says so', async () => {
  await using bench = createBench();
  const blocks = fakeBlocks(100);
  bench.chain.submitHeaders(blocks.map((block) => block.header));
  bench.join('a', { blocks: blocks.slice(0, 40) });
  await bench.reach(blocks[39]);
  await bench.clock.advance(1000);
  const { phase, reason } = bench.sync.status();
  assert.equal(phase, 'waiting-for-peers');
  assert.match(reason, /headers reach 100, but no connected peer serves the blocks after 40/);
});

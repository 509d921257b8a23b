/** Peers that fail, lie or are slow: sync ends at the right tip, and only those who did wrong pay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syncDefaults } from '#sync';
import { fakeBlock, fakeBlocks, fakeGenesis } from '../../support/fake-chain.ts';
import type { Behaviour } from '../../support/sim-peers.ts';
import { type Bench, createBench } from './fixtures.ts';

const blocks = fakeBlocks(300, fakeGenesis.hash, { size: 4000 });

const chargedHonest = (bench: Bench): string[] =>
  bench.net.charges
    .filter(({ peer }) => bench.net.peers.get(peer)?.options.behaviour === 'honest')
    .map(({ peer, offence, detail }) => `${peer} ${offence}: ${detail}`);

/** What each kind of bad peer is charged with; undefined: nothing at all. */
const CHARGES: readonly (readonly [Behaviour, string | undefined])[] = [
  ['silent', undefined],
  ['silent-after-one', undefined],
  ['short-answers', undefined],
  ['headers-only', undefined],
  ['broken', undefined],
  ['mute', undefined],
  ['boaster', undefined],
  ['bad-bytes', 'invalid-block'],
  ['wrong-order', 'wrong-response'],
  ['unconnected', 'unconnected-headers'],
  ['repeater', 'wrong-response'],
];

for (const [behaviour, offence] of CHARGES) {
  test(`one ${behaviour} peer among three: only it is charged (${offence ?? 'nothing'})`, async () => {
    await using bench = createBench({ maxHeaders: 60 });
    // The bad one has one block more, so that it is asked first for headers.
    const more = [...blocks, fakeBlock(blocks.at(-1)?.hash ?? fakeGenesis.hash)];
    bench.join('bad', { blocks: more, behaviour });
    bench.join('good1', { blocks, bytesPerSecond: 300_000 });
    bench.join('good2', { blocks, bytesPerSecond: 500_000 });
    await bench.clock.runUntil(() => bench.fatal.length > 0 || bench.chain.tip().height >= blocks.length, 60_000);
    assert.deepEqual(bench.fatal, []);
    await bench.clock.advance(1000);
    assert.deepEqual(chargedHonest(bench), []);
    if (offence === undefined)
      assert.deepEqual(
        bench.net.charged('bad').filter((name) => name !== 'stalled'),
        [],
      );
    else assert.ok(bench.net.charged('bad').includes(offence), bench.net.charged('bad').join());
    assert.ok(bench.net.charged('bad').filter((name) => name === 'stalled').length <= 1);
  });
}

test('silence is charged only when repeated', async () => {
  await using bench = createBench();
  const long = fakeBlocks(600, fakeGenesis.hash, { size: 20_000 });
  bench.join('silent', { blocks: long, behaviour: 'silent' });
  bench.join('good', { blocks: long, bytesPerSecond: 200_000 });
  await bench.clock.runUntil(() => bench.chain.tip().height > 40);
  assert.deepEqual(bench.net.charges, []);
  await bench.reach(long.at(-1));
  assert.deepEqual(
    new Set(bench.net.charges.map(({ peer, offence }) => `${peer} ${offence}`)),
    new Set(['silent stalled']),
  );
});

test('a peer that falls silent holds up the front once, not once for each of its requests', async () => {
  await using bench = createBench();
  // Small blocks make it look slow on the large ones, which keep the good peer too busy to take over by itself.
  const small = fakeBlocks(100, fakeGenesis.hash, { size: 200 });
  const all = [...small, ...fakeBlocks(600, small.at(-1)?.hash, { size: 100_000 })];
  bench.join('good', { blocks: all, bytesPerSecond: 10_000_000 });
  bench.join('silent', { blocks: all, behaviour: 'silent-after-one' });
  const startMs = bench.clock.monotonicMs();
  await bench.clock.runUntil(() => bench.chain.tip().height >= small.length, 60_000);
  const tookMs = bench.clock.monotonicMs() - startMs;
  assert.ok(tookMs < 2 * syncDefaults.blocks.minStallMs, `the small blocks took ${tookMs} ms`);
});

test('a throttled peer holds nobody up and is not charged more than once', async () => {
  await using bench = createBench();
  const big = fakeBlocks(200, fakeGenesis.hash, { size: 100_000 });
  bench.join('throttled', { blocks: big, bytesPerSecond: 20_000 });
  for (const id of ['a', 'b', 'c']) bench.join(id, { blocks: big, bytesPerSecond: 1_000_000 });
  await bench.reach(big.at(-1));
  const ideal = (200 * 100_000) / 3_020_000;
  assert.ok(bench.clock.monotonicMs() / 1000 < 1.3 * ideal + 2, `${bench.clock.monotonicMs()} ms of ${ideal} s`);
  assert.ok(bench.net.charges.length <= 1, JSON.stringify(bench.net.charges));
});

test('a slow peer alone is waited for', async () => {
  await using bench = createBench();
  const big = fakeBlocks(12, fakeGenesis.hash, { size: 400_000 });
  bench.join('slow', { blocks: big, bytesPerSecond: 8_000 });
  await bench.reach(big.at(-1), 3_600_000);
  assert.deepEqual(bench.net.charges, []);
});

test('headers without bodies on top of the real chain do not keep it back', async () => {
  await using bench = createBench();
  const fork = blocks.slice(0, 100);
  const fantasy = [...fork, ...fakeBlocks(400, fork.at(-1)?.hash, { salt: 5 })];
  bench.join('liar', { blocks: fantasy, behaviour: 'headers-only' });
  bench.join('good', { blocks });
  await bench.reach(blocks.at(-1), 30_000);
  assert.ok(bench.net.disconnects.includes('liar'), 'it takes no outbound slot');
  assert.deepEqual(bench.net.charges, []);
});

test('a silent peer with a heavier chain of its own does not keep the real one back', async () => {
  await using bench = createBench();
  const fantasy = fakeBlocks(900, fakeGenesis.hash, { salt: 5 });
  bench.join('liar', { blocks: fantasy, behaviour: 'silent' });
  bench.join('good', { blocks });
  await bench.reach(blocks.at(-1), 30_000);
});

test('an invalid branch with more work costs its server, and the valid one wins', async () => {
  await using bench = createBench();
  const fork = blocks.slice(0, 50);
  const bad = fakeBlock(fork.at(-1)?.hash ?? fakeGenesis.hash, { isInvalid: true, size: 4000 });
  const worse = [...fork, bad, ...fakeBlocks(600, bad.hash, { size: 4000 })];
  bench.join('liar', { blocks: worse });
  bench.join('good', { blocks, bytesPerSecond: 100_000 });
  await bench.reach(blocks.at(-1));
  await bench.clock.advance(5000);
  assert.deepEqual(bench.net.charged('good'), []);
  assert.equal(bench.net.charged('liar')[0], 'invalid-block');
  assert.equal(bench.sync.status().phase, 'at-tip');
  assert.equal(bench.net.openRequests, 0);
});

test('a block that is found invalid late is charged to who served it', async () => {
  await using bench = createBench();
  const bad = fakeBlock(blocks[20]?.hash ?? fakeGenesis.hash, { isInvalid: true, size: 4000 });
  const invalid = [...blocks.slice(0, 21), bad, ...fakeBlocks(60, bad.hash)];
  // The blocks below come late, so the bad one waits in store.
  bench.join('liar', { blocks: invalid, lowestHeightServed: 15 });
  await bench.clock.advance(3000);
  assert.deepEqual(bench.net.charges, []);
  const good = bench.join('good', { blocks: blocks.slice(0, 21) });
  await bench.reach(blocks[20]);
  bench.net.setChain(good, [fakeGenesis, ...blocks]);
  bench.sync.peerUpdated('good', bench.net.hello(good));
  await bench.reach(blocks.at(-1));
  assert.deepEqual(bench.net.charged('liar'), ['invalid-block']);
  assert.deepEqual(bench.net.charged('good'), []);
});

test('a crowd of silent peers delays the two honest ones by seconds', async () => {
  await using bench = createBench();
  for (let i = 0; i < 18; i++) bench.join(`silent${i}`, { blocks, behaviour: i % 2 ? 'silent' : 'silent-after-one' });
  bench.join('good1', { blocks });
  bench.join('good2', { blocks });
  await bench.reach(blocks.at(-1), 60_000);
  assert.deepEqual(chargedHonest(bench), []);
});

test('peers that come and go every second', async () => {
  await using bench = createBench();
  let next = 0;
  const alive: string[] = [];
  while (bench.chain.tip().height < blocks.length) {
    const id = `p${next++}`;
    bench.join(id, { blocks, bytesPerSecond: 60_000 });
    alive.push(id);
    if (alive.length > 3) bench.leave(alive.shift() ?? '');
    await bench.clock.advance(1000);
    assert.ok(next < 60, 'it gets on');
  }
  assert.deepEqual(bench.net.charges, []);
});

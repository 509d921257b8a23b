/** Which connections are opened and closed when: Core's ThreadOpenConnections, one rule a test. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryFile } from '../../../support/addrman.ts';
import { Scene } from './scene.ts';

const MINUTE = 60_000;
const ADDRESS = '/ip4/203.0.114.1/tcp/1';

describe('outbound slots', () => {
  it('fills eight full-relay and then two block-only slots, each in a netgroup of its own', async () => {
    const twice = Scene.many(20).flatMap(({ id, address }) => [
      { id, address },
      { id: `${id}b`, address: `${address}b` },
    ]);
    const scene = await Scene.create({ known: twice });
    scene.slots.start();
    assert.equal(scene.slots.isShort(), true);
    await scene.clock.advance(10_000);
    assert.deepEqual(scene.of('full-relay').length, 8);
    assert.deepEqual(scene.of('block-only').length, 2);
    const groups = [...scene.peers.values()].map(({ group }) => group);
    assert.equal(new Set(groups).size, 10);
    const kinds = scene.said.map((line) => line.split(' ')[0]).filter((kind) => /^(full|block)/.test(kind ?? ''));
    assert.deepEqual(kinds.slice(8), ['block-only', 'block-only'], 'last');
    assert.equal(scene.slots.isShort(), false);
    await scene.slots.stop();
  });

  it('any number of local peers is fine', async () => {
    const known = Array.from({ length: 20 }, (_, index) => ({ id: `p${index}`, address: `/local/${index}` }));
    const scene = await Scene.create({ known });
    scene.slots.start();
    await scene.clock.advance(10_000);
    assert.equal(scene.peers.size, 10);
  });

  it('a manual peer takes no slot and no group, and is called again within a minute whatever happened', async () => {
    const manual = [`${ADDRESS}/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA`];
    const id = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA';
    const scene = await Scene.create({ known: [{ id: 'same', address: '/ip4/0' }, ...Scene.many(20)], manual });
    scene.dead.add(id);
    scene.slots.start();
    await scene.clock.advance(60 * MINUTE);
    assert.ok(scene.count(`manual ${id}`) >= 60, `${scene.count(`manual ${id}`)} calls in an hour`);
    scene.dead.clear();
    await scene.clock.advance(MINUTE);
    assert.deepEqual(scene.of('manual'), [id]);
    assert.equal(scene.peers.size, 11);
    assert.ok(scene.peers.has('same'), 'of the group of the manual peer');
  });

  it('a lost slot is filled at once, by somebody else', async () => {
    const scene = await Scene.create({ known: Scene.many(20) });
    scene.slots.start();
    await scene.clock.advance(MINUTE);
    const [lost = '', blockOnly = ''] = [scene.of('full-relay')[3], scene.of('block-only')[0]];
    scene.lose(lost);
    await scene.clock.advance(1_000);
    assert.equal(scene.of('full-relay').length, 8);
    assert.equal(scene.peers.has(lost), false, 'it was tried in the last ten minutes');
    assert.deepEqual(
      scene.said.filter((line) => line.startsWith('alive')),
      [`alive ${lost}`],
    );
    scene.lose(blockOnly);
    assert.equal(scene.count('alive'), 1, 'of a block-only peer we tell nobody that it lives');
  });

  it('who was tried in the last ten minutes is tried again only if thirty others do not fit', async () => {
    const scene = await Scene.create({ known: Scene.many(1), options: { fullRelay: 1, blockOnly: 0 } });
    scene.dead.add('p0');
    scene.slots.start();
    await scene.clock.advance(9 * MINUTE);
    // Nobody else is known: the picks of a round run out on the one that there is.
    assert.ok(scene.count('full-relay p0') > 1);
    const many = await Scene.create({ known: Scene.many(400), options: { fullRelay: 1, blockOnly: 0 } });
    for (const { id } of many.known) many.dead.add(id);
    many.slots.start();
    await many.clock.advance(20_000);
    const calls = many.said.filter((line) => line.startsWith('full-relay'));
    assert.ok(calls.length > 50);
    assert.equal(new Set(calls).size, calls.length, 'each once');
  });

  it('failures count only while peers of two groups are connected', async () => {
    const scene = await Scene.create({ known: Scene.many(12) });
    scene.slots.start();
    await scene.clock.advance(MINUTE);
    assert.equal(scene.count('uncounted'), 2);
    scene.lose(scene.of('full-relay')[0] ?? '');
    await scene.clock.advance(MINUTE);
    assert.equal(scene.count('uncounted'), 2);
    assert.ok(scene.count('full-relay') > 8);
  });

  it('feelers come every two minutes or so, call new addresses or those that others want to displace, and end', async () => {
    const scene = await Scene.create({ known: Scene.many(500) });
    scene.slots.start();
    await scene.clock.advance(10_000);
    assert.ok(!scene.newOnly.includes(true));
    scene.newOnly.length = 0;
    await scene.clock.advance(10 * 60 * MINUTE);
    const feelers = scene.said.filter((line) => line.startsWith('feeler'));
    assert.ok(feelers.length > 240 && feelers.length < 360, `${feelers.length} in ten hours`);
    assert.ok(scene.newOnly.length >= feelers.length && scene.newOnly.every((isNew) => isNew));
    assert.deepEqual(scene.of('feeler'), []);
    const occurrences = (line: string): number => feelers.filter((each) => each === line).length;
    for (const line of feelers) {
      const id = line.split(' ')[1];
      assert.equal(scene.said.filter((each) => each === `good ${id}`).length, occurrences(line));
      assert.equal(scene.said.filter((each) => each === `close ${id}`).length, occurrences(line));
    }
    scene.collision = { id: 'rival', address: '/rival/0' };
    await scene.clock.advance(20 * MINUTE);
    assert.ok(scene.count('feeler rival') > 0);
  });

  it('a stale tip brings one more full-relay peer, and whoever told of a block longest ago goes', async () => {
    const scene = await Scene.create({ known: Scene.many(100) });
    scene.slots.start();
    await scene.clock.advance(MINUTE);
    const full = scene.of('full-relay');
    for (const [index, id] of full.entries()) Object.assign(scene.peers.get(id) ?? {}, { lastBlockMs: 1_000 - index });
    // The last one told of one before all others, but is kept for its chain.
    Object.assign(scene.peers.get(full[7] ?? '') ?? {}, { hasGoodChain: true });
    scene.slots.chainLooked({ isSynced: false, isTipStale: true });
    await scene.clock.advance(6_000);
    const extra = scene.of('full-relay').at(-1);
    assert.equal(scene.of('full-relay').length, 9);
    const newcomer = scene.peers.get(extra ?? '');
    if (newcomer) newcomer.lastBlockMs = 5_000;
    await scene.clock.advance(2 * MINUTE);
    assert.equal(scene.of('full-relay').length, 8);
    assert.equal(scene.count(`close ${full[6]}`), 1);
    assert.ok(scene.peers.has(extra ?? ''));
    await scene.clock.advance(5 * MINUTE);
    assert.equal(scene.count('close p'), 1 + scene.count('feeler'), 'no further one before the next look at the tip');
  });

  it('an extra peer that shows nothing goes again, after half a minute', async () => {
    const scene = await Scene.create({ known: Scene.many(100) });
    scene.slots.start();
    await scene.clock.advance(MINUTE);
    scene.slots.chainLooked({ isSynced: false, isTipStale: true });
    await scene.clock.advance(6_000);
    const extra = scene.of('full-relay').at(-1);
    await scene.clock.advance(2 * MINUTE);
    assert.equal(scene.count(`close ${extra}`), 1);
  });

  it('once synced, an extra block-only peer comes every five minutes or so and goes unless the other has no good chain', async () => {
    const scene = await Scene.create({ known: Scene.many(500) });
    scene.slots.start();
    await scene.clock.advance(30 * MINUTE);
    assert.equal(scene.count('block-only'), 2, 'not before the first sync has ended');
    const both = scene.of('block-only');
    scene.slots.chainLooked({ isSynced: true, isTipStale: false });
    await scene.clock.advance(10 * 60 * MINUTE);
    const extras = scene.count('block-only') - 2;
    assert.ok(extras > 80 && extras < 150, `${extras} in ten hours`);
    assert.ok(scene.of('block-only').length <= 3);
    assert.deepEqual(scene.of('block-only').slice(0, 2), both);
  });

  it('anchors are called first, as block-only peers, and remembered when we stop', async () => {
    const file = memoryFile();
    const anchors = [
      { id: 'old0', address: '/ip4/198.51.101.1/tcp/1' },
      { id: 'old1', address: '/ip6/2001:db9::1/tcp/1' },
    ];
    const scene = await Scene.create({ known: Scene.many(20), anchors }, file);
    assert.deepEqual(file.content, [], 'a crash must not find them again');
    scene.slots.start();
    await scene.clock.advance(1_000);
    assert.deepEqual(scene.said.filter((line) => /^(full|block)/.test(line)).slice(0, 2), [
      'block-only old0',
      'block-only old1',
    ]);
    await scene.slots.stop();
    assert.deepEqual(file.content, anchors);
    const again = await Scene.create({ known: [] }, file);
    await again.slots.stop();
    assert.deepEqual(file.content, anchors, 'those that were not tried stay');
  });

  it('a file of anchors that holds something else is worth nothing, and costs nothing', async () => {
    for (const content of [undefined, 7, [{ id: 'a' }], [{ id: 'a'.repeat(100), address: ADDRESS }, null, 3]]) {
      const file = memoryFile(content);
      const scene = await Scene.create({ known: Scene.many(20) }, file);
      scene.slots.start();
      await scene.clock.advance(10_000);
      assert.equal(scene.peers.size, 10);
    }
  });

  it('what a DHT query opened fills no slot, ends soon, and may become a full-relay peer, never a block-only one', async () => {
    const scene = await Scene.create({ options: { fullRelay: 1, blockOnly: 1 } });
    scene.connect('q', '/q/0', 'query');
    scene.slots.start();
    await scene.clock.advance(5_000);
    assert.equal(scene.slots.isShort(), true);
    await scene.clock.advance(10_000);
    assert.equal(scene.peers.has('q'), false);
    const next = scene.connect('r', '/r/0', 'query');
    next.isConfirmed = true;
    scene.known = [{ id: 'r', address: '/r/0' }];
    await scene.clock.advance(2_000);
    assert.equal(scene.peers.get('r')?.kind, 'full-relay');
    assert.equal(scene.count('good r'), 1);
    scene.connect('s', '/s/0', 'query');
    scene.known.push({ id: 's', address: '/s/0' });
    await scene.clock.advance(5_000);
    assert.equal(scene.count('block-only s'), 0);
  });

  it('queries have few places, and the operator’s bound holds for them', async () => {
    const scene = await Scene.create();
    assert.equal(scene.slots.hasQuerySlot(), true);
    for (let n = 0; n < 4; n += 1) scene.connect(`q${n}`, `/q${n}/0`, 'query');
    assert.equal(scene.slots.hasQuerySlot(), false);
    for (let n = 4; n < 9; n += 1) scene.connect(`q${n}`, `/q${n}/0`, 'query');
    scene.slots.start();
    await scene.clock.advance(100);
    assert.equal(scene.of('query').length, 4, 'those that came at the same time go at once');
    const small = await Scene.create({ options: { maxPeers: 1 } });
    small.connect('in', '/in/0', 'inbound');
    assert.equal(small.slots.hasQuerySlot(), false);
  });

  it('seeds are called when nobody is known, fill no slot, and go when others fill them', async () => {
    const ids = ['12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'];
    const seeds = ids.map((id) => `${ADDRESS}/p2p/${id}`);
    const scene = await Scene.create({ seeds });
    scene.slots.start();
    await scene.clock.advance(1_000);
    assert.deepEqual(scene.of('full-relay'), ids, 'nobody is left to call, and nobody is connected');
    assert.equal(scene.slots.isShort(), true);
    scene.known = Scene.many(20);
    await scene.clock.advance(10_000);
    assert.deepEqual(scene.of('full-relay').length, 8);
    assert.equal(scene.count(`close ${ids[0]}`), 1);
    await scene.clock.advance(60 * MINUTE);
    assert.equal(scene.count(`full-relay ${ids[0]}`), 1);
    // Too few others for a minute: only then again.
    scene.known = [];
    for (const id of scene.of('full-relay').slice(0, 3)) scene.lose(id);
    await scene.clock.advance(50_000);
    assert.equal(scene.count(`full-relay ${ids[0]}`), 1);
    await scene.clock.advance(20_000);
    assert.equal(scene.count(`full-relay ${ids[0]}`), 2);
  });

  it('neither banned peers nor ourselves nor the connected are called', async () => {
    const known = [{ id: 'self', address: '/a/0' }, { id: 'banned', address: '/b/0' }, ...Scene.many(3)];
    const scene = await Scene.create({ known });
    scene.unwelcome.add('banned');
    scene.connect('p0', '/g0/0', 'inbound');
    scene.slots.start();
    await scene.clock.advance(MINUTE);
    assert.deepEqual([...scene.peers.keys()].toSorted(), ['p0', 'p1', 'p2']);
  });

  it('without a target nobody is called but for the operator', async () => {
    const scene = await Scene.create({ known: Scene.many(20), options: { fullRelay: 0, blockOnly: 0 } });
    scene.slots.start();
    await scene.clock.advance(30 * MINUTE);
    assert.deepEqual(scene.said, []);
  });

  it('dead addresses do not hold up a slot: after a failure more run at once', async () => {
    const scene = await Scene.create({ known: Scene.many(200) });
    scene.slots.start();
    await scene.clock.advance(MINUTE);
    for (let n = 10; n < 60; n += 1) scene.dead.add(`p${n}`);
    const before = scene.said.length;
    scene.lose('p0');
    await scene.clock.advance(15_000);
    assert.equal(scene.of('full-relay').length >= 8, true, `${scene.said.length - before} calls were not enough`);
  });
});

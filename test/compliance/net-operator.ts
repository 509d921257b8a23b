/** What every version of the `Net` port must do for an operator: bans, peers added by hand, the switch, what is listed. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type NetHarness, pair, TestPeer } from './net.ts';

const SOON = { cooldownMs: 1, backoffFirstMs: 50, backoffLastMs: 50, dialBusyMs: 50, dialIdleMs: 50 };
const HOUR_MS = 3_600_000;

export function operatorCompliance(name: string, harness: NetHarness): void {
  suite(`net operator compliance: ${name}`, { concurrency: harness.concurrency ?? 1 }, () => {
    banTests(harness);
    addedTests(harness);
    switchTests(harness);
    listTests(harness);
  });
}

function banTests(harness: NetHarness): void {
  test('a ban by hand disconnects, keeps out, is listed, and is lifted', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack, { tuning: SOON });
    assert.equal(await a.net.peers.ban(b.id, { reason: 'for the test' }), 'banned');
    await Promise.all([a.isWithout(b), b.isWithout(a)]);
    const [ban, ...others] = await a.net.peers.bans();
    assert.deepEqual(others, []);
    assert.equal(ban?.address, b.id);
    assert.equal(ban?.reason, 'for the test');
    assert.equal(ban?.isByHand, true);
    assert.equal((ban?.bannedUntil ?? 0) - (ban?.createdAt ?? 0), 24 * HOUR_MS);
    assert.deepEqual((await a.net.status()).standing, { dropped: 0, banned: 1, discouraged: 0 });
    // b goes on calling; somebody who may come in proves that time has passed for its calls too.
    const c = stack.use(await TestPeer.start(harness, 'c', { bootstrap: [await a.address()], tuning: SOON }));
    await a.isWith(c);
    assert.ok(!a.connected.has(b.id));
    assert.equal(await a.net.peers.unban(b.id), 'lifted');
    await a.isWith(b);
    assert.equal(await a.net.peers.unban(b.id), 'not-banned');
  });

  test("the operator's own peer may be banned by hand, and is not called any more", async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await TestPeer.start(harness, 'a', { tuning: SOON }));
    const b = stack.use(await TestPeer.start(harness, 'b', { connect: [await a.address()], tuning: SOON }));
    await b.isWith(a);
    assert.equal(await b.net.peers.ban(a.id), 'banned');
    await b.isWithout(a);
    const c = stack.use(await TestPeer.start(harness, 'c', { tuning: SOON }));
    assert.equal(await b.net.peers.add(await c.address()), 'added');
    await b.isWith(c);
    assert.ok(!b.connected.has(a.id));
    await b.net.peers.clearBans();
    await b.isWith(a);
  });

  test('what may be banned, for how long, and what is told of the rest', async () => {
    await using stack = new AsyncDisposableStack();
    const { net } = stack.use(await TestPeer.start(harness, 'a'));
    const { peers } = net;
    for (const text of ['', 'nobody.example', '1.2.3.4/33', '1.2.3.4/255.0.255.0', '::/129', '1.2.3.4:8333']) {
      assert.equal(await peers.ban(text), 'invalid', text);
      assert.equal(await peers.unban(text), 'invalid', text);
    }
    assert.equal(await peers.ban('1.2.3.4', { untilMs: 1 }), 'in-the-past');
    assert.equal(await peers.ban('10.1.2.77/255.255.255.0'), 'banned');
    assert.equal(await peers.ban('10.1.2.0/24'), 'already-banned');
    assert.equal(await peers.ban('10.1.2.9'), 'already-banned', 'a single address in a banned subnet');
    assert.equal(await peers.ban('10.1.2.0/25'), 'banned', 'a subnet of it is another ban');
    assert.equal(await peers.ban('2001:DB8:0::1'), 'banned');
    assert.deepEqual(
      (await peers.bans()).map(({ address }) => address),
      ['10.1.2.0/24', '10.1.2.0/25', '2001:db8::1/128'],
    );
    assert.equal(await peers.unban('10.1.2.5/24'), 'lifted', 'the same subnet, written otherwise');
    assert.equal((await peers.bans()).length, 2);
    await peers.clearBans();
    assert.deepEqual(await peers.bans(), []);
  });

  test('a ban for offences is listed and lifted as well', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack, { tuning: SOON });
    a.net.charge(b.id, 'invalid-block', 'for the test');
    await a.isWithout(b);
    const [ban] = await a.net.peers.bans();
    assert.deepEqual([ban?.address, ban?.reason, ban?.isByHand], [b.id, 'invalid-block', false]);
    assert.deepEqual((await a.net.status()).standing, { dropped: 1, banned: 0, discouraged: 1 });
    assert.equal(await a.net.peers.unban(b.id), 'lifted');
    await a.isWith(b);
    assert.equal((await a.net.peers.list())[0]?.penaltyPoints, 0);
  });
}

function addedTests(harness: NetHarness): void {
  test('who is added is called again and again, until removed', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await TestPeer.start(harness, 'a', { tuning: SOON }));
    const b = stack.use(await TestPeer.start(harness, 'b', { tuning: SOON }));
    const address = await a.address();
    assert.equal(await b.net.peers.add('/ip4/1.2.3.4/tcp/8333'), 'invalid');
    assert.equal(await b.net.peers.add(address), 'added');
    assert.equal(await b.net.peers.add(address), 'already-added');
    await b.isWith(a);
    assert.equal(b.connected.get(a.id)?.isManual, true);
    assert.equal(b.connected.get(a.id)?.kind, 'manual');
    const [added] = await b.net.peers.added();
    assert.deepEqual([added?.id, added?.addresses, added?.connected?.direction], [a.id, [address], 'outbound']);
    b.net.disconnect(a.id, 'once');
    await b.isWithout(a);
    await b.isWith(a);
    assert.equal(await b.net.peers.remove(address), 'removed');
    assert.equal(await b.net.peers.remove(address), 'not-added');
    assert.deepEqual(await b.net.peers.added(), []);
    assert.ok(b.connected.has(a.id), 'the connection stays');
  });

  test('who is tried once is not one of ours', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await TestPeer.start(harness, 'a', { tuning: SOON }));
    const b = stack.use(await TestPeer.start(harness, 'b', { tuning: SOON, targetOutbound: 0 }));
    const address = await a.address();
    assert.equal(await b.net.peers.tryOnce('nonsense'), 'invalid');
    assert.equal(await harness.until(b.net.peers.tryOnce(address)), 'connected');
    await b.isWith(a);
    assert.equal(b.connected.get(a.id)?.kind, 'manual');
    assert.equal(b.connected.get(a.id)?.isManual, false);
    assert.deepEqual(await b.net.peers.added(), []);
    assert.equal(await b.net.peers.ban(a.id), 'banned');
    await b.isWithout(a);
    assert.equal(await harness.until(b.net.peers.tryOnce(address)), 'failed', 'who is banned is not tried');
  });
}

function switchTests(harness: NetHarness): void {
  test('peers are disconnected by id and by address', async () => {
    await using stack = new AsyncDisposableStack();
    // Only one of them calls: of two calls that cross, either may be the one that stays, under another address.
    const a = stack.use(await TestPeer.start(harness, 'a', { tuning: SOON, targetOutbound: 0 }));
    const b = stack.use(await TestPeer.start(harness, 'b', { tuning: SOON, bootstrap: [await a.address()] }));
    await Promise.all([a.isWith(b), b.isWith(a)]);
    assert.equal(await a.net.peers.disconnect('nobody'), 0);
    assert.equal(await a.net.peers.disconnect(b.id), 1);
    await a.isWithout(b);
    await a.isWith(b);
    const [info] = await a.net.peers.list();
    assert.equal(await a.net.peers.disconnect(info?.address ?? ''), 1);
    await a.isWithout(b);
  });

  test('switched off, a network is alone; on again, it is back', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack, { tuning: SOON });
    assert.equal((await b.net.status()).isActive, true);
    await b.net.peers.setActive(false);
    await Promise.all([a.isWithout(b), b.isWithout(a)]);
    assert.equal((await b.net.status()).isActive, false);
    // Busy where it is calling b of itself at that moment, in vain as well.
    const called = await harness.until(a.net.peers.tryOnce(await b.address()));
    assert.ok(['failed', 'busy'].includes(called), called);
    assert.deepEqual((await b.net.status()).peers, []);
    await b.net.peers.setActive(true);
    await Promise.all([a.isWith(b), b.isWith(a)]);
  });
}

function listTests(harness: NetHarness): void {
  test('a peer is listed with what it took and gave', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    a.serve = async function* () {
      yield { status: 0, payload: new Uint8Array(50_000) };
    };
    await b.ask(a, 'blocks', Uint8Array.of(1, ...new Uint8Array(32)));
    await b.net.peers.pingAll();
    const [details, ...others] = await b.net.peers.list();
    assert.ok(details);
    assert.deepEqual(others, []);
    assert.equal(details.id, a.id);
    assert.equal(details.phase, 'confirmed');
    assert.equal(details.direction, 'outbound');
    assert.equal(details.agent, 'a');
    assert.ok(details.bytesIn >= 50_000, `${details.bytesIn} bytes`);
    const totals = await b.net.peers.totals();
    assert.ok(totals.bytesIn >= details.bytesIn && totals.bytesOut > 0);
    assert.ok((await b.net.peers.addresses(0)).some(({ id }) => id === a.id));
    assert.ok((await b.net.peers.addresses(1)).length <= 1);
  });
}

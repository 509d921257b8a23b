import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import fc from 'fast-check';
import type { PeerAddress } from '../../../src/net/addrman/entry.ts';
import type { AddressManager } from '../../../src/net/addrman/manager.ts';
import { MAX_ADDRESSES_PER_PEER, MAX_PEERS_PER_HOST_PORT } from '../../../src/net/addrman/siblings.ts';
import { addressIn, memoryFile, openAddressManager, peerIn, START_MS, source, tell } from '../../support/addrman.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const anyOf = { newOnly: false, isWanted: () => true };

/** All that `select` gives in so many calls. */
function drawn(manager: AddressManager, calls: number, newOnly = false): Set<string> {
  const ids = new Set<string>();
  for (let call = 0; call < calls; call += 1) {
    const peer = manager.select({ newOnly, isWanted: () => true });
    if (peer !== undefined) ids.add(peer.id);
  }
  return ids;
}

function isKnown(manager: AddressManager, peer: PeerAddress): boolean {
  return (
    manager.select({ newOnly: false, isWanted: ({ id, address }) => id === peer.id && address === peer.address }) !==
    undefined
  );
}

suite('address manager', () => {
  test('only what can be called is kept, and names only of the operator', async () => {
    const { manager } = await openAddressManager();
    const useless = ['/ip4/127.0.0.1/tcp/1', '/ip4/8.8.8.8/udp/1', '/ip4/8.8.8.8/tcp/0', '/ip4/10.0.0.1/tcp/1'];
    const nowhere = ['/ip4/203.0.113.1/tcp/1', '/ip6/::ffff:127.0.0.1/tcp/1', '/dns4/a.example/tcp/1'];
    const addresses = [...useless, ...nowhere, '/ip4/8.8.8.8/tcp/1'].map((text) => multiaddr(text));
    assert.equal(manager.add('p', addresses, source('1.1')), 1);
    assert.deepEqual(manager.select(anyOf)?.address, '/ip4/8.8.8.8/tcp/1');
    assert.equal(manager.add('q', [multiaddr('/dns4/a.example/tcp/1')], source('seed:a', 'seed')), 1);
    assert.equal(manager.add('x'.repeat(81), [multiaddr('/ip4/8.8.4.4/tcp/1')], source('1.1')), 0);
  });

  test('one call is looked at as far as its bound', async () => {
    const { manager } = await openAddressManager();
    const useless = Array.from({ length: 16 }, () => multiaddr('/ip4/10.0.0.1/tcp/1'));
    assert.equal(manager.add('p', [...useless, multiaddr('/ip4/8.8.8.8/tcp/1')], source('1.1')), 0);
  });

  test('who answered a call stands in the tried table, and comes from either table as often', async () => {
    const { manager, clock } = await openAddressManager();
    for (let n = 0; n < 100; n += 1) tell(manager, peerIn(n, 0), source(`${n % 7}.1`));
    const good = peerIn(5, 0);
    manager.good(good);
    await clock.advance(11 * MINUTE);
    assert.equal(manager.size.tried, 1);
    assert.ok(!drawn(manager, 300, true).has(good.id), 'a feeler calls only whom nobody answered at');
    const half = Array.from({ length: 400 }, () => manager.select(anyOf)?.id).filter((id) => id === good.id).length;
    assert.ok(half > 140 && half < 260, `${half} of 400 from a tried table of one`);
  });

  test('who answered at an address that nobody told of is kept too', async () => {
    const { manager } = await openAddressManager();
    manager.good(peerIn(1, 1));
    assert.deepEqual(manager.size, { tried: 1, fresh: 0 });
    manager.good({ id: 'p', address: 'nonsense' });
    manager.good({ id: 'p', address: '/ip4/10.0.0.1/tcp/1' });
    assert.deepEqual(manager.size, { tried: 1, fresh: 0 });
  });

  test('three failed calls make hearsay give way, but only failures that count', async () => {
    const { manager, clock } = await openAddressManager();
    const peer = peerIn(1, 1);
    tell(manager, peer, source('1.1'));
    const fail = async (isCounted: boolean) => {
      await clock.advance(HOUR);
      manager.attempt(peer, isCounted);
      assert.equal(manager.lastTryMs(peer), clock.now());
    };
    for (let n = 0; n < 5; n += 1) await fail(false);
    // Twice without anybody answering in between: it may be our own network.
    for (let n = 0; n < 5; n += 1) await fail(true);
    await clock.advance(2 * MINUTE);
    assert.equal(manager.sample(10).length, 1);
    const isHandedOn = () =>
      Array.from({ length: 50 }, () => manager.sample(10))
        .flat()
        .some(({ id }) => id === peer.id);
    for (const count of [2, 3]) {
      await clock.advance(MINUTE);
      manager.good(peerIn(9, count));
      await fail(true);
      await clock.advance(2 * MINUTE);
      assert.equal(isHandedOn(), count < 3, `after ${count}`);
    }
  });

  test('what nobody speaks of for a month is not handed on', async () => {
    const { manager, clock } = await openAddressManager();
    tell(manager, peerIn(1, 1), source('1.1'));
    await clock.advance(29 * DAY);
    assert.equal(manager.sample(10).length, 1);
    await clock.advance(DAY);
    assert.equal(manager.sample(10).length, 0);
    tell(manager, peerIn(1, 1), source('1.1'));
    assert.equal(manager.sample(10).length, 1);
  });

  test('an end of a connection renews what we know', async () => {
    const { manager, clock } = await openAddressManager();
    manager.good(peerIn(1, 1));
    await clock.advance(29 * DAY);
    manager.connected(peerIn(1, 1).id);
    await clock.advance(5 * DAY);
    assert.equal(manager.sample(10).length, 1);
  });

  test('any netgroup is drawn as often as any other, however many addresses it has', async () => {
    const { manager, clock } = await openAddressManager();
    const isOfCrowd = (id: string | undefined): boolean => id?.startsWith('peer-99-') ?? false;
    const share = (): number => {
      const draws = Array.from({ length: 2_000 }, () => manager.select(anyOf)?.id);
      return draws.filter(isOfCrowd).length / draws.length;
    };
    for (let group = 0; group < 49; group += 1) tell(manager, peerIn(group, 0), source(`${group}.1`));
    for (let n = 0; n < 500; n += 1) tell(manager, peerIn(99, n), source(`${n % 40}.1`));
    assert.ok(share() > 0.01 && share() < 0.03, `${share()} for one group of 50`);
    for (let group = 0; group < 49; group += 1) manager.good(peerIn(group, 0));
    await clock.advance(11 * MINUTE);
    // Half of all draws, if either table were as likely: all that is left in the new one is the crowd.
    assert.ok(share() > 0.01 && share() < 0.04, `${share()} for the one group that was never tried`);
  });

  test('who was just called is drawn a hundredth as often', async () => {
    const { manager } = await openAddressManager();
    tell(manager, peerIn(1, 1), source('1.1'));
    tell(manager, peerIn(2, 1), source('2.1'));
    manager.attempt(peerIn(1, 1), false);
    const draws = Array.from({ length: 500 }, () => manager.select(anyOf)?.id);
    const count = draws.filter((id) => id === peerIn(1, 1).id).length;
    assert.ok(count < 25, `${count} of 500`);
    assert.ok(draws.every((id) => id !== undefined));
  });

  test('nobody fits: undefined, after a bounded number of looks', async () => {
    const { manager } = await openAddressManager();
    assert.equal(manager.select(anyOf), undefined);
    for (let n = 0; n < 50; n += 1) tell(manager, peerIn(n, 1), source('1.1'));
    let looks = 0;
    const isWanted = () => {
      looks += 1;
      return false;
    };
    assert.equal(manager.select({ newOnly: false, isWanted }), undefined);
    assert.equal(looks, 200);
  });

  test('forgotten means all its addresses, in either table', async () => {
    const { manager } = await openAddressManager();
    manager.add('p', [addressIn(1, 1), addressIn(2, 2)], source('1.1'));
    manager.good({ id: 'p', address: addressIn(1, 1).toString() });
    manager.forget('p');
    manager.forget('unknown');
    assert.deepEqual(manager.size, { tried: 0, fresh: 0 });
  });

  test('at most 23 % are handed on, and no more than asked', async () => {
    const { manager } = await openAddressManager();
    for (let n = 0; n < 200; n += 1) tell(manager, peerIn(n, 1), source(`${n}.1`));
    const { fresh } = manager.size;
    assert.equal(manager.sample(1000).length, Math.ceil(fresh * 0.23));
    assert.equal(manager.sample(7).length, 7);
    assert.equal(manager.sample(0).length, 0);
    assert.notDeepEqual(manager.sample(7), manager.sample(7));
  });

  test('what each source was worth is counted', async () => {
    const { manager } = await openAddressManager();
    tell(manager, peerIn(1, 1), source('1.1', 'dht'));
    tell(manager, peerIn(2, 1), source('1.1', 'dht'));
    tell(manager, peerIn(2, 1), source('2.1', 'record'));
    tell(manager, peerIn(3, 1), source('2.1', 'record'));
    manager.good(peerIn(1, 1));
    manager.good(peerIn(1, 1));
    assert.deepEqual(manager.quality(), [
      { kind: 'dht', heard: 2, fresh: 1, tried: 1, succeeded: 1 },
      { kind: 'record', heard: 1, fresh: 1, tried: 0, succeeded: 0 },
    ]);
  });
});

suite('address manager: one peer, one host', () => {
  test('a peer has four addresses; what it says itself goes before hearsay', async () => {
    const { manager } = await openAddressManager();
    for (let n = 0; n < 10; n += 1) manager.add('p', [addressIn(n, 1)], source('66.6'));
    assert.equal(manager.size.fresh, MAX_ADDRESSES_PER_PEER);
    const own = addressIn(50, 1);
    assert.equal(manager.add('p', [own], source('50.1', 'identify')), 1);
    assert.equal(manager.size.fresh, MAX_ADDRESSES_PER_PEER);
    for (let n = 10; n < 20; n += 1) manager.add('p', [addressIn(n, 1)], source(`66.${n}`));
    assert.ok(isKnown(manager, { id: 'p', address: own.toString() }));
  });

  test('invented peers at an honest address do not keep the honest one out', async () => {
    const { manager } = await openAddressManager();
    const address = addressIn(7, 7);
    // An attacker in three netgroups was first; each fills what it can.
    for (let n = 0; n < 300; n += 1) manager.add(`invented${n}`, [address], source(`66.${n % 3}`));
    assert.equal(manager.size.fresh, MAX_PEERS_PER_HOST_PORT);
    assert.equal(manager.add('honest', [address], source('9.9')), 1, 'of another source group');
    for (let n = 300; n < 600; n += 1) manager.add(`invented${n}`, [address], source(`66.${n % 3}`));
    assert.ok(isKnown(manager, { id: 'honest', address: address.toString() }));
    assert.equal(manager.size.fresh, MAX_PEERS_PER_HOST_PORT);
  });

  test('who speaks from the address has his place there whoever was before', async () => {
    const { manager } = await openAddressManager();
    const address = addressIn(7, 7);
    for (let n = 0; n < 100; n += 1) manager.add(`invented${n}`, [address], source(`66.${n}`, 'record'));
    assert.equal(manager.size.fresh, MAX_PEERS_PER_HOST_PORT);
    assert.equal(manager.add('late', [address], source('9.9')), 0, 'eight groups hold eight places');
    assert.equal(manager.add('honest', [address], source('20.7', 'identify')), 1);
    for (let n = 100; n < 200; n += 1) manager.add(`invented${n}`, [address], source(`66.${n}`, 'record'));
    assert.ok(isKnown(manager, { id: 'honest', address: address.toString() }));
  });

  test('who answered stays whatever is said of his address', async () => {
    const { manager } = await openAddressManager();
    const honest = peerIn(7, 7);
    manager.good(honest);
    for (let n = 0; n < 100; n += 1)
      manager.add(`invented${n}`, [multiaddr(honest.address)], source('20.7', 'identify'));
    for (let n = 0; n < 100; n += 1) manager.add(honest.id, [addressIn(n, 3)], source('20.7', 'identify'));
    assert.ok(isKnown(manager, honest));
  });
});

suite('address manager: its file', () => {
  test('what was known is known after a restart', async () => {
    const { manager, file, clock } = await openAddressManager();
    for (let n = 0; n < 300; n += 1) tell(manager, peerIn(n, 1), source(`${n % 11}.1`));
    for (let n = 0; n < 40; n += 1) manager.good(peerIn(n, 1));
    manager.attempt(peerIn(100, 1), true);
    await clock.advance(1500);
    await manager.save();
    const again = await openAddressManager({ file, clock, seed: 2 });
    assert.deepEqual(again.manager.size, manager.size);
    assert.equal(again.manager.lastTryMs(peerIn(100, 1)), START_MS);
    assert.deepEqual(
      again.manager.quality().map(({ kind, fresh, tried }) => ({ kind, fresh, tried })),
      manager.quality().map(({ kind, fresh, tried }) => ({ kind, fresh, tried })),
    );
    await again.manager.save();
    assert.equal(file.writes, 1, 'nothing changed');
  });

  test('a file of the future is not believed', async () => {
    const { manager, file } = await openAddressManager();
    tell(manager, peerIn(1, 1), source('1.1'));
    manager.attempt(peerIn(1, 1), true);
    await manager.save();
    const again = await openAddressManager({ file, clock: createManualClock(1_000_000) });
    assert.equal(again.manager.lastTryMs(peerIn(1, 1)), 1_000_000);
  });

  test('the file of the address book before it is taken over', async () => {
    const known = (n: number, lastSuccess: number) => ({
      id: `p${n}`,
      addresses: [addressIn(n, 1).toString(), addressIn(n, 2).toString()],
      lastSeen: START_MS - DAY,
      lastTry: START_MS - DAY,
      lastSuccess,
      failures: 3,
    });
    const content = [...Array.from({ length: 20 }, (_, n) => known(n, n < 5 ? START_MS - DAY : 0)), null, {}, 7];
    const { manager } = await openAddressManager({ file: memoryFile(content) });
    assert.deepEqual(manager.size, { tried: 5, fresh: 35 });
  });

  test('no file can break it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (whole, part) => {
        const rows = [
          [part, part],
          ['p', '/ip4/8.8.8.8/tcp/1', part, part, part, part, part, part],
        ];
        for (const content of [whole, { version: 1, key: part, sources: [part], entries: [part, ...rows] }]) {
          const { manager } = await openAddressManager({ file: memoryFile(content) });
          manager.select(anyOf);
          manager.sample(10);
          manager.quality();
        }
      }),
      { numRuns: 100 },
    );
  });

  test('the more is in it, the more seldom it is written', async () => {
    const { manager, file, clock } = await openAddressManager();
    const change = () => manager.good(peerIn(0, 1));
    for (let n = 0; n < 1000; n += 1) tell(manager, peerIn(n, 1), source(`${n}.1`));
    await manager.saveIfDue();
    assert.equal(file.writes, 1);
    change();
    await clock.advance(5_000);
    await manager.saveIfDue();
    assert.equal(file.writes, 1, 'a thousand entries wait ten seconds');
    await clock.advance(5_000);
    await manager.saveIfDue();
    assert.equal(file.writes, 2);
  });
});

/** Bans by hand: how they are written, whom they hold, how many there are, and their file. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { BanList, isAbout, MAX_BANS } from '../../../src/net/bans/ban-list.ts';
import { type BanTarget, parseBanTarget, parseSubnet } from '../../../src/net/bans/ban-target.ts';
import { MAX_DISCOURAGED, parseStoredBans, toStored } from '../../../src/net/bans/stored.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

const PEER = '12D3KooWFtBtEhkaibggyh5A6QZ5SN13ngDQ9A3Qv9SFhVmXFPQE';

function target(text: string): BanTarget {
  const parsed = parseBanTarget(text);
  assert.ok(parsed, text);
  return parsed;
}

function ban(list: BanList, clock: ManualClock, text: string, forMs: number): boolean {
  return list.add({ target: target(text), createdMs: clock.now(), untilMs: clock.now() + forMs, reason: '' });
}

suite('net bans', () => {
  test('a subnet has one text, however it is written', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['1.2.3.4', '1.2.3.4/32'],
      ['1.2.3.4/24', '1.2.3.0/24'],
      ['1.2.3.4/23', '1.2.2.0/23'],
      ['1.2.3.4/255.255.254.0', '1.2.2.0/23'],
      ['1.2.3.4/0', '0.0.0.0/0'],
      ['255.255.255.255/1', '128.0.0.0/1'],
      ['1.2.3.4/0.0.0.0', '0.0.0.0/0'],
      ['::ffff:1.2.3.4', '1.2.3.4/32'],
      ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1/128'],
      ['2001:db8:ffff:ffff::/33', '2001:db8:8000::/33'],
      ['2001:db8::1/ffff:ffff::', '2001:db8::/32'],
      ['::/0', '::/0'],
      ['::1', '::1/128'],
    ];
    for (const [text, canonical] of cases) assert.equal(parseSubnet(text)?.text, canonical, text);
    assert.equal(target(PEER).text, PEER);
  });

  test('what is neither peer id nor ip nor subnet', () => {
    const nonsense = [
      ...['', ' ', '/', '1.2.3', '1.2.3.4/', '1.2.3.4/33', '1.2.3.4/-1', '1.2.3.4/24/24', '1.2.3.4/255.0.255.0'],
      ...['1.2.3.4/ffff::', '::1/255.0.0.0', '::1/129', '::g', 'fe80::1%eth0', '1.2.3.4:8333', 'example.org'],
      ...['::ffff:1.2.3.4/120', `${PEER}x`, PEER.slice(1), PEER.repeat(40), '1'.repeat(10_000)],
    ];
    for (const text of nonsense) assert.equal(parseBanTarget(text), undefined, text.slice(0, 60));
  });

  test('a ban holds its subnet and nothing beside it', () => {
    const clock = createManualClock(1);
    const list = new BanList(clock);
    for (const text of ['10.1.2.0/23', '2001:db8::/33', PEER]) ban(list, clock, text, 1000);
    for (const ip of ['10.1.2.0', '10.1.3.255', '::ffff:10.1.2.7', '::ffff:a01:207', '2001:db8:7fff::1']) {
      assert.ok(list.hasIp(ip), ip);
    }
    for (const ip of ['10.1.1.255', '10.1.4.0', '2001:db8:8000::', '::1', '::10.1.2.7', 'fe80::1%eth0', 'no ip']) {
      assert.ok(!list.hasIp(ip), ip);
    }
    assert.ok(list.hasPeer(PEER) && !list.hasPeer('10.1.2.0/23'), 'a subnet is no peer');
    assert.ok(
      isAbout(target('10.1.2.0/23'), 'anybody', '10.1.3.9') && !isAbout(target('10.1.2.0/23'), 'anybody', undefined),
    );
    assert.ok(isAbout(target(PEER), PEER, undefined) && !isAbout(target(PEER), 'anybody', '10.1.2.1'));
  });

  test('each ban ends by itself, and a full list refuses', async () => {
    const clock = createManualClock(1);
    const list = new BanList(clock);
    ban(list, clock, '1.0.0.0/24', 1000);
    for (let count = 1; count < MAX_BANS; count += 1) ban(list, clock, `9.${count >> 8}.${count & 255}.0/24`, 5000);
    assert.equal(ban(list, clock, '8.8.8.8', 1000), false);
    assert.ok(!list.hasIp('8.8.8.8'));
    assert.ok(ban(list, clock, '1.0.0.0/24', 2000), 'what is there may be prolonged');
    await clock.advance(1000);
    assert.ok(list.hasIp('1.0.0.9'));
    await clock.advance(1000);
    assert.ok(!list.hasIp('1.0.0.9') && list.hasIp('9.0.1.9'));
    assert.ok(ban(list, clock, '8.8.8.8', 1000));
    assert.ok(list.delete(target('8.8.8.8')) && !list.delete(target('8.8.8.8')) && !list.hasIp('8.8.8.8'));
  });

  test('the file: both lists, also of the form before, and no nonsense', () => {
    const bans = [{ target: target('1.2.3.0/24'), createdMs: 1, untilMs: 2, reason: 'r' }];
    const discouraged = [{ subject: 'host:1.2.3.4', created: 1, until: 2, reason: 'stalled' }];
    const stored: unknown = JSON.parse(JSON.stringify(toStored({ bans, discouraged })));
    assert.deepEqual(parseStoredBans(stored), { bans, discouraged });
    const old = [{ subject: `peer:${PEER}`, until: 7, reason: 'invalid-block' }];
    assert.deepEqual(parseStoredBans(old), { bans: [], discouraged: [{ ...old[0], created: 0 }] });
    for (const nonsense of [
      undefined,
      null,
      1,
      '',
      {},
      { bans: 1, discouraged: {} },
      [null],
      { bans: [null, 1, []] },
    ]) {
      assert.deepEqual(parseStoredBans(nonsense), { bans: [], discouraged: [] });
    }
    const bad = { address: 'nobody', createdMs: 1, untilMs: 2, reason: '' };
    const timeless = { address: '1.1.1.1', createdMs: 1, untilMs: 'soon', reason: '' };
    assert.deepEqual(parseStoredBans({ bans: [bad, timeless] }).bans, []);
    const many = Array.from({ length: MAX_DISCOURAGED + 9 }, () => old[0]);
    assert.equal(parseStoredBans(many).discouraged.length, MAX_DISCOURAGED);
  });
});

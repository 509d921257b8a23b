import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import {
  dialableText,
  hasPublicAddress,
  hostKey,
  isLocalIp,
  isRelayedAddress,
  isRoutableIp,
  isTcpAddress,
  isUnspecified,
  parseTcpAddress,
  peerIdOf,
} from '../../../src/net/addresses.ts';

const ID = '12D3KooWFtBtEhkaibggyh5A6QZ5SN13ngDQ9A3Qv9SFhVmXFPQE';

suite('net addresses', () => {
  test('what goes over TCP, plain or in a WebSocket, is ours', () => {
    for (const text of [
      '/ip4/1.2.3.4/tcp/8333',
      `/ip4/1.2.3.4/tcp/8333/p2p/${ID}`,
      '/ip6/::1/tcp/1',
      '/dns4/seed.example/tcp/8333',
      '/ip4/1.2.3.4/tcp/8333/ws',
      `/dns4/seed.example/tcp/443/wss/p2p/${ID}`,
    ]) {
      assert.ok(isTcpAddress(multiaddr(text)), text);
    }
    for (const text of [
      '/ip4/1.2.3.4/udp/8333',
      '/ip4/1.2.3.4/tcp/8333/ws/http',
      '/ip4/1.2.3.4/tcp/8333/tls',
      `/ip4/1.2.3.4/tcp/8333/p2p/${ID}/p2p-circuit`,
      `/p2p/${ID}`,
      '/unix/tmp',
    ]) {
      assert.ok(!isTcpAddress(multiaddr(text)), text);
    }
    assert.equal(peerIdOf(multiaddr(`/ip4/1.2.3.4/tcp/1/p2p/${ID}`)), ID);
    assert.equal(peerIdOf(multiaddr('/ip4/1.2.3.4/tcp/1')), undefined);
  });

  test('relayed addresses name their relay', () => {
    const relay = `/ip4/1.2.3.4/tcp/8333/p2p/${ID}`;
    for (const text of [`${relay}/p2p-circuit`, `${relay}/p2p-circuit/p2p/${ID}`]) {
      assert.ok(isRelayedAddress(multiaddr(text)), text);
    }
    for (const text of [
      relay,
      '/p2p-circuit',
      `/ip4/1.2.3.4/udp/1/p2p/${ID}/p2p-circuit`,
      '/ip4/1.2.3.4/tcp/1/p2p-circuit',
    ]) {
      assert.ok(!isRelayedAddress(multiaddr(text)), text);
    }
  });

  test('an address is kept in one spelling, with its WebSocket', () => {
    const kept = (text: string) => dialableText(multiaddr(text), { allowPrivate: false, names: 'allowed' });
    assert.equal(kept(`/ip4/1.2.3.4/tcp/1/ws/p2p/${ID}`), '/ip4/1.2.3.4/tcp/1/ws');
    assert.equal(kept('/dns4/a.example/tcp/443/wss'), '/dns4/a.example/tcp/443/tls/ws');
    assert.equal(kept(`/ip4/1.2.3.4/tcp/1/p2p/${ID}/p2p-circuit`), undefined);
  });

  test('text of a peer is parsed within bounds', () => {
    assert.ok(parseTcpAddress('/ip4/1.2.3.4/tcp/1'));
    for (const text of ['', 'x', '/ip4/1.2.3.4', `/dns4/${'a'.repeat(400)}/tcp/1`]) {
      assert.equal(parseTcpAddress(text), undefined);
    }
  });

  test('local addresses are told from public ones', () => {
    const local = ['127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.1.1', '0.0.0.0'];
    const more = ['100.64.0.1', '::1', '::', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1', 'nonsense'];
    for (const ip of [...local, ...more]) assert.ok(isLocalIp(ip), ip);
    for (const ip of ['1.2.3.4', '172.32.0.1', '100.128.0.1', '2001:db8::1', '::ffff:8.8.8.8', '::2']) {
      assert.ok(!isLocalIp(ip), ip);
    }
    assert.ok(hasPublicAddress(multiaddr('/dns4/seed.example/tcp/1')));
    assert.ok(isUnspecified(multiaddr('/ip4/0.0.0.0/tcp/1')));
    assert.ok(isUnspecified(multiaddr('/ip6/::/tcp/1')));
    assert.ok(!isUnspecified(multiaddr('/ip6/::1/tcp/1')));
  });

  test('one host is an IPv4 address or an IPv6 /64', () => {
    assert.equal(hostKey('1.2.3.4'), '1.2.3.4');
    assert.equal(hostKey('::ffff:1.2.3.4'), '1.2.3.4');
    assert.equal(hostKey('2001:db8:1:2:3:4:5:6'), hostKey('2001:db8:1:2::9'));
    assert.notEqual(hostKey('2001:db8:1:2::1'), hostKey('2001:db8:1:3::1'));
    assert.equal(hostKey('nonsense'), undefined);
  });

  test('an IPv4 address written as IPv6 is the IPv4 address', () => {
    // The canonical text of a multiaddr has no dots: /ip6/::ffff:127.0.0.1 becomes this.
    for (const ip of ['::ffff:7f00:1', '::FFFF:a01:203', '0:0:0:0:0:ffff:c0a8:101']) assert.ok(isLocalIp(ip), ip);
    assert.ok(!isLocalIp('::ffff:808:808'));
    assert.ok(!hasPublicAddress(multiaddr('/ip6/::ffff:127.0.0.1/tcp/1')));
    assert.equal(hostKey('::ffff:102:304'), '1.2.3.4');
  });

  test('reserved addresses are nowhere', () => {
    const reserved = ['198.18.0.1', '198.19.255.1', '192.0.2.1', '198.51.100.9', '203.0.113.255', '255.255.255.255'];
    const more = ['2001:db8::1', '2001:10::1', '2001:2f::1', '::ffff:c000:201', '10.0.0.1', 'fe80::1'];
    for (const ip of [...reserved, ...more]) assert.ok(!isRoutableIp(ip), ip);
    for (const ip of ['198.20.0.1', '192.0.20.1', '203.0.114.1', '2001:db9::1', '2001:30::1', '2001::1']) {
      assert.ok(isRoutableIp(ip), ip);
    }
  });

  test('what is kept of an address is what can be called', () => {
    const text = (address: string, names: 'allowed' | 'refused' = 'refused', allowPrivate = false) =>
      dialableText(multiaddr(address), { allowPrivate, names });
    assert.equal(text(`/ip4/1.2.3.4/tcp/8333/p2p/${ID}`), '/ip4/1.2.3.4/tcp/8333');
    assert.equal(text('/ip6/2a00:0:0::1/tcp/8333'), '/ip6/2a00::1/tcp/8333');
    assert.equal(text('/ip4/1.2.3.4/tcp/0'), undefined);
    assert.equal(text('/ip4/1.2.3.4/udp/8333'), undefined);
    assert.equal(text('/ip4/10.0.0.1/tcp/1'), undefined);
    assert.equal(text('/ip4/10.0.0.1/tcp/1', 'refused', true), '/ip4/10.0.0.1/tcp/1');
    assert.equal(text('/dns4/a.example/tcp/1'), undefined);
    assert.equal(text('/dns4/a.example/tcp/1', 'allowed'), '/dns4/a.example/tcp/1');
  });
});

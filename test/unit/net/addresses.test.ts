import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import {
  hasPublicAddress,
  hostKey,
  isLocalIp,
  isTcpAddress,
  isUnspecified,
  networkGroup,
  parseTcpAddress,
  peerIdOf,
} from '../../../src/net/addresses.ts';

const ID = '12D3KooWFtBtEhkaibggyh5A6QZ5SN13ngDQ9A3Qv9SFhVmXFPQE';

suite('net addresses', () => {
  test('only plain TCP addresses are ours', () => {
    for (const text of [
      '/ip4/1.2.3.4/tcp/8333',
      `/ip4/1.2.3.4/tcp/8333/p2p/${ID}`,
      '/ip6/::1/tcp/1',
      '/dns4/seed.example/tcp/8333',
    ]) {
      assert.ok(isTcpAddress(multiaddr(text)), text);
    }
    for (const text of [
      '/ip4/1.2.3.4/udp/8333',
      '/ip4/1.2.3.4/tcp/8333/ws',
      `/ip4/1.2.3.4/tcp/8333/p2p/${ID}/p2p-circuit`,
      `/p2p/${ID}`,
      '/unix/tmp',
    ]) {
      assert.ok(!isTcpAddress(multiaddr(text)), text);
    }
    assert.equal(peerIdOf(multiaddr(`/ip4/1.2.3.4/tcp/1/p2p/${ID}`)), ID);
    assert.equal(peerIdOf(multiaddr('/ip4/1.2.3.4/tcp/1')), undefined);
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

  test('a network group is an IPv4 /16 or an IPv6 /32; local addresses have none', () => {
    const group = (text: string) => networkGroup(multiaddr(text));
    assert.equal(group('/ip4/1.2.3.4/tcp/1'), group('/ip4/1.2.99.99/tcp/2'));
    assert.notEqual(group('/ip4/1.2.3.4/tcp/1'), group('/ip4/1.3.3.4/tcp/1'));
    assert.equal(group('/ip6/2001:db8:1::1/tcp/1'), group('/ip6/2001:db8:2::1/tcp/1'));
    assert.equal(group('/ip4/192.168.0.1/tcp/1'), undefined);
    assert.equal(group('/dns4/a.example/tcp/1'), undefined);
  });
});

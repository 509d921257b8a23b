import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import { createNetGroups } from '../../../src/net/addrman/net-groups.ts';

const groups = createNetGroups();
const of = (text: string) => groups.of(multiaddr(`${text}/tcp/8333`));

suite('net groups', () => {
  test('IPv4 /16, IPv6 /32, he.net /36', () => {
    assert.equal(of('/ip4/1.2.3.4'), '1.2');
    assert.equal(of('/ip4/1.2.99.99'), of('/ip4/1.2.3.4'));
    assert.notEqual(of('/ip4/1.3.3.4'), of('/ip4/1.2.3.4'));
    assert.equal(of('/ip6/2a00:1:2::1'), of('/ip6/2a00:1:ffff::1'));
    assert.notEqual(of('/ip6/2a00:1::1'), of('/ip6/2a00:2::1'));
    assert.equal(of('/ip6/2001:470:1000::1'), of('/ip6/2001:470:1fff::1'));
    assert.notEqual(of('/ip6/2001:470:1000::1'), of('/ip6/2001:470:2000::1'));
  });

  // The addresses of Core's netbase_tests, "netbase_getgroup".
  test('tunnels count as the IPv4 address that they lead to', () => {
    const inside = of('/ip4/1.2.3.4');
    assert.equal(of('/ip6/::ffff:0:102:304'), inside, 'RFC 6145');
    assert.equal(of('/ip6/64:ff9b::102:304'), inside, 'RFC 6052');
    assert.equal(of('/ip6/2002:102:304:9999:9999:9999:9999:9999'), inside, 'RFC 3964');
    assert.equal(of('/ip6/2001:0:9999:9999:9999:9999:fefd:fcfb'), inside, 'RFC 4380');
    assert.equal(of('/ip6/::ffff:1.2.3.4'), inside, 'mapped');
  });

  test('local addresses are one group, names that of their zone', () => {
    for (const host of ['/ip4/127.0.0.1', '/ip4/192.168.1.1', '/ip6/::1', '/ip6/fe80::1', '/ip6/::ffff:10.0.0.1']) {
      assert.equal(of(host), 'local');
    }
    assert.equal(of('/dns4/a.b.Example.com'), of('/dns6/c.example.com'));
    assert.notEqual(of('/dns4/a.example.com'), of('/dns4/a.example.org'));
  });
});

/** How peers and their addresses are written in Core's words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostAndPort, networkName } from '../../../src/rpc/core-io/multiaddr.ts';
import { localServices, servicesHex, servicesNames } from '../../../src/rpc/core-io/services.ts';
import { timeOffset } from '../../../src/rpc/core-io/time-offset.ts';
import { PeerNumbers } from '../../../src/rpc/peer-numbers.ts';

test('multiaddrs are hosts and ports, of a network', () => {
  const cases: readonly (readonly [multiaddr: string, text: string, network: string])[] = [
    ['/ip4/1.2.3.4/tcp/8333', '1.2.3.4:8333', 'ipv4'],
    ['/ip4/1.2.3.4/tcp/8333/ws/p2p/12D3', '1.2.3.4:8333', 'ipv4'],
    ['/ip6/2001:db8::1/tcp/1', '[2001:db8::1]:1', 'ipv6'],
    ['/ip4/127.0.0.1/tcp/2', '127.0.0.1:2', 'not_publicly_routable'],
    ['/ip4/172.16.0.1/tcp/2', '172.16.0.1:2', 'not_publicly_routable'],
    ['/ip4/172.32.0.1/tcp/2', '172.32.0.1:2', 'ipv4'],
    ['/ip6/::1/tcp/2', '[::1]:2', 'not_publicly_routable'],
    ['/ip6/fe80::1/tcp/2', '[fe80::1]:2', 'not_publicly_routable'],
    ['/dns4/node.example/tcp/3', 'node.example:3', 'not_publicly_routable'],
    ['/p2p/12D3/p2p-circuit', '/p2p/12D3/p2p-circuit', 'not_publicly_routable'],
  ];
  for (const [multiaddr, text, network] of cases) {
    assert.deepEqual([hostAndPort(multiaddr), networkName(multiaddr)], [text, network], multiaddr);
  }
});

test('services have Core’s digits and names', () => {
  assert.equal(servicesHex(localServices(false)), '0000000000000409');
  assert.deepEqual(servicesNames(localServices(true)), ['WITNESS', 'NETWORK_LIMITED']);
  assert.deepEqual(servicesNames((1n << 63n) | 2n), ['UNKNOWN[2^1]', 'UNKNOWN[2^63]']);
});

test('a connection keeps its number, and no other gets it', () => {
  const numbers = new PeerNumbers();
  const of = (...peers: readonly (readonly [id: string, connectedAt: number])[]): number[] =>
    numbers.of(peers.map(([id, connectedAt]) => ({ id, connectedAt }))).map(([number]) => number);
  assert.deepEqual(of(['a', 1], ['b', 2]), [0, 1]);
  assert.deepEqual(of(['b', 2], ['c', 3]), [1, 2]);
  assert.deepEqual(of(['a', 4], ['b', 2], ['b', 5]), [3, 1, 4], 'who comes back is another one');
});

test('the time offset is the middle of five clocks or more, ours among them, unless it is absurd', () => {
  assert.equal(timeOffset([]), 0);
  assert.equal(timeOffset([9, 9, 9]), 0);
  assert.equal(timeOffset([9, -7, 8, 5]), 5);
  assert.equal(timeOffset([-9, -8, -7, 1]), -7);
  assert.equal(timeOffset([4_200, 4_200, 4_200, 1]), 4_200);
  assert.equal(timeOffset([4_201, 4_201, 4_201, 1]), 0);
});

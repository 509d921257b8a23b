import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { AddressExchange } from '../../../src/net/addrman/address-exchange.ts';
import { openPeerRecord } from '../../../src/net/addrman/signed-record.ts';
import { streams } from '../../../src/protocol/index.ts';
import { nullLogger, seededRandom } from '../../../src/util/index.ts';
import { groups, openAddressManager, source } from '../../support/addrman.ts';
import { recordKey, sealRecord } from '../../support/peer-record.ts';

const HOUR = 3_600_000;

/** Who asks, by how it is connected. */
const ASKERS: Readonly<Record<string, { readonly address: string; readonly direction: 'inbound' | 'outbound' }>> = {
  ipv4: { address: '/ip4/1.2.3.4/tcp/5', direction: 'inbound' },
  otherIpv4: { address: '/ip4/9.9.3.4/tcp/5', direction: 'inbound' },
  ipv6: { address: '/ip6/2a00::1/tcp/5', direction: 'inbound' },
  called: { address: '/ip4/1.2.3.4/tcp/5', direction: 'outbound' },
};

/** Knows so many peers, and has met all of them. */
async function exchangeWith(count: number) {
  const { manager, clock } = await openAddressManager();
  const exchange = new AddressExchange({
    clock,
    random: seededRandom(3),
    log: nullLogger,
    self: 'self',
    addresses: manager,
    groups,
    request: () => assert.fail('nobody is asked'),
    connectionOf: (peer) => {
      const asker = ASKERS[peer];
      return asker && { remoteAddr: multiaddr(asker.address), direction: asker.direction };
    },
    charge: () => assert.fail('nobody is charged'),
    onFound: () => {},
  });
  const meet = async (n: number): Promise<void> => {
    const key = await recordKey(n);
    const id = peerIdFromPrivateKey(key).toString();
    const address = `/ip4/${20 + (n >> 8)}.${n & 255}.1.1/tcp/8333`;
    manager.add(id, [multiaddr(address)], source(`${n}.1`, 'inbound'));
    await exchange.met(id, await sealRecord(key, { addresses: [address] }));
  };
  for (let n = 0; n < count; n += 1) await meet(n);
  const ask = async (peer: string, most = 1000): Promise<readonly Uint8Array[]> => {
    const frames = await Array.fromAsync(exchange.serve(peer, streams.peers.request.encode(most)));
    return frames.flatMap(({ payload }) => streams.peers.response.decode(payload));
  };
  return { manager, clock, exchange, meet, ask };
}

suite('address exchange', () => {
  test('23 % of the peers known, no more than asked, as records that open', async () => {
    const { manager, ask } = await exchangeWith(200);
    const records = await ask('ipv4');
    assert.equal(records.length, Math.ceil(manager.size.fresh * 0.23));
    assert.ok(await openPeerRecord(records[0] ?? new Uint8Array()));
    assert.deepEqual(await ask('ipv4', 5), records.slice(0, 5));
  });

  test('for a day whoever asks from one network gets the same, whatever was learnt meanwhile', async () => {
    const { clock, meet, ask } = await exchangeWith(200);
    const first = await ask('ipv4');
    for (let n = 200; n < 300; n += 1) await meet(n);
    await clock.advance(20 * HOUR);
    assert.deepEqual(await ask('otherIpv4'), first);
    assert.notDeepEqual(await ask('ipv6'), first);
    await clock.advance(8 * HOUR);
    assert.notDeepEqual(await ask('ipv4'), first);
  });

  test('a small answer is given for a minute', async () => {
    const { clock, meet, ask } = await exchangeWith(8);
    assert.equal((await ask('ipv4')).length, 2);
    for (let n = 8; n < 100; n += 1) await meet(n);
    assert.equal((await ask('ipv4')).length, 2);
    await clock.advance(60_000);
    assert.ok((await ask('ipv4')).length > 15);
  });

  test('whom we called gets nothing, nor does who is gone', async () => {
    const { ask } = await exchangeWith(50);
    assert.deepEqual(await ask('called'), []);
    assert.deepEqual(await ask('gone'), []);
    assert.ok((await ask('ipv4')).length > 0);
  });

  test('a record of another peer than it came from is not kept', async () => {
    const { exchange, manager, ask } = await exchangeWith(0);
    manager.add('impostor', [multiaddr('/ip4/8.8.8.8/tcp/1')], source('1.1'));
    await exchange.met('impostor', await sealRecord(await recordKey(1)));
    assert.deepEqual(await ask('ipv4'), []);
  });
});

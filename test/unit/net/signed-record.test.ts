import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { RecordStore } from '../../../src/net/addrman/record-store.ts';
import { openPeerRecord } from '../../../src/net/addrman/signed-record.ts';
import { fromHex } from '../../../src/util/index.ts';
import { recordKey, sealRecord } from '../../support/peer-record.ts';

/** Sealed by libp2p's own RecordEnvelope (@libp2p/peer-record 9.0.16), with the key of seed 07 07 …. */
const BY_LIBP2P = {
  id: '12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7',
  hex:
    '0a2408011220ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c120203011a530a26002408011220ea4a6c63e29c' +
    '520abef5507b132ec5f9954776aebebe7b92421eea691446d22c1080d095ffbc311a0a0a08040808040406208d1a160a14292a0000000000000' +
    '0000000000000000106208d2a401eee27c0d9bd0c334d56b2cb821dfdaea7ca783b17726770dcaface33336385b00095887e6a41b6b106969f5' +
    '0c4183f66b2268ae725e335b80adbe53a11d1e01',
};

suite('signed peer records', () => {
  test('what libp2p seals is opened', async () => {
    const record = await openPeerRecord(fromHex(BY_LIBP2P.hex));
    assert.ok(record);
    assert.equal(record.id, BY_LIBP2P.id);
    assert.equal(record.seq, 1_700_000_000_000n);
    assert.deepEqual(record.addresses.map(String), ['/ip4/8.8.4.4/tcp/8333', '/ip6/2a00::1/tcp/8333']);
  });

  test('a changed bit anywhere never changes what a record says', async () => {
    const bytes = fromHex(BY_LIBP2P.hex);
    const original = await openPeerRecord(bytes);
    let opened = 0;
    for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const record = await openPeerRecord(changed);
      if (!record) continue;
      opened += 1;
      assert.deepEqual(record, original, `bit ${bit}`);
    }
    // The key may be written in more than one way, which the signature does not cover.
    assert.ok(opened < 8, `${opened}`);
  });

  test('cut anywhere, or not a record at all, it is refused', async () => {
    const bytes = fromHex(BY_LIBP2P.hex);
    for (let end = 0; end < bytes.length; end += 1) assert.equal(await openPeerRecord(bytes.subarray(0, end)), false);
    for (const junk of ['', '00', 'ff'.repeat(20), '0affffffffffffffffff01', '0a00120012001a002a00', '08']) {
      assert.equal(await openPeerRecord(fromHex(junk)), false, junk);
    }
  });

  test('signed for something else, or for another peer, it is refused', async () => {
    const [key, other] = [await recordKey(1), await recordKey(2)];
    assert.ok(await openPeerRecord(await sealRecord(key)));
    assert.equal(await openPeerRecord(await sealRecord(key, { domain: 'libp2p-routing-state' })), false);
    assert.equal(await openPeerRecord(await sealRecord(key, { payloadType: Uint8Array.of(3, 2) })), false);
    assert.equal(await openPeerRecord(await sealRecord(key, { claimedBy: other })), false);
  });

  test('a giant one is refused unread, of many addresses sixteen are read, unknown kinds are passed over', async () => {
    const key = await recordKey(1);
    const many = (count: number) => Array.from({ length: count }, (_, n) => `/ip4/8.8.${n >> 8}.${n & 255}/tcp/1`);
    assert.equal(await openPeerRecord(await sealRecord(key, { addresses: many(1000) })), false);
    const fits = await openPeerRecord(await sealRecord(key, { addresses: many(60) }));
    assert.ok(fits);
    assert.equal(fits.addresses.length, 16);
    const rawAddresses = [Uint8Array.of(0xff, 0xff, 0x7f), multiaddr('/ip4/8.8.4.4/tcp/1').bytes];
    const mixed = await openPeerRecord(await sealRecord(key, { rawAddresses }));
    assert.ok(mixed);
    assert.deepEqual(mixed.addresses.map(String), ['/ip4/8.8.4.4/tcp/1']);
    assert.equal(mixed.id, peerIdFromPrivateKey(key).toString());
  });
});

suite('record store', () => {
  const bytes = (n: number) => Uint8Array.of(n);

  test('the newest of a peer stays, as a copy', () => {
    const store = new RecordStore();
    const given = bytes(2);
    store.put('p', 2n, given, 'heard');
    given[0] = 9;
    store.put('p', 1n, bytes(1), 'met');
    assert.deepEqual(store.get('p'), bytes(2));
    store.put('p', 3n, bytes(3), 'met');
    assert.deepEqual(store.get('p'), bytes(3));
    store.put('big', 1n, new Uint8Array(1025), 'met');
    assert.equal(store.get('big'), undefined);
  });

  test('a flood of hearsay leaves those of peers that we met', () => {
    const store = new RecordStore();
    for (let n = 0; n < 100; n += 1) store.put(`met${n}`, 1n, bytes(n), 'met');
    for (let n = 0; n < 10_000; n += 1) store.put(`heard${n}`, 1n, bytes(1), 'heard');
    for (let n = 0; n < 100; n += 1) assert.ok(store.get(`met${n}`));
    assert.equal(store.get('heard0'), undefined);
    // Hearsay about a peer that we met renews it where it is.
    store.put('met0', 2n, bytes(7), 'heard');
    for (let n = 0; n < 10_000; n += 1) store.put(`more${n}`, 1n, bytes(1), 'heard');
    assert.deepEqual(store.get('met0'), bytes(7));
  });
});

/**
 * What libp2p offers to all, as a weapon against a real node: identify, identify push, ping, the DHT's server. Each peer has
 * quotas; who goes on beyond them, or sends what is forged, is charged and out.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { dhtProtocol, networkId, type OffenceName } from '#protocol';
import { concatBytes, systemRandom } from '#util';
import { dhtMessage, dhtRecord } from '../support/dht-message.ts';
import { sealRecord } from '../support/peer-record.ts';
import { field } from '../support/protobuf.ts';
import { floodUntilOut } from './abuse-flood.ts';
import { type AbusePeer, framed, randomAddress, startAbusePeer } from './abuse-peer.ts';
import { openScene, type Scene } from './hostile-scene.ts';

const timeout = 300_000;
const IDENTIFY = '/ipfs/id/1.0.0';
const PUSH = '/ipfs/id/push/1.0.0';
const PING = '/ipfs/ping/1.0.0';

let scene: Scene;
let dht: string;
before(async () => {
  scene = await openScene();
  dht = dhtProtocol(networkId(scene.victim.chain.params.genesis.hash));
});
after(() => scene[Symbol.asyncDispose]());

/** Of 8 KiB at most, as libp2p reads them. */
function identifyMessage(parts: { readonly addresses?: number; readonly record?: Uint8Array }): Uint8Array {
  const { addresses = 0, record } = parts;
  const listen = Array.from({ length: addresses }, () => field(2, randomAddress()));
  return framed(concatBytes(...listen, ...(record === undefined ? [] : [field(8, record)])));
}

/** A key of a provided block: a CID, as its multihash. */
function providedKey(): Uint8Array {
  return Uint8Array.of(0x12, 32, ...systemRandom.bytes(32));
}

const lookup = (): Uint8Array => framed(dhtMessage({ type: 'findNode', key: systemRandom.bytes(34) }));

type Self = { readonly key: Ed25519PrivateKey; readonly id: Uint8Array };
type Flood = (peer: AbusePeer, self: Self) => Promise<unknown>;

const publicKeyRecord = async (): Promise<Uint8Array> => {
  const { publicKey } = await generateKeyPair('Ed25519');
  const key = concatBytes(Buffer.from('/pk/'), publicKey.toMultihash().bytes);
  return framed(dhtMessage({ type: 'putValue', key, record: dhtRecord(key, publicKeyToProtobuf(publicKey)) }));
};

/** What is done again and again, and what the node says to that. */
const FLOODS: readonly (readonly [string, OffenceName, Flood])[] = [
  ['asking who we are', 'quota-exceeded', (peer) => peer.ask(IDENTIFY)],
  [
    'the same, with bytes that nobody asked for',
    'quota-exceeded',
    (peer) => peer.ask(IDENTIFY, new Uint8Array(50_000)),
  ],
  [
    'pushes of an honest record',
    'quota-exceeded',
    async (peer, { key }) => peer.ask(PUSH, identifyMessage({ record: await sealRecord(key) })),
  ],
  [
    'pushes of the largest size, with thousands of addresses',
    'quota-exceeded',
    (peer) => peer.ask(PUSH, ...Array.from({ length: 10 }, () => identifyMessage({ addresses: 700 }))),
  ],
  [
    'pushes that never end',
    'quota-exceeded',
    (peer) => peer.ask(PUSH, ...Array<Uint8Array>(16).fill(new Uint8Array(65_536))),
  ],
  [
    "pushes of another's record",
    'protocol-violation',
    async (peer) => peer.ask(PUSH, identifyMessage({ record: await sealRecord(await generateKeyPair('Ed25519')) })),
  ],
  [
    'pushes of a record that another has signed',
    'protocol-violation',
    async (peer, { key: claimedBy }) =>
      peer.ask(PUSH, identifyMessage({ record: await sealRecord(await generateKeyPair('Ed25519'), { claimedBy }) })),
  ],
  [
    'pushes of a record with a broken signature',
    'protocol-violation',
    async (peer, { key }) => {
      const record = await sealRecord(key);
      record[record.length - 1] = (record.at(-1) ?? 0) ^ 1;
      return peer.ask(PUSH, identifyMessage({ record }));
    },
  ],
  ['pings, a stream each', 'quota-exceeded', (peer) => peer.ask(PING, systemRandom.bytes(32))],
  [
    'pings without end over one stream',
    'quota-exceeded',
    (peer) => peer.ask(PING, ...Array<Uint8Array>(16).fill(new Uint8Array(65_536))),
  ],
  ['lookups in the DHT, a stream each', 'quota-exceeded', (peer) => peer.ask(dht, lookup())],
  ['lookups over one stream', 'quota-exceeded', (peer) => peer.ask(dht, ...Array.from({ length: 300 }, lookup))],
  [
    'lookups of providers',
    'quota-exceeded',
    (peer) => peer.ask(dht, framed(dhtMessage({ type: 'getProviders', key: providedKey() }))),
  ],
  ['values that are good', 'quota-exceeded', async (peer) => peer.ask(dht, await publicKeyRecord())],
  [
    'values under a key that they do not fit',
    'quota-exceeded',
    (peer) => {
      const key = concatBytes(Buffer.from('/pk/'), systemRandom.bytes(34));
      return peer.ask(
        dht,
        framed(dhtMessage({ type: 'putValue', key, record: dhtRecord(key, systemRandom.bytes(36)) })),
      );
    },
  ],
  [
    'provider records of thousands of addresses',
    'quota-exceeded',
    (peer, { id }) => {
      const addresses = Array.from({ length: 2_500 }, randomAddress);
      return peer.ask(
        dht,
        framed(dhtMessage({ type: 'addProvider', key: providedKey(), providers: [{ id, addresses }] })),
      );
    },
  ],
  [
    'provider records in the name of others',
    'quota-exceeded',
    (peer) => {
      const id = Uint8Array.of(0, 36, 8, 1, 18, 32, ...systemRandom.bytes(32));
      const providers = [{ id, addresses: [randomAddress()] }];
      return peer.ask(dht, framed(dhtMessage({ type: 'addProvider', key: providedKey(), providers })));
    },
  ],
  [
    'requests of a megabyte',
    'quota-exceeded',
    (peer) => peer.ask(dht, framed(dhtMessage({ type: 'findNode', key: new Uint8Array(1 << 20) }))),
  ],
  ['requests that are none', 'quota-exceeded', (peer) => peer.ask(dht, framed(systemRandom.bytes(1_000).fill(0xff)))],
];

describe('floods of what libp2p offers to all', { timeout }, () => {
  for (const [what, offence, flood] of FLOODS) {
    it(`${what}: ${offence}, and the peer is out`, async (t) => {
      const key = await generateKeyPair('Ed25519');
      const self = { key, id: peerIdFromPrivateKey(key).toMultihash().bytes };
      const before = (await scene.victim.status()).net.knownAddresses;
      await using peer = await startAbusePeer(scene.victim, { key });
      await floodUntilOut(t, scene, peer, offence, () => flood(peer, self));
      const known = (await scene.victim.status()).net.knownAddresses - before;
      assert.ok(known <= 4, `${known} addresses of one peer`);
    });
  }
});

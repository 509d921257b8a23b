/**
 * Addresses by the thousand, by each way on which a node hears of any: what it says of itself (identify), `peers/1`, answers
 * of the DHT, provider records. The address manager and libp2p's own stores stay bounded, and honest peers are found and kept.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { publicKeyToProtobuf } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey, Stream } from '@libp2p/interface';
import { peerIdFromMultihash } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { pipe } from 'it-pipe';
import { dhtProtocol, frameHead, protocolId, readFrames, streams } from '#protocol';
import { concatBytes, nullLogger, systemRandom } from '#util';
import { AddressManager } from '../../src/net/addrman/manager.ts';
import { createNetGroups } from '../../src/net/addrman/net-groups.ts';
import { Discovery } from '../../src/net/discovery.ts';
import { openJsonFile } from '../../src/net/json-file.ts';
import { DEFAULT_TUNING } from '../../src/net/options.ts';
import { readStream, writeChunk } from '../../src/net/stream-io.ts';
import { dhtMessage, type NamedPeer } from '../support/dht-message.ts';
import { recordKey, sealRecord } from '../support/peer-record.ts';
import { field } from '../support/protobuf.ts';
import { measured } from './abuse-flood.ts';
import { framed, randomAddress } from './abuse-peer.ts';
import { startDhtHost } from './net-host.ts';
import { type RawPeer, type RawSetup, startRawPeer } from './net-raw-peer.ts';
import { deps, NETWORK, startPeer, within } from './net-support.ts';

const IDENTIFY = '/ipfs/id/1.0.0';
const PING = '/ipfs/ping/1.0.0';
const PUSH = '/ipfs/id/push/1.0.0';
const DHT = dhtProtocol(NETWORK);
/** Of one netgroup in the new table: 64 buckets of 64. All here speak from one. */
const MAX_OF_GROUP = 4_096;
/** Closer peers that are believed of an answer. */
const MAX_NAMED = 20;
/** Of them and of providers together, how many are stored. */
const MAX_TOLD = 40;
/** libp2p's peer store: its cap, and how far it may be passed before it is pruned. */
const MAX_STORED = 2_048 + 256;
const never = new AbortController().signal;

/** The multihash of an id that nobody has the key of. */
function randomId(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(0, 36, 8, 1, 18, 32, ...systemRandom.bytes(32));
}

const stranger = (): NamedPeer => ({ id: randomId(), addresses: [randomAddress()] });
const strangers = (count: number): NamedPeer[] => Array.from({ length: count }, stranger);

async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A peer whose answers to the DHT are the test's; they are counted. */
async function startLiar(answer: () => Uint8Array): Promise<{ readonly raw: RawPeer; readonly asked: () => number }> {
  const raw = await startRawPeer();
  let asked = 0;
  await raw.host.handle(DHT, async (stream: Stream) => {
    const requests = pipe(readStream(stream, never), (source) => readFrames(source, 1 << 16));
    for await (const _request of requests) {
      asked += 1;
      await writeChunk(stream, framed(answer()), never);
    }
    await stream.close();
  });
  // Whom the table takes in is pinged before.
  await raw.host.handle(PING, async (stream: Stream) => {
    for await (const chunk of readStream(stream, never)) await writeChunk(stream, chunk, never);
    await stream.close();
  });
  return { raw, asked: () => asked };
}

suite('answers of the DHT', () => {
  const answers: readonly (readonly [string, () => Uint8Array, number])[] = [
    ['that name 400 peers', () => dhtMessage({ type: 'findNode', closer: strangers(400) }), MAX_NAMED],
    ['of 5,000 peers, too large', () => dhtMessage({ type: 'findNode', closer: strangers(5_000) }), 0],
  ];
  for (const [what, answer, most] of answers) {
    test(`${what}: ${most} are believed`, async (t) => {
      await using stack = new AsyncDisposableStack();
      const host = await startDhtHost(stack);
      const liar = await startLiar(answer);
      stack.use(liar.raw);
      await host.dial(multiaddr(liar.raw.address));
      const named = new Set<string>();
      let rounds = 0;
      await measured(
        t,
        async () => {
          // The table learns of the liar when it has been pinged.
          await within(eventually(() => liar.asked() > 0));
          for (; rounds < 5; rounds += 1) {
            for await (const event of host.services.dht.getClosestPeers(systemRandom.bytes(32))) {
              if (event.name !== 'PEER_RESPONSE') continue;
              assert.ok(event.closer.length <= most, `${event.closer.length} peers of one answer`);
              for (const { id } of event.closer) named.add(id.toString());
            }
          }
        },
        () => `, ${liar.asked()} answers`,
      );
      const stored = (await host.peerStore.all()).length;
      assert.ok(
        stored <= 1 + liar.asked() * (most === 0 ? 0 : MAX_TOLD),
        `${stored} stored of ${liar.asked()} answers`,
      );
      t.diagnostic(`${stored} peers stored, ${named.size} named by ${liar.asked()} answers`);
    });
  }

  test('a node that walks the DHT among liars knows a bounded number, and finds an honest peer', async (t) => {
    await using stack = new AsyncDisposableStack();
    const tuning = { walkBusyMs: 200, dialBusyMs: 100 };
    const honest = stack.use(await startPeer({ tuning, targetOutbound: 0 }));
    const liars: Awaited<ReturnType<typeof startLiar>>[] = [];
    for (let count = 0; count < 3; count += 1) {
      const liar = await startLiar(() => dhtMessage({ type: 'findNode', closer: strangers(400) }));
      stack.use(liar.raw);
      liars.push(liar);
    }
    const bootstrap = [...liars.map(({ raw }) => raw.address), await honest.address()];
    const asked = (): number => liars.reduce((sum, liar) => sum + liar.asked(), 0);
    const node = stack.use(await startPeer({ tuning, bootstrap, targetOutbound: 5 }));
    await measured(t, async () => {
      await node.isWith(honest);
      await within(eventually(() => asked() >= 15));
    });
    const { knownAddresses } = await node.net.status();
    t.diagnostic(`${asked()} answers named ${400 * asked()} peers, ${knownAddresses} addresses are known`);
    // Walks count as of the liars' netgroup, what the DHT asks for by itself as of one more.
    assert.ok(
      knownAddresses <= Math.min((MAX_NAMED + MAX_TOLD) * asked() + 10, 2 * MAX_OF_GROUP),
      `${knownAddresses} addresses`,
    );
    assert.ok(node.connected.has(honest.id));
  });
});

suite("libp2p's own stores", () => {
  test('peers by the thousand: who is connected stays, of the others the longest known go', async (t) => {
    await using stack = new AsyncDisposableStack();
    const host = await startDhtHost(stack);
    const friend = stack.use(await startRawPeer());
    await host.dial(multiaddr(friend.address));
    const groups = createNetGroups(undefined);
    const addresses = await AddressManager.open(
      { ...deps, file: openJsonFile(undefined, nullLogger), groups },
      { allowPrivateAddresses: true },
    );
    const discovery = new Discovery(
      {
        ...deps,
        libp2p: host,
        dht: host.services.dht,
        network: NETWORK,
        addresses,
        groups,
        isShort: () => false,
        onFound: () => {},
      },
      DEFAULT_TUNING,
    );
    stack.defer(() => discovery.stop());
    await measured(t, async () => {
      for (let added = 0; added < 4_000; added += 1) {
        const id = randomId();
        const peer = peerIdFromMultihash({ code: 0, size: 36, digest: id.subarray(2), bytes: id });
        await host.peerStore.merge(peer, { multiaddrs: [multiaddr(randomAddress())] });
      }
    });
    const stored = async (): Promise<number> => (await host.peerStore.all()).length;
    await within(eventually(async () => (await stored()) <= MAX_STORED));
    t.diagnostic(`${await stored()} of 4,000 peers are stored, ${addresses.size.fresh} addresses known`);
    assert.ok(await host.peerStore.has(friend.host.peerId));
    assert.ok(addresses.size.fresh <= MAX_OF_GROUP);
  });

  test('a peer of thousands of addresses and protocols takes no more than others', async () => {
    await using stack = new AsyncDisposableStack();
    const host = await startDhtHost(stack);
    const friend = stack.use(await startRawPeer());
    await host.dial(multiaddr(friend.address));
    await within(eventually(async () => (await host.peerStore.get(friend.host.peerId)).protocols.length > 0));
    const before = await host.peerStore.get(friend.host.peerId);
    const protocols = Array.from({ length: 5_000 }, (_, at) => `/none/${at}`);
    await host.peerStore.merge(friend.host.peerId, { protocols });
    const addresses = Array.from({ length: 5_000 }, randomAddress).map((bytes) => multiaddr(bytes));
    await host.peerStore.merge(friend.host.peerId, { multiaddrs: addresses });
    const after = await host.peerStore.get(friend.host.peerId);
    assert.deepEqual(after.protocols, before.protocols);
    assert.deepEqual(after.addresses, before.addresses);
  });
});

/** What a peer answers who asks it who it is: as many frames as libp2p reads. */
function identifyFrames(key: Ed25519PrivateKey, part: () => Uint8Array): readonly Uint8Array[] {
  const own = concatBytes(
    field(1, publicKeyToProtobuf(key.publicKey)),
    field(3, protocolId(NETWORK, 'hello')),
    field(3, PUSH),
  );
  return [framed(own), ...Array.from({ length: 9 }, () => framed(part()))];
}

async function startIdentifying(key: Ed25519PrivateKey, frames: readonly Uint8Array[], setup: Partial<RawSetup> = {}) {
  const raw = await startRawPeer({ ...setup, key, identify: false });
  await raw.host.handle(IDENTIFY, async (stream: Stream) => {
    for (const frame of frames) await writeChunk(stream, frame, never);
    await stream.close();
  });
  return raw;
}

suite('identify', () => {
  const manyAddresses = (): Uint8Array => concatBytes(...Array.from({ length: 700 }, () => field(2, randomAddress())));
  const manyProtocols = (): Uint8Array =>
    concatBytes(...Array.from({ length: 500 }, () => field(3, `/none/${systemRandom.below(1e9)}`)));

  test('thousands of addresses and protocols of each of many peers: a few of each are kept', async (t) => {
    await using stack = new AsyncDisposableStack();
    const node = stack.use(await startPeer({ maxPeers: 64, targetOutbound: 0 }));
    const honest = stack.use(await startPeer({ bootstrap: [await node.address()], targetOutbound: 1 }));
    await node.isWith(honest);
    const before = (await node.net.status()).knownAddresses;
    const peers = 20;
    const grownMb = await measured(t, async () => {
      for (let n = 0; n < peers; n += 1) {
        const key = await recordKey(n);
        const raw = stack.use(
          await startIdentifying(key, identifyFrames(key, n % 2 === 0 ? manyAddresses : manyProtocols)),
        );
        await raw.dial(await node.address());
        await node.when(() => node.connected.has(raw.id));
      }
    });
    const known = (await node.net.status()).knownAddresses - before;
    t.diagnostic(`${known} addresses known of ${peers} peers that told of 124,000 in all`);
    assert.ok(known <= 4 * peers);
    assert.ok(grownMb < 64, `${grownMb} MB`);
    assert.ok(node.connected.has(honest.id));
  });

  test('who answers with the record of another, or a broken one, is not let in', async () => {
    await using stack = new AsyncDisposableStack();
    const node = stack.use(await startPeer({ targetOutbound: 0, tuning: { identifyTimeoutMs: 500 } }));
    const [key, other] = [await recordKey(1), await recordKey(2)];
    const broken = await sealRecord(key);
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    const forgeries = [await sealRecord(other), await sealRecord(other, { claimedBy: key }), broken];
    for (const record of forgeries) {
      await using raw = await startIdentifying(
        key,
        identifyFrames(key, () => field(8, record)),
      );
      const connection = await raw.dial(await node.address());
      await within(eventually(() => connection.status !== 'open'));
    }
    assert.deepEqual(node.events, []);
    assert.equal((await node.net.status()).knownAddresses, 0);
  });

  test('a record that is older than the last one changes nothing', async () => {
    await using stack = new AsyncDisposableStack();
    const node = stack.use(await startPeer({ targetOutbound: 0 }));
    const key = await recordKey(1);
    const record = (seq: bigint) => sealRecord(key, { seq, addresses: [`/ip4/8.8.${seq}.4/tcp/8333`] });
    const first = field(8, await record(5n));
    const raw = stack.use(
      await startIdentifying(
        key,
        identifyFrames(key, () => first),
      ),
    );
    const connection = await raw.dial(await node.address());
    await node.when(() => node.connected.has(raw.id));
    const heard = async (): Promise<number> => (await node.net.status()).knownAddresses;
    await within(eventually(async () => (await heard()) === 1));
    for (const seq of [4n, 5n, 3n, 6n]) {
      const stream = await connection.newStream(PUSH);
      await writeChunk(stream, framed(field(8, await record(seq))), never);
      await stream.close();
      await within(eventually(() => stream.status !== 'open'));
    }
    await within(eventually(async () => (await heard()) === 2));
    const [standing] = (await node.net.status()).peers;
    assert.equal(standing?.penaltyPoints, 0, 'it may come by another way');
  });
});

suite('peers/1', () => {
  test('thousands of records of each of several peers: as many addresses as their netgroup may have', async (t) => {
    await using stack = new AsyncDisposableStack();
    const liars = 3;
    const answers: Uint8Array[] = [];
    for (let liar = 0; liar < liars; liar += 1) {
      const records = Array.from({ length: 999 }, async (_, n) =>
        sealRecord(await recordKey(1_000 * liar + n), {
          addresses: Array.from({ length: 4 }, () => multiaddr(randomAddress()).toString()),
        }),
      );
      // The last one is forged: who gave it is disconnected, and all before it has been read by then.
      const forged = sealRecord(await recordKey(1), { claimedBy: await recordKey(2) });
      answers.push(streams.peers.response.encode(await Promise.all([...records, forged])));
    }
    const raws: RawPeer[] = [];
    for (const answer of answers) {
      const peers = async (stream: Stream): Promise<void> => {
        await writeChunk(stream, concatBytes(frameHead(answer.length, 0), answer, frameHead(0)), never);
        await stream.close();
      };
      raws.push(stack.use(await startRawPeer({ handlers: { hello: async () => {}, peers } })));
    }
    const honest = stack.use(await startPeer({ targetOutbound: 0 }));
    const connect = [...raws.map(({ address }) => address), await honest.address()];
    const node = stack.use(await startPeer({ targetOutbound: 0, connect }));
    await measured(t, async () => {
      await node.isWith(honest);
      const hasRead = ({ id }: RawPeer): boolean => node.events.some((event) => event.startsWith(`disconnected ${id}`));
      await eventually(() => raws.every(hasRead));
    });
    const { knownAddresses } = await node.net.status();
    t.diagnostic(`${liars * 4_000} addresses told, ${knownAddresses} are known`);
    assert.ok(knownAddresses > 1_000 && knownAddresses <= MAX_OF_GROUP, `${knownAddresses} addresses`);
    assert.ok(node.connected.has(honest.id));
  });
});

/** `peers/1` over real connections: what is handed on, what of an answer is believed, and what a liar gets. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Stream } from '@libp2p/interface';
import { frameHead, streams } from '#protocol';
import { concatBytes } from '#util';
import { openPeerRecord } from '../../src/net/addrman/signed-record.ts';
import { TestPeer } from '../compliance/net.ts';
import { recordKey, sealRecord } from '../support/peer-record.ts';
import { startRawPeer } from './net-raw-peer.ts';
import { inProcess } from './net-support.ts';

/** A peer that answers `peers/1` so, and one that calls it. */
async function calledBy(stack: AsyncDisposableStack, answer: Uint8Array) {
  const raw = stack.use(
    await startRawPeer({
      handlers: {
        hello: async () => {},
        peers: async (stream: Stream) => {
          stream.send(concatBytes(frameHead(answer.length, 0), answer, frameHead(0)));
          await stream.close();
        },
      },
    }),
  );
  const caller = stack.use(await TestPeer.start(inProcess, 'caller', { bootstrap: [raw.address] }));
  await caller.when(() => caller.connected.has(raw.id));
  return { raw, caller };
}

type Status = Awaited<ReturnType<TestPeer['net']['status']>>;

/** Until the status says so: an answer that is read has no event. */
async function until(peer: TestPeer, holds: (status: Status) => boolean): Promise<void> {
  for (let look = 0; look < 1000; look += 1) {
    if (holds(await peer.net.status())) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail('the status never says so');
}

const heardByRecord = (status: Status): number =>
  status.addressSources.find(({ kind }) => kind === 'record')?.heard ?? 0;

suite('net peer records', () => {
  test('a node hands on the records of its peers, the same to whoever asks again', async () => {
    await using stack = new AsyncDisposableStack();
    // Whoever calls asks by himself: the one that is called asks in the test.
    const asker = stack.use(await TestPeer.start(inProcess, 'asker', { targetOutbound: 0 }));
    const hub = stack.use(
      await TestPeer.start(inProcess, 'hub', { bootstrap: [await asker.address()], targetOutbound: 1 }),
    );
    await asker.isWith(hub);
    const bootstrap = [await hub.address()];
    const others = await Promise.all(
      [1, 2, 3].map(async (n) =>
        stack.use(await TestPeer.start(inProcess, `other${n}`, { bootstrap, targetOutbound: 1 })),
      ),
    );
    for (const other of others) await hub.isWith(other);
    await until(hub, ({ addressSources }) => addressSources.reduce((sum, { fresh }) => sum + fresh, 0) >= 3);
    const ask = async (): Promise<readonly Uint8Array[]> => {
      const frames = await asker.ask(hub, 'peers', streams.peers.request.encode(1000));
      return frames.flatMap(({ status, payload }) => (status === 0 ? streams.peers.response.decode(payload) : []));
    };
    const records = await ask();
    for (const bytes of records) {
      const record = await openPeerRecord(bytes);
      assert.ok(record);
      assert.ok([asker, ...others].some(({ id }) => id === record.id));
    }
    assert.equal(records.length, 1, '23 % of four');
    assert.deepEqual(await ask(), records);
  });

  test('what an answer says is known afterwards, as far as it can be called', async () => {
    await using stack = new AsyncDisposableStack();
    const sealed = Array.from({ length: 40 }, async (_, n) =>
      sealRecord(await recordKey(n), {
        addresses: [`/ip4/${60 + n}.8.4.4/tcp/8333`, `/ip4/${60 + n}.8.4.5/udp/8333`, `/dns4/a${n}.example/tcp/1`],
      }),
    );
    const { caller } = await calledBy(stack, streams.peers.response.encode(await Promise.all(sealed)));
    await until(caller, (status) => heardByRecord(status) >= 35);
    assert.ok(heardByRecord(await caller.net.status()) <= 40);
  });

  test('thousands of addresses of one peer, and records beyond the bound of the row', async () => {
    await using stack = new AsyncDisposableStack();
    const key = await recordKey(1);
    const sealed = Array.from({ length: 1000 }, (_, n) =>
      sealRecord(key, {
        seq: BigInt(n),
        addresses: [1, 2, 3, 4, 5, 6].map((m) => `/ip4/${20 + (n % 90)}.${m}.4.4/tcp/1`),
      }),
    );
    const { caller, raw } = await calledBy(stack, streams.peers.response.encode(await Promise.all(sealed)));
    await until(caller, (status) => heardByRecord(status) >= 4);
    const { addressSources } = await caller.net.status();
    assert.ok((addressSources.find(({ kind }) => kind === 'record')?.fresh ?? 0) <= 4);
    assert.ok(caller.connected.has(raw.id), 'no offence: it may have been lied to');
  });

  const forgeries: readonly (readonly [string, () => Promise<Uint8Array>])[] = [
    [
      'of a forged signature',
      async () =>
        (await sealRecord(await recordKey(1))).map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte)),
    ],
    ['signed for another purpose', async () => sealRecord(await recordKey(1), { domain: 'something-else' })],
    ['of another peer than its signer', async () => sealRecord(await recordKey(1), { claimedBy: await recordKey(2) })],
  ];
  for (const [what, forge] of forgeries) {
    test(`a record ${what} is charged, and what follows it is not read`, async () => {
      await using stack = new AsyncDisposableStack();
      const records = [await forge(), await sealRecord(await recordKey(3))];
      const { caller, raw } = await calledBy(stack, streams.peers.response.encode(records));
      await until(caller, ({ peers }) => (peers.find(({ id }) => id === raw.id)?.penaltyPoints ?? 0) > 30);
      assert.equal(heardByRecord(await caller.net.status()), 0);
    });
  }

  test('an answer that does not decode is charged', async () => {
    await using stack = new AsyncDisposableStack();
    const { caller, raw } = await calledBy(stack, Uint8Array.of(2, 1, 7));
    await until(caller, ({ peers }) => (peers.find(({ id }) => id === raw.id)?.penaltyPoints ?? 0) > 30);
  });

  test('a request that does not decode is charged and answered so', async () => {
    await using stack = new AsyncDisposableStack();
    const asker = stack.use(await TestPeer.start(inProcess, 'asker'));
    const node = stack.use(await TestPeer.start(inProcess, 'node', { bootstrap: [await asker.address()] }));
    await asker.isWith(node);
    await node.isWith(asker);
    const frames = await asker.ask(node, 'peers', Uint8Array.of(0, 0, 0, 0));
    assert.deepEqual(
      frames.map(({ status }) => status),
      [1],
    );
    await until(node, ({ peers }) => (peers[0]?.penaltyPoints ?? 0) > 30);
  });
});

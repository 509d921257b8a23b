/** `peers/1` over real connections: what is handed on, what of an answer is believed, and what a liar gets. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Stream } from '@libp2p/interface';
import { RequestError } from '#net';
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

/** The records that a peer is given; it waits while it asks by itself. */
async function asked(asker: TestPeer, other: TestPeer | undefined): Promise<readonly Uint8Array[]> {
  assert.ok(other);
  for (let attempt = 0; attempt < 500; attempt += 1) {
    try {
      const frames = await asker.ask(other, 'peers', streams.peers.request.encode(1000));
      assert.deepEqual(
        frames.map(({ status }) => status),
        [0],
      );
      return frames.flatMap(({ payload }) => streams.peers.response.decode(payload));
    } catch (error) {
      if (!(error instanceof RequestError && error.code === 'TOO_MANY_STREAMS')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  return assert.fail('it asks by itself for ever');
}

const heardByRecord = (status: Status): number =>
  status.addressSources.find(({ kind }) => kind === 'record')?.heard ?? 0;

suite('net peer records', () => {
  test('a node hands on records to who calls it, and the same to the next', async () => {
    await using stack = new AsyncDisposableStack();
    const hub = stack.use(await TestPeer.start(inProcess, 'hub', { targetOutbound: 0 }));
    const bootstrap = [await hub.address()];
    const callers: TestPeer[] = [];
    for (const name of ['first', 'second', 'third']) {
      callers.push(stack.use(await TestPeer.start(inProcess, name, { bootstrap, targetOutbound: 1 })));
    }
    const answers: (readonly Uint8Array[])[] = [];
    for (const caller of callers) {
      await caller.isWith(hub);
      answers.push(await asked(caller, hub));
    }
    assert.deepEqual(answers[1], answers[0]);
    assert.deepEqual(answers[2], answers[0]);
    for (const bytes of answers[0] ?? []) {
      const record = await openPeerRecord(bytes);
      assert.ok(record && callers.some(({ id }) => id === record.id));
    }
    assert.deepEqual(await asked(hub, callers[0]), [], 'who was called gets nothing');
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

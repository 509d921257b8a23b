/**
 * What libp2p does that we have to live with: each test shows the library's behaviour, where it can be shown, and
 * that ours is immune. A test that fails after an upgrade says that the library has changed and something here may go.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { suite, test } from 'node:test';
import type { Connection, Stream } from '@libp2p/interface';
import { createNet, createWorkerNet, type NetHandlers } from '#net';
import { topicId } from '#protocol';
import { topicIds } from '../../src/net/gossip.ts';
import { boundMemory } from '../../src/net/gossip-memory.ts';
import { GRAYLIST_SCORE, gossipSettings } from '../../src/net/gossip-settings.ts';
import { readStream, WRITE_HIGH_WATER, writeChunk } from '../../src/net/stream-io.ts';
import { TestPeer } from '../compliance/net.ts';
import { type RawPeer, startRawPeer } from './net-raw-peer.ts';
import { deps, inProcess, NETWORK, netOptions, within } from './net-support.ts';

const MB = 1_000_000;
const open = new AbortController().signal;
const TX = topicId(NETWORK, 'tx');

/** Two raw peers; streams that the second opens are handled as given. */
async function rawPair(stack: AsyncDisposableStack, handle: (stream: Stream) => Promise<void>) {
  const server = stack.use(await startRawPeer({ handlers: { blocks: handle } }));
  const client = stack.use(await startRawPeer());
  return { client, connection: await client.dial(server.address) };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Whether the promise is still pending after everything that is under way has been done. */
async function isStuck(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  promise.then(
    () => {
      isSettled = true;
    },
    () => {
      isSettled = true;
    },
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  await turns(10);
  return !isSettled;
}

suite('libp2p traps: streams', () => {
  const answerAndLeave = async (stream: Stream): Promise<void> => {
    stream.send(new Uint8Array(100).fill(1));
    await stream.close();
  };
  const isFinished = (stream: Stream): boolean => stream.remoteWriteStatus === 'closed';

  test('the library iterator hangs when the other end finished first; our reader gives the bytes and ends', async () => {
    await using stack = new AsyncDisposableStack();
    const { client, connection } = await rawPair(stack, answerAndLeave);
    const theirs = await client.open(connection, 'blocks');
    await within(eventually(() => isFinished(theirs)));
    const library = (async () => {
      for await (const _ of theirs) {
        // Not even the bytes matter: it is the end that never comes.
      }
    })();
    assert.ok(await isStuck(library), 'the library has changed: its iterator now ends');
    theirs.abort(new Error('enough'));

    for (let round = 0; round < 20; round += 1) {
      const stream = await client.open(connection, 'blocks');
      if (round % 2 === 0) await within(eventually(() => isFinished(stream)));
      let bytes = 0;
      const ours = (async () => {
        for await (const chunk of readStream(stream, open)) bytes += chunk.length;
      })();
      await within(ours);
      assert.equal(bytes, 100);
      await stream.close();
    }
  });

  test('a reset that came before the reader is an error to ours, not an end', async () => {
    await using stack = new AsyncDisposableStack();
    const { client, connection } = await rawPair(stack, async (stream) => stream.abort(new Error('no')));
    const stream = await client.open(connection, 'blocks');
    await within(eventually(() => stream.status !== 'open'));
    const read = readStream(stream, open).next();
    await assert.rejects(within(read));
  });

  test('onDrain holds a writer once; our writer is bounded for ever', async () => {
    await using stack = new AsyncDisposableStack();
    const streams: Stream[] = [];
    const { client, connection } = await rawPair(stack, async (stream) => {
      stream.addEventListener('message', () => {});
      streams.push(stream);
    });
    const theirs = await client.open(connection, 'blocks');
    // Two waits: the first is real and makes the promise, the second gets it back resolved.
    const send = (): boolean => theirs.send(new Uint8Array(MB));
    while (send()) await turns(1);
    await within(theirs.onDrain());
    streams[0]?.pause();
    let queued = 0;
    for (; queued < 40; queued += 1) {
      if (!send()) await within(theirs.onDrain());
    }
    assert.ok(theirs.writeBufferLength > 20 * MB, 'the library has changed: onDrain holds the writer');
    theirs.abort(new Error('enough'));

    const stream = await client.open(connection, 'blocks');
    await within(eventually(() => streams.length === 2));
    streams[1]?.pause();
    const controller = new AbortController();
    let highest = 0;
    let written = 0;
    const writing = (async () => {
      for (; written < 100; written += 1) {
        await writeChunk(stream, new Uint8Array(MB), controller.signal);
        highest = Math.max(highest, stream.writeBufferLength);
      }
    })();
    assert.ok(await isStuck(writing));
    assert.ok(written < 40, `${written} MB were taken for a reader that reads nothing`);
    assert.ok(stream.writeBufferLength <= WRITE_HIGH_WATER + MB);
    assert.ok(highest <= WRITE_HIGH_WATER + MB);
    controller.abort(new Error('given up'));
    await assert.rejects(within(writing), /given up/);
  });

  test('the library reads whatever comes; our reader stops the sender, and the stream survives it', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await TestPeer.start(inProcess, 'a'));
    const b = stack.use(await TestPeer.start(inProcess, 'b', { bootstrap: [await a.address()] }));
    await Promise.all([a.isWith(b), b.isWith(a)]);
    let pulled = 0;
    a.serve = async function* () {
      for (let count = 0; count < 60; count += 1) {
        pulled += 1;
        yield { status: 0, payload: new Uint8Array(MB) };
      }
    };
    const frames = b.net.request(a.id, 'blocks', Uint8Array.of(60), open)[Symbol.asyncIterator]();
    // Fast at first, so that yamux widens the window as far as it will; then a pause that would overflow the
    // library's read buffer (4 MiB) if the window were wider than that (16 MiB by default).
    let taken = 0;
    for (; taken < 30; taken += 1) await within(frames.next());
    let before = -1;
    while (before !== pulled) {
      before = pulled;
      await isStuck(new Promise(() => {}));
    }
    assert.ok(pulled - taken < 12, `${pulled - taken} MB lie between server and reader`);
    for (; !(await within(frames.next())).done; taken += 1);
    assert.equal(taken, 60);
  });
});

type ScoreOf = { readonly score: { readonly score: (peer: string) => number } };

type Remembers = {
  readonly seenCache: { readonly size: number; readonly has: (id: string) => boolean };
  readonly score: {
    readonly deliveryRecords: {
      readonly records: ReadonlyMap<string, unknown>;
      readonly queue: { readonly length: number };
    };
  };
};

/** A raw gossip node that rejects everything, and one that sends it messages. */
async function rejections(
  stack: AsyncDisposableStack,
  settings: object,
  count: number,
  heard: (messageId: string) => void = () => {},
): Promise<[RawPeer, RawPeer]> {
  const base = { globalSignaturePolicy: 'StrictNoSign', fallbackToFloodsub: false, asyncValidation: true } as const;
  const judge = stack.use(await startRawPeer({ gossip: { ...base, ...settings } }));
  const sender = stack.use(
    await startRawPeer({
      gossip: { ...base, allowPublishToZeroTopicPeers: true, msgIdFn: (m) => m.data.slice(0, 20) },
    }),
  );
  let rejected = 0;
  judge.pubsub.addEventListener('gossipsub:message', (event) => {
    const { msgId, propagationSource } = event.detail;
    heard(msgId);
    const report = Reflect.get(judge.pubsub, 'reportMessageValidationResult') as (...values: unknown[]) => void;
    report.call(judge.pubsub, msgId, propagationSource.toString(), 'reject');
    rejected += 1;
  });
  judge.pubsub.subscribe(TX);
  sender.pubsub.subscribe(TX);
  await sender.dial(judge.address);
  await within(eventually(() => sender.pubsub.getSubscribers(TX).length > 0));
  for (let round = 0; rejected < count; round += 1) {
    await sender.pubsub.publish(TX, new Uint8Array(60).fill(round & 0xff).fill(round >> 8, 0, 1));
    await turns(5);
    assert.ok(round < 5000, `only ${rejected} messages were judged`);
  }
  return [judge, sender];
}

function scoreOf(judge: RawPeer, sender: RawPeer): number {
  return (judge.pubsub as unknown as ScoreOf).score.score(sender.id);
}

/** gossipsub keeps a computed score for a second. */
function isGraylisted(judge: RawPeer, sender: RawPeer): Promise<void> {
  return within(eventually(() => scoreOf(judge, sender) < GRAYLIST_SCORE));
}

suite('libp2p traps: gossip', () => {
  test('default scores forgive everything; ours graylist after a few rejects', async () => {
    await using stack = new AsyncDisposableStack();
    const [naive, first] = await rejections(stack, {}, 20);
    assert.ok(scoreOf(naive, first) >= 0, 'the library has changed: rejects count by default');
    const settings = gossipSettings({ topics: topicIds(NETWORK), reputationOf: () => 0, exemptIps: ['127.0.0.1'] });
    const [ours, second] = await rejections(stack, settings, 4);
    await isGraylisted(ours, second);
  });

  test('the library remembers all that it saw within a time; ours forgets the oldest', async () => {
    await using stack = new AsyncDisposableStack();
    const seen: string[] = [];
    const [judge] = await rejections(stack, {}, 30, (id) => seen.push(id));
    const { seenCache, score } = judge.pubsub as unknown as Remembers;
    assert.ok(seenCache.size >= 30 && score.deliveryRecords.records.size >= 30, 'the library has changed');
    boundMemory(judge.pubsub, 20, 10)();
    assert.deepEqual(
      [seenCache.size, score.deliveryRecords.records.size, score.deliveryRecords.queue.length],
      [20, 10, 10],
    );
    const isKept = (id: string): boolean => seenCache.has(id);
    const isDelivered = (id: string): boolean => score.deliveryRecords.records.has(id);
    assert.deepEqual([seen.slice(-20).every(isKept), seen.slice(0, -20).some(isKept)], [true, false]);
    assert.deepEqual([seen.slice(-10).every(isDelivered), seen.slice(0, -10).some(isDelivered)], [true, false]);
  });

  test('reconnecting washes the score of the library clean', async () => {
    await using stack = new AsyncDisposableStack();
    const settings = gossipSettings({ topics: topicIds(NETWORK), reputationOf: () => 0, exemptIps: ['127.0.0.1'] });
    const [judge, sender] = await rejections(stack, settings, 4);
    await isGraylisted(judge, sender);
    await sender.host.hangUp(judge.host.peerId);
    await within(eventually(() => judge.pubsub.getPeers().length === 0));
    await sender.dial(judge.address);
    await within(eventually(() => judge.pubsub.getPeers().length === 1));
    await within(
      eventually(() => scoreOf(judge, sender) >= 0),
      'washing: the library may have changed, scores survive reconnection',
    );
    // That our own bans do survive is in net-hostile.test.ts.
  });

  test('an oversized RPC mutes a peer for ever; our watchdog ends the connection', async () => {
    await using stack = new AsyncDisposableStack();
    const victim = stack.use(await TestPeer.start(inProcess, 'victim', { tuning: { watchdogMs: 200 } }));
    const raw = stack.use(await startRawPeer({ gossip: { globalSignaturePolicy: 'StrictNoSign' } }));
    const connection = await raw.dial(await victim.address());
    raw.pubsub.subscribe(TX);
    await within(eventually(() => raw.pubsub.getSubscribers(TX).length > 0));
    // Ours opens on its own, sooner or later than the one that brought the subscription.
    const gossipStream = () =>
      connection.streams.find((stream) => stream.protocol.startsWith('/meshsub/') && stream.direction === 'outbound');
    await within(eventually(() => gossipStream() !== undefined));
    const gossip = gossipStream();
    assert.ok(gossip);
    // A length of 5 MiB: above what gossipsub takes.
    gossip.send(Uint8Array.of(0x80, 0x80, 0xc0, 0x02, 0));
    await victim.when(() => victim.events.some((event) => event.includes('gossip streams are dead')));
  });

  test('a healthy peer is left alone by the watchdog', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await TestPeer.start(inProcess, 'a', { tuning: { watchdogMs: 50 } }));
    const b = stack.use(
      await TestPeer.start(inProcess, 'b', { bootstrap: [await a.address()], tuning: { watchdogMs: 50 } }),
    );
    await Promise.all([a.isWith(b), b.isWith(a)]);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal(a.events.length + b.events.length, 2, `${a.events} ${b.events}`);
  });
});

/** Handlers that note who goes. */
function noting(gone: string[], met: (id: string) => void): NetHandlers {
  return {
    peerConnected: ({ id }) => met(id),
    peerDisconnected: (_id, reason) => gone.push(reason),
    serve: async function* () {},
    gossip: async () => 'ignore',
  };
}

suite('libp2p traps: connections', () => {
  /** Impatient pings, so that seconds of stall do what nine seconds would do by default. */
  const tuning = { pingIntervalMs: 500, pingTimeoutMs: 2_000, confirmTimeoutMs: 60_000 };

  async function stalled(create: typeof createNet): Promise<string[]> {
    await using stack = new AsyncDisposableStack();
    const gone: string[] = [];
    const met = Promise.withResolvers<string>();
    const us = stack.use(await create(netOptions({ tuning }), noting(gone, met.resolve), deps));
    const [address = ''] = (await us.status()).listenAddresses;
    // The other side always has a thread of its own, and is as impatient.
    stack.use(
      await createWorkerNet(
        netOptions({ tuning, bootstrap: [address] }),
        noting([], () => {}),
        deps,
      ),
    );
    await within(met.promise);
    // Hold this thread, as a long validation would, for longer than a ping may take.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4_500);
    await new Promise((resolve) => setTimeout(resolve, 100));
    return [...gone];
  }

  test('a stalled event loop loses its peers; a network thread keeps them', async () => {
    assert.notDeepEqual(await stalled(createNet), [], 'the library has changed: a stall is forgiven');
    assert.deepEqual(await stalled(createWorkerNet), []);
  });

  test('idle sockets do not keep others from connecting', async () => {
    await using stack = new AsyncDisposableStack();
    const victim = stack.use(await TestPeer.start(inProcess, 'victim'));
    const [, port] = /\/tcp\/(\d+)/.exec(await victim.address()) ?? [];
    const sockets: Socket[] = [];
    stack.defer(() => sockets.forEach((socket) => socket.destroy()));
    for (let count = 0; count < 40; count += 1) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
      await within(new Promise((resolve) => socket.once('connect', resolve)));
    }
    const raw = stack.use(await startRawPeer());
    const connection: Connection = await within(raw.dial(await victim.address()));
    assert.equal(connection.status, 'open');
    await victim.when(() => victim.connected.has(raw.id));
  });
});

/**
 * Peers that ask and do not read. What lies unsent for them is bounded, others are served, and they are cut once nothing
 * of theirs moved for the row's time. And those that merely are slow get every byte as it was.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Connection, Stream } from '@libp2p/interface';
import { frameHead, readResponse, streams } from '#protocol';
import { readStream } from '../../src/net/stream-io.ts';
import { filled, TestPeer } from '../compliance/net.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { startThrottledProxy } from '../support/throttled-proxy.ts';
import { frames, yamuxFrame } from '../support/yamux-frames.ts';
import { closed, isOver, startFigures, wireOf } from './abuse-attackers.ts';
import { type RawPeer, startRawPeer } from './net-raw-peer.ts';
import { eventually, inProcess, within } from './net-support.ts';
import { startVictim } from './net-victim.ts';

const MB = 1_000_000;
const { progressMs } = streams.blocks.timeouts;
/** What the kernel takes on loopback for a socket that nobody reads: both buffers at their largest. */
const KERNEL_BYTES = 40 * MB;

/** A request whose answer is so many blocks of a megabyte. */
function blocksRequest(count: number): Uint8Array {
  const request = Uint8Array.of(count, ...new Uint8Array(32 * count));
  return Buffer.concat([frameHead(request.length), request]);
}

type Stranger = { readonly raw: RawPeer; readonly connection: Connection };

/** A victim that serves blocks and counts what was asked of its node for whom, and an honest peer of it. */
async function withVictim(stack: AsyncDisposableStack) {
  const clock = createManualClock(1_000_000);
  const { victim, offences } = await startVictim({ targetOutbound: 0 }, clock);
  stack.use(victim);
  const served = new Map<string, number>();
  victim.serve = async function* (name, from, request) {
    if (name !== 'blocks') return yield { status: 0, payload: new Uint8Array(1_000) };
    for (let at = 0; at < (request[0] ?? 0); at += 1) {
      served.set(from, (served.get(from) ?? 0) + 1);
      yield { status: 0, payload: filled(MB, at), isExclusive: true };
    }
  };
  const address = await victim.address();
  const honest = stack.use(await TestPeer.start(inProcess, 'honest', { connect: [address], targetOutbound: 0 }));
  await Promise.all([honest.isWith(victim), victim.isWith(honest)]);
  const ask = async (): Promise<void> => {
    const request = blocksRequest(3).subarray(frameHead(97).length);
    const got = await honest.ask(victim, 'blocks', request);
    assert.deepEqual(
      got.map(({ payload }, at) => Buffer.compare(payload, filled(MB, at))),
      [0, 0, 0],
    );
  };
  /** A connected stranger. */
  const stranger = async (by = address): Promise<Stranger> => {
    const raw = stack.use(await startRawPeer());
    const connection = await raw.dial(by);
    await victim.when(() => victim.connected.has(raw.id));
    return { raw, connection };
  };
  const counts = async () => {
    const { connections, streams: open } = await victim.net.status();
    return { connections, open };
  };
  return { clock, victim, offences, address, served, ask, stranger, counts };
}

/** Blocks, on as many streams as there may be. */
async function askWithoutReading({ raw, connection }: Stranger): Promise<Stream[]> {
  const asked: Stream[] = [];
  for (let count = 0; count < streams.blocks.maxInboundStreams; count += 1) {
    const stream = await raw.open(connection, 'blocks');
    stream.addEventListener('message', () => {});
    stream.pause();
    stream.send(blocksRequest(60));
    asked.push(stream);
  }
  return asked;
}

/** Once it is above 0, until it has not changed for some turns of the event loop. */
async function settled(value: () => number): Promise<number> {
  let before = 0;
  let same = 0;
  await within(
    eventually(() => {
      same = before > 0 && value() === before ? same + 1 : 0;
      before = value();
      return same === 25;
    }),
  );
  return before;
}

suite('who asks for blocks and does not read', () => {
  test('no window is granted: three frames a peer lie ready, and the time of the row ends it', async (t) => {
    await using stack = new AsyncDisposableStack();
    const { clock, served, ask, stranger, counts } = await withVictim(stack);
    const before = await counts();
    const figures = startFigures();
    const asked: Stream[] = [];
    for (let peer = 0; peer < 4; peer += 1) asked.push(...(await askWithoutReading(await stranger())));
    const total = (): number => [...served.values()].reduce((sum, each) => sum + each, 0);
    const held = await settled(total);
    await ask();
    t.diagnostic(`${asked.length} streams of 4 peers, ${held} MB of 1,920 were asked of the node; ${figures()}`);
    assert.ok(held <= 4 * 8, 'at most one frame a stream');
    // Those that had to wait for a share begin when the first are cut, and end as they did.
    await within(
      eventually(async () => {
        await clock.advance(progressMs + 1);
        return asked.every(isOver);
      }),
    );
    await ask();
    assert.ok((await counts()).open <= before.open + 4 * 16);
  });

  test('as many bytes as the window takes are sent behind a request: the stream is reset', async () => {
    await using stack = new AsyncDisposableStack();
    const { served, ask, stranger, counts } = await withVictim(stack);
    const attacker = await stranger();
    const before = await counts();
    const asked = await askWithoutReading(attacker);
    await settled(() => served.get(attacker.raw.id) ?? 0);
    for (const stream of asked) stream.send(new Uint8Array(200_000));
    // Nobody's clock moves: no deadline ends them.
    await within(eventually(() => asked.every(isOver)));
    await ask();
    await within(eventually(async () => (await counts()).open <= before.open));
  });

  test('windows are granted and the socket is not read: what waits is bounded, the streams are cut', async (t) => {
    await using stack = new AsyncDisposableStack();
    const { clock, served, ask, stranger, counts } = await withVictim(stack);
    const { raw, connection } = await stranger();
    const wire = wireOf(connection);
    const figures = startFigures();
    const opened: Stream[] = [];
    for (let count = 0; count < 4; count += 1) opened.push(await raw.open(connection, 'blocks'));
    wire.stopReading();
    const grant = frames(
      ...opened.map((stream) => yamuxFrame({ type: 'window-update', streamId: Number(stream.id), length: 64 * MB })),
    );
    for (const stream of opened) stream.send(blocksRequest(120));
    const held = (): number => (served.get(raw.id) ?? 0) * MB;
    await settled(held);
    // Each update once made a stream send, however full the connection was.
    for (let count = 0; count < 200; count += 1) {
      wire.send(grant);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const most = await settled(held);
    await ask();
    t.diagnostic(`${most / MB} MB of 480 were asked of the node; ${figures()}`);
    assert.ok(most <= KERNEL_BYTES + 8 * MB);
    const { open } = await counts();
    // Three frames a peer are on their way at once; the fourth stream begins when the others are cut.
    for (let round = 0; round < 2; round += 1) await clock.advance(progressMs + 1);
    await within(eventually(async () => (await counts()).open <= open - opened.length));
    await ask();
  });

  test('answers of the muxer that nobody reads: charged and cut', async (t) => {
    await using stack = new AsyncDisposableStack();
    const { offences, served, ask, stranger, counts } = await withVictim(stack);
    const before = await counts();
    const { raw, connection } = await stranger();
    const wire = wireOf(connection);
    const opened = await Promise.all(Array.from({ length: 4 }, () => raw.open(connection, 'blocks')));
    wire.stopReading();
    for (const stream of opened) {
      wire.send(yamuxFrame({ type: 'window-update', streamId: Number(stream.id), length: 64 * MB }));
      stream.send(blocksRequest(120));
    }
    await settled(() => served.get(raw.id) ?? 0);
    // The kernel's buffers are full now. Each byte that comes is answered with a window update.
    const figures = startFigures();
    let sent = 0;
    const updates = frames(
      ...Array.from({ length: 500 }, () => yamuxFrame({ type: 'data', streamId: ODD, data: ONE })),
    );
    wire.send(yamuxFrame({ type: 'window-update', flags: ['SYN'], streamId: ODD }));
    for (; sent < 100 && wire.isOpen(); sent += 1) {
      wire.send(updates);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed(connection);
    t.diagnostic(`${sent * 500} frames; ${figures()}`);
    assert.deepEqual(offences, ['stalled']);
    await ask();
    await within(eventually(async () => (await counts()).connections === before.connections));
  });
});
const ODD = 1_000_001;
const ONE = Uint8Array.of(0x80);

suite('who reads slowly', () => {
  /** Reads an answer to its end and checks each byte. */
  async function readBlocks(stream: Stream, count: number): Promise<number> {
    const source = readStream(stream, new AbortController().signal);
    let at = 0;
    for await (const { payload } of readResponse(source, { ...streams.blocks, maxFrames: count })) {
      assert.equal(Buffer.compare(payload, filled(MB, at)), 0, `block ${at} is not what was served`);
      at += 1;
    }
    return at;
  }

  test('gets every byte as it was, over windows wider than the link, and small answers in between', async () => {
    await using stack = new AsyncDisposableStack();
    const { address, stranger } = await withVictim(stack);
    const proxy = stack.use(await startThrottledProxy(address, 16 * MB));
    const { raw, connection } = await stranger(proxy.address);
    // Opened before anything is on its way: libp2p's own deadline for that runs by the wall clock.
    const opened = await Promise.all(Array.from({ length: 3 }, () => raw.open(connection, 'blocks')));
    const small = await raw.open(connection, 'headers');
    let isRead = false;
    const reading = Promise.all(
      opened.map((stream) => {
        stream.send(blocksRequest(4));
        return readBlocks(stream, 4);
      }),
    ).finally(() => {
      isRead = true;
    });
    small.send(Uint8Array.of(1, 0));
    let answers = 0;
    for await (const _ of readResponse(readStream(small, new AbortController().signal), {
      ...streams.headers,
      maxFrames: 1,
    })) {
      answers += 1;
    }
    assert.equal(answers, 1);
    assert.equal(isRead, false, 'the blocks were still on their way');
    assert.deepEqual(await within(reading), [4, 4, 4]);
    assert.equal(connection.status, 'open');
  });
});

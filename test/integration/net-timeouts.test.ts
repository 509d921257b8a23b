/** Every wait has an end: our side runs on a clock that the test moves, the other side is a raw peer. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Stream } from '@libp2p/interface';
import { createNet, type NetHandlers, type ResponseFrame } from '#net';
import { streams } from '#protocol';
import { requestErrorOf, TestPeer } from '../compliance/net.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { startRawPeer } from './net-raw-peer.ts';
import { deps, inProcess, netOptions, within } from './net-support.ts';

const { firstFrameMs, progressMs, totalMs } = streams.blocks.timeouts;
const ITEMS = Uint8Array.of(3, ...new Uint8Array(96));
const FRAME = Uint8Array.of(2, 0, 7);
const REQUEST_MS = 10_000;

async function startVictim(clock: ManualClock): Promise<TestPeer> {
  const create = (_setup: unknown, handlers: NetHandlers) =>
    createNet(netOptions({ targetOutbound: 0 }), handlers, { ...deps, clock });
  return TestPeer.start({ ...inProcess, create }, 'victim');
}

/** A victim that is connected with a raw peer; what the raw peer does with a stream is given. */
async function withPeer(stack: AsyncDisposableStack, handle: (stream: Stream) => Promise<void>) {
  const clock = createManualClock(1_000_000);
  const victim = stack.use(await startVictim(clock));
  const raw = stack.use(await startRawPeer({ handlers: { blocks: handle } }));
  const connection = await raw.dial(await victim.address());
  await victim.when(() => victim.connected.has(raw.id));
  return { clock, victim, raw, connection };
}

function ask(victim: TestPeer, peer: string): AsyncIterator<ResponseFrame> {
  return victim.net.request(peer, 'blocks', ITEMS, new AbortController().signal)[Symbol.asyncIterator]();
}

function closed(stream: Stream): Promise<void> {
  return within(
    new Promise((resolve) => {
      if (stream.status !== 'open') resolve();
      else stream.addEventListener('close', () => resolve(), { once: true });
    }),
  );
}

suite('net time limits', () => {
  test('a server that says nothing', async () => {
    await using stack = new AsyncDisposableStack();
    const asked = Promise.withResolvers<Stream>();
    const { clock, victim, raw } = await withPeer(stack, async (stream) => asked.resolve(stream));
    let outcome = 'waiting';
    const asking = requestErrorOf(ask(victim, raw.id).next()).then((code) => {
      outcome = code;
    });
    const stream = await within(asked.promise);
    await clock.advance(firstFrameMs - 1);
    assert.equal(outcome, 'waiting');
    await clock.advance(2);
    await within(asking);
    assert.equal(outcome, 'TIMEOUT');
    await closed(stream);
    assert.equal(stream.status, 'reset', 'the stream is not left open');
  });

  test('a server that stops in the middle', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, victim, raw } = await withPeer(stack, async (stream) => void stream.send(FRAME));
    const frames = ask(victim, raw.id);
    assert.equal((await within(frames.next())).done, false);
    const next = requestErrorOf(frames.next());
    await clock.advance(progressMs + 1);
    assert.equal(await within(next), 'TIMEOUT');
  });

  test('a server that drips bytes is cut by the whole time', async () => {
    await using stack = new AsyncDisposableStack();
    const opened = Promise.withResolvers<Stream>();
    const { clock, victim, raw } = await withPeer(stack, async (stream) => opened.resolve(stream));
    const asking = requestErrorOf(ask(victim, raw.id).next());
    const stream = await within(opened.promise);
    // A frame of 100,000 bytes, one byte at a time, each within the time of its step.
    stream.send(Uint8Array.of(0xa0, 0x8d, 0x06, 0));
    const step = progressMs / 2;
    for (let elapsed = 0; elapsed <= totalMs && stream.status === 'open'; elapsed += step) {
      stream.send(Uint8Array.of(1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await clock.advance(step);
    }
    assert.equal(await within(asking), 'TIMEOUT');
    assert.ok(clock.monotonicMs() >= totalMs - step);
  });

  test('our own slowness is not held against the server', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, victim, raw } = await withPeer(stack, async (stream) => {
      for (let count = 0; count < 3; count += 1) stream.send(FRAME);
      stream.send(Uint8Array.of(0));
    });
    const frames = ask(victim, raw.id);
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await within(frames.next())).done, false);
      await clock.advance(3_600_000);
    }
    assert.equal((await within(frames.next())).done, true);
  });

  test('a client that never finishes its request', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, raw, connection } = await withPeer(stack, async () => {});
    const stream = await raw.open(connection, 'blocks');
    stream.send(Uint8Array.of(97, 1, 2));
    // Until the victim has the stream, its time does not run.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await clock.advance(REQUEST_MS - 1);
    assert.equal(stream.status, 'open');
    await clock.advance(2);
    await closed(stream);
    assert.equal(stream.status, 'reset');
  });

  test('a client that takes nothing', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, victim, raw, connection } = await withPeer(stack, async () => {});
    const over = Promise.withResolvers<number>();
    let served = 0;
    victim.serve = async function* (_name, _from, _request, signal) {
      try {
        for (; !signal.aborted && served < 100; served += 1) yield { status: 0, payload: new Uint8Array(1_000_000) };
      } finally {
        over.resolve(served);
      }
    };
    const stream = await raw.open(connection, 'blocks');
    stream.addEventListener('message', () => {});
    stream.pause();
    stream.send(Uint8Array.of(33, 100, ...new Uint8Array(32)));
    let before = -1;
    while (before !== served) {
      before = served;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(served < 30, `${served} MB for a reader of nothing`);
    await clock.advance(progressMs + 1);
    assert.ok((await within(over.promise)) < 30);
  });

  test('where slow readers hold all the room, the slowest one makes place', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, victim, raw, connection } = await withPeer(stack, async () => {});
    const cut: string[] = [];
    let serving = 0;
    victim.serve = async function* (_name, _from, _request, signal) {
      serving += 1;
      signal.addEventListener('abort', () => cut.push(String(signal.reason)));
      yield { status: 0, payload: new Uint8Array(4_000_000) };
    };
    // 64 MiB are sixteen of these frames; a peer may have three.
    for (let count = 0; count < 6; count += 1) {
      const slow = stack.use(await startRawPeer({ handlers: { blocks: async () => {} } }));
      const link = await slow.dial(await victim.address());
      await victim.when(() => victim.connected.has(slow.id));
      for (let stream = 0; stream < 3; stream += 1) await askAndTakeNothing(await slow.open(link, 'blocks'));
    }
    await within(until(() => serving === 16));
    const stream = await raw.open(connection, 'blocks');
    const ended = within(new Promise((resolve) => stream.addEventListener('remoteCloseWrite', resolve)), 'an answer');
    stream.addEventListener('message', () => {});
    stream.send(Uint8Array.of(33, 1, ...new Uint8Array(32)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(cut, [], 'nobody is dropped at once');
    // Two slow ones wait before it.
    for (let dropped = 1; dropped <= 3; dropped += 1) {
      await clock.advance(2_000);
      assert.equal(cut.length, dropped);
    }
    await ended;
    assert.match(cut[0] ?? '', /others need the room/);
  });
});

async function askAndTakeNothing(stream: Stream): Promise<void> {
  stream.addEventListener('message', () => {});
  stream.pause();
  stream.send(Uint8Array.of(33, 1, ...new Uint8Array(32)));
}

/** Looked at again and again, for so many times. */
async function until(condition: () => boolean): Promise<void> {
  for (let look = 0; !condition(); look += 1) {
    assert.ok(look < 2_000, 'it came about');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Streams that carry one exchange after another, as both ends of them: ours against itself and against a raw peer. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Connection, Stream } from '@libp2p/interface';
import * as lengthPrefixed from 'it-length-prefixed';
import { createNet, type NetHandlers } from '#net';
import { protocolId } from '#protocol';
import { requestErrorOf, TestPeer } from '../compliance/net.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { startRawPeer } from './net-raw-peer.ts';
import { deps, inProcess, NETWORK, netOptions, within } from './net-support.ts';

const KEPT = protocolId(NETWORK, 'blocks', 'kept');
const ONE_BLOCK = Uint8Array.of(1, ...new Uint8Array(32));
const OK = 0;
/** A frame of one byte, then the end frame. */
const ANSWER = Uint8Array.of(2, OK, 7, 0);
const IDLE_MS = 20_000;
const SERVER_IDLE_MS = 60_000;

/** A node of ours, with a clock that the test moves, and a raw peer that is connected with it. */
async function start(stack: AsyncDisposableStack) {
  const clock = createManualClock(1_000_000);
  const create = (_setup: unknown, handlers: NetHandlers) =>
    createNet(netOptions({ targetOutbound: 0 }), handlers, { ...deps, clock });
  const node = stack.use(await TestPeer.start({ ...inProcess, create }, 'node'));
  const raw = stack.use(await startRawPeer());
  const connection = await raw.dial(await node.address());
  await node.when(() => node.connected.has(raw.id));
  const ask = () =>
    Array.fromAsync(node.net.request(raw.id, 'blocks', ONE_BLOCK, new AbortController().signal), ({ payload }) => [
      ...payload,
    ]);
  return { clock, node, raw, connection, ask };
}

/** The raw peer serves `blocks` on kept streams: `answer` gets each request with its place on its stream. */
async function serveKept(
  { host }: Awaited<ReturnType<typeof startRawPeer>>,
  answer: (stream: Stream, at: number) => void | Promise<void>,
): Promise<Stream[]> {
  const streams: Stream[] = [];
  await host.handle(KEPT, async (stream) => {
    streams.push(stream);
    let at = 0;
    for await (const request of lengthPrefixed.decode(stream)) {
      assert.deepEqual(new Uint8Array(request.subarray()), ONE_BLOCK);
      await answer(stream, at++);
    }
  });
  return streams;
}

async function ended(stream: Stream): Promise<void> {
  if (stream.remoteWriteStatus === 'closed' || stream.status !== 'open') return;
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const event of ['remoteCloseWrite', 'close'] as const) stream.addEventListener(event, () => resolve());
  await within(promise, 'the end of the stream');
}

function streamsOf(connection: Connection, protocol: string): Stream[] {
  return connection.streams.filter((stream) => stream.protocol === protocol);
}

suite('streams that are kept', () => {
  test('requests one after another share a stream; at the same time they do not', async () => {
    await using stack = new AsyncDisposableStack();
    const { raw, ask } = await start(stack);
    const streams = await serveKept(raw, (stream) => void stream.send(ANSWER));
    for (let count = 0; count < 3; count++) {
      assert.deepEqual(await within(ask()), [[7]]);
    }
    assert.equal(streams.length, 1);
    await within(Promise.all([ask(), ask(), ask()]));
    assert.equal(streams.length, 3);
    await within(Promise.all([ask(), ask(), ask()]));
    assert.equal(streams.length, 3, 'as many as were in use at once');
  });

  test('a peer that only speaks single exchanges is asked on a stream each', async () => {
    await using stack = new AsyncDisposableStack();
    const { raw, ask } = await start(stack);
    let streams = 0;
    await raw.host.handle(protocolId(NETWORK, 'blocks'), async (stream) => {
      streams++;
      stream.send(ANSWER);
      await stream.close();
    });
    await within(ask());
    await within(ask());
    assert.equal(streams, 2);
  });

  test('is closed when it was idle', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, raw, ask } = await start(stack);
    const streams = await serveKept(raw, (stream) => void stream.send(ANSWER));
    await within(ask());
    await clock.advance(IDLE_MS - 1);
    assert.equal(streams[0]?.remoteWriteStatus, 'writable');
    await clock.advance(1);
    await ended(streams[0] as Stream);
    await within(ask());
    assert.equal(streams.length, 2);
  });

  test('one that the other end closed or reset meanwhile costs no request and no blame', async () => {
    await using stack = new AsyncDisposableStack();
    const { node, raw, ask } = await start(stack);
    // The second request on a stream meets its end.
    const streams = await serveKept(raw, async (stream, at) => {
      if (at === 0) stream.send(ANSWER);
      else if (streams.length % 2 === 0) await stream.close();
      else stream.abort(new Error('the server has other plans'));
    });
    for (let count = 1; count <= 4; count++) {
      assert.equal((await within(ask())).length, 1);
      assert.equal(streams.length, count);
    }
    assert.ok(node.connected.has(raw.id));
  });

  test('one that ends within a second answer is a failure', async () => {
    await using stack = new AsyncDisposableStack();
    const { raw, ask } = await start(stack);
    const streams = await serveKept(raw, async (stream, at) => {
      stream.send(at === 0 ? ANSWER : ANSWER.subarray(0, 2));
      if (at > 0) await stream.close();
    });
    await within(ask());
    assert.notEqual(await within(requestErrorOf(ask())), undefined);
    assert.equal(streams.length, 1);
  });

  test('serves a raw peer until that ends the stream, or stays silent', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, node, raw, connection } = await start(stack);
    node.serve = async function* () {
      yield { status: OK, payload: Uint8Array.of(9) };
    };
    const open = () => connection.newStream(KEPT);
    const [first, second] = [await open(), await open()];
    for (const stream of [first, second]) {
      const frames = lengthPrefixed.decode(stream)[Symbol.asyncIterator]();
      for (let count = 0; count < 3; count++) {
        stream.send(lengthPrefixed.encode.single(ONE_BLOCK));
        assert.deepEqual([...((await within(frames.next())).value?.subarray() ?? [])], [OK, 9]);
        assert.equal((await within(frames.next())).value?.byteLength, 0);
      }
    }
    await first.close();
    await ended(first);
    await clock.advance(SERVER_IDLE_MS - 1);
    assert.equal(second.status, 'open');
    await clock.advance(1);
    await ended(second);
    assert.deepEqual(streamsOf(connection, KEPT), []);
    assert.ok(node.connected.has(raw.id), 'nobody is blamed');
  });
});

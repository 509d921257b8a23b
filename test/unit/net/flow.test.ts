/** Frames across the thread border: a real MessageChannel between both ends, in one thread. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { ByteBudget } from '../../../src/net/byte-budget.ts';
import { RequestError, toRequestError } from '../../../src/net/errors.ts';
import type { ResponseFrame } from '../../../src/net/port.ts';
import { FrameReceiver, FrameSender, TOTAL_BYTES } from '../../../src/net/worker/flow.ts';
import type { FrameBatch } from '../../../src/net/worker/messages.ts';

const KB = 1024;

type Link = Disposable & {
  readonly sender: FrameSender;
  readonly receiver: FrameReceiver;
  readonly total: ByteBudget;
  readonly controller: AbortController;
  readonly batches: FrameBatch[];
  run: (frames: AsyncIterable<ResponseFrame>) => Promise<void>;
};

function link(total = new ByteBudget(TOTAL_BYTES), ownsPayloads = true): Link {
  const { port1, port2 } = new MessageChannel();
  const controller = new AbortController();
  const batches: FrameBatch[] = [];
  const sender = new FrameSender(1, {
    total,
    post: (batch, transfer) => port1.postMessage(batch, transfer),
    ownsPayloads,
  });
  const receiver = new FrameReceiver(
    (bytes) => sender.credit(bytes),
    (isComplete) => {
      if (isComplete) return;
      controller.abort(new RequestError('ABORTED', 'left'));
      sender.close();
    },
  );
  port2.on('message', (batch: FrameBatch) => {
    batches.push(batch);
    receiver.receive(batch);
  });
  return {
    sender,
    receiver,
    total,
    controller,
    batches,
    run: (frames) =>
      sender.run(frames, controller.signal, (error) => {
        const { code, message } = toRequestError(error);
        return { kind: 'failed', code, text: message };
      }),
    [Symbol.dispose]: () => {
      port1.close();
      port2.close();
    },
  };
}

async function* framesOf(sizes: readonly number[]): AsyncGenerator<ResponseFrame> {
  for (const [index, size] of sizes.entries()) yield { status: 0, payload: new Uint8Array(size).fill(index) };
}

async function collect(source: AsyncIterable<ResponseFrame>): Promise<ResponseFrame[]> {
  const frames: ResponseFrame[] = [];
  for await (const frame of source) frames.push(frame);
  return frames;
}

suite('net thread flow', () => {
  test('frames of any sizes arrive in order and unharmed, and nothing stays counted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 15 * KB, max: 40 * KB })), { maxLength: 60 }),
        async (sizes) => {
          using pair = link();
          const running = pair.run(framesOf(sizes));
          const frames = await collect(pair.receiver);
          await running;
          assert.deepEqual(
            frames.map((frame) => frame.payload.length),
            sizes,
          );
          frames.forEach((frame, index) => {
            assert.ok(frame.payload.every((byte) => byte === (index & 0xff)));
          });
          assert.equal(pair.total.held, 0);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('small frames travel many at a time, large ones are not copied', async () => {
    using pair = link();
    const large = new Uint8Array(1_000_000).fill(5);
    async function* source(): AsyncGenerator<ResponseFrame> {
      yield* framesOf(Array.from({ length: 1000 }, () => 100));
      yield { status: 0, payload: large };
    }
    const running = pair.run(source());
    const frames = await collect(pair.receiver);
    await running;
    assert.equal(frames.length, 1001);
    assert.ok(pair.batches.length < 20, `${pair.batches.length} messages`);
    assert.equal(large.byteLength, 0, 'the sender gave its memory away');
    assert.equal(frames.at(-1)?.payload.length, 1_000_000);
  });

  test('a view of something larger is copied: its neighbours stay', async () => {
    using pair = link();
    const shared = new Uint8Array(100 * KB).fill(1);
    async function* source(): AsyncGenerator<ResponseFrame> {
      yield { status: 0, payload: shared.subarray(10, 50 * KB) };
    }
    const running = pair.run(source());
    assert.equal((await collect(pair.receiver))[0]?.payload.length, 50 * KB - 10);
    await running;
    assert.equal(shared.byteLength, 100 * KB);
  });

  test('a sender that does not own its bytes keeps them, however often it sends them', async () => {
    using pair = link(new ByteBudget(TOTAL_BYTES), false);
    const block = new Uint8Array(100 * KB).fill(7);
    async function* source(): AsyncGenerator<ResponseFrame> {
      for (let count = 0; count < 3; count += 1) yield { status: 0, payload: block };
    }
    const running = pair.run(source());
    const frames = await collect(pair.receiver);
    await running;
    assert.ok(frames.every(({ payload }) => payload.length === 100 * KB && payload[5] === 7));
    assert.equal(block.byteLength, 100 * KB);
  });

  test('exclusive bytes are given away, with the little around them', async () => {
    using pair = link(new ByteBudget(TOTAL_BYTES), false);
    const record = new Uint8Array(100 * KB + 8).fill(3);
    async function* source(): AsyncGenerator<ResponseFrame> {
      yield { status: 0, payload: record.subarray(8), isExclusive: true };
    }
    const running = pair.run(source());
    const [frame] = await collect(pair.receiver);
    await running;
    assert.equal(frame?.payload.length, 100 * KB);
    assert.ok(frame?.payload.every((byte) => byte === 3));
    assert.equal(record.byteLength, 0);
  });

  test('a consumer that takes nothing stops the sender at the window', async () => {
    using pair = link();
    let pulled = 0;
    async function* source(): AsyncGenerator<ResponseFrame> {
      for (; pulled < 100; pulled += 1) yield { status: 0, payload: new Uint8Array(1 << 20) };
    }
    const running = pair.run(source());
    const first = await pair.receiver.next();
    assert.equal(first.done, false);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(pulled <= 10, `${pulled} MiB taken`);
    assert.equal((await collect(pair.receiver)).length, 99);
    await running;
  });

  test('the total bounds many exchanges together, and small frames pass it', async () => {
    const total = new ByteBudget(2 << 20);
    using stuck = link(total);
    using small = link(total);
    const stuckRun = stuck.run(framesOf([1 << 20, 1 << 20, 1 << 20]));
    const smallRun = small.run(framesOf([10, 10]));
    assert.equal((await collect(small.receiver)).length, 2);
    await smallRun;
    assert.ok(total.held <= 2 << 20);
    await stuck.receiver.return();
    await stuckRun;
    assert.equal(total.held, 0, 'leaving gives everything back');
  });

  test('a failure arrives behind the frames before it', async () => {
    using pair = link();
    async function* source(): AsyncGenerator<ResponseFrame> {
      yield* framesOf([5]);
      throw new RequestError('TIMEOUT', 'too late');
    }
    const running = pair.run(source());
    assert.equal((await pair.receiver.next()).done, false);
    await assert.rejects(pair.receiver.next(), (error) => error instanceof RequestError && error.code === 'TIMEOUT');
    assert.equal((await pair.receiver.next()).done, true);
    await running;
  });

  test('a cut exchange fails at once, even with frames waiting', async () => {
    using pair = link();
    const running = pair.run(framesOf([10, 10, 10]));
    assert.equal((await pair.receiver.next()).done, false);
    pair.receiver.fail(new RequestError('DISCONNECTED', 'cut'));
    await assert.rejects(
      pair.receiver.next(),
      (error) => error instanceof RequestError && error.code === 'DISCONNECTED',
    );
    await running;
  });
});

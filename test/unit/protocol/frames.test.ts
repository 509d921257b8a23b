/** Frames: any cutting of the bytes gives the same frames; bounds hold before bytes are stored; broken streams are told apart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameError, frameHead, readFrames, readResponse, responseStatus } from '#protocol';
import { concatBytes, fromHex, toHex } from '#util';
import { FrameDecoder, type ResponseLimits } from '../../../src/protocol/frames.ts';

const frame = (payload: Uint8Array): Uint8Array => concatBytes(frameHead(payload.length), payload);
const answer = (status: 0 | 1 | 2 | 3 | 4, payload: Uint8Array): Uint8Array =>
  concatBytes(frameHead(payload.length, status), payload);
const END = frameHead(0);

async function* chunksOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function decodeAll(decoder: FrameDecoder, chunks: readonly Uint8Array[]): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let next = decoder.next(); next !== undefined; next = decoder.next()) frames.push(next);
  }
  return frames;
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** Cuts bytes at the given places (taken modulo the length). */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Uint8Array[] = [];
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  return chunks;
}

test('heads are minimal varints, with the status counted in the length', () => {
  const hex = (bytes: number, status?: 0 | 4): string => toHex(frameHead(bytes, status));
  assert.equal(hex(0), '00');
  assert.equal(hex(127), '7f');
  assert.equal(hex(128), '8001');
  assert.equal(hex(300), 'ac02');
  assert.equal(hex(2 ** 28 - 1), 'ffffff7f');
  assert.throws(() => frameHead(2 ** 28), /a frame of/);
  assert.equal(hex(0, 4), '0104');
  assert.equal(hex(127, 0), '800100');
  assert.equal(hex(4_000_000, 0), '8192f40100');
});

test('frames come out the same however the stream is cut', () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });
  fc.assert(
    fc.property(payloads, fc.array(fc.nat(4000), { maxLength: 40 }), (expected, places) => {
      const decoder = new FrameDecoder(300);
      const frames = decodeAll(decoder, cut(concatBytes(...expected.map(frame)), places));
      assert.deepEqual(frames.map(toHex), expected.map(toHex));
      assert.ok(decoder.isIdle);
    }),
  );
});

test('a frame that lies in one chunk is a view, any other has memory of its own', () => {
  const chunk = concatBytes(frame(fromHex('aabb')), frame(fromHex('ccdd')));
  const [first, second] = decodeAll(new FrameDecoder(10), [chunk]);
  assert.equal(first?.buffer, chunk.buffer);
  assert.equal(second?.buffer, chunk.buffer);
  const [pieced] = decodeAll(new FrameDecoder(10), [chunk.subarray(0, 2), chunk.subarray(2, 3)]);
  assert.equal(toHex(pieced ?? END), 'aabb');
  assert.notEqual(pieced?.buffer, chunk.buffer);
  assert.equal(pieced?.buffer.byteLength, 2);
});

test('a large frame in small chunks arrives whole', () => {
  const payload = Uint8Array.from({ length: 1_000_003 }, (_, i) => (i * 31) & 0xff);
  const bytes = frame(payload);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 1400) chunks.push(bytes.subarray(at, at + 1400));
  const [whole] = decodeAll(new FrameDecoder(4_000_000), chunks);
  assert.deepEqual(whole, payload);
  assert.equal(whole?.buffer.byteLength, payload.length);
});

test('a length above the bound is refused as soon as it is read', () => {
  const offence = 'oversized-frame';
  for (const hex of ['81808002', 'e907', 'ffffff7f', '80808080']) {
    const decoder = new FrameDecoder(1000);
    decoder.push(fromHex(hex));
    assert.throws(() => decoder.next(), { name: 'FrameError', offence }, hex);
  }
  const exact = new FrameDecoder(1000);
  exact.push(fromHex('e807'));
  assert.equal(exact.next(), undefined);
});

test('a length with idle bytes is refused', () => {
  for (const hex of ['8000', '808000', '80808000']) {
    const decoder = new FrameDecoder(1000);
    decoder.push(fromHex(hex));
    assert.throws(() => decoder.next(), { name: 'FrameError', offence: 'protocol-violation' }, hex);
  }
});

test('a promised length reserves nothing: memory follows what has arrived', () => {
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 64 }, () => new FrameDecoder(4_000_000));
  for (const decoder of decoders) {
    decoder.push(frameHead(4_000_000));
    assert.equal(decoder.next(), undefined);
    decoder.push(Uint8Array.of(1));
    assert.equal(decoder.next(), undefined);
    assert.ok(!decoder.isIdle);
  }
  // 256 MB were promised; 64 KiB each may be reserved.
  assert.ok(process.memoryUsage().arrayBuffers - before < 32e6);
});

test('a chunk full of empty frames costs nothing until they are taken', () => {
  const decoder = new FrameDecoder(10);
  decoder.push(new Uint8Array(1_000_000));
  assert.equal(decoder.next()?.length, 0);
  assert.throws(() => decoder.push(END), /were not taken/);
});

test('a request needs no end of stream, and a cut one is told from a whole one', async () => {
  let isClosed = false;
  async function* open(): AsyncGenerator<Uint8Array> {
    try {
      yield frame(fromHex('0102'));
      assert.fail('read on behind the request');
    } finally {
      isClosed = true;
    }
  }
  for await (const request of readFrames(open(), 16)) {
    assert.equal(toHex(request), '0102');
    break;
  }
  assert.ok(isClosed);
  assert.deepEqual(await collect(readFrames(chunksOf(), 16)), []);
  for (const hex of ['05', '0501', '80']) {
    await assert.rejects(collect(readFrames(chunksOf(fromHex(hex)), 16)), { name: 'FrameError', offence: undefined });
  }
});

const limits: ResponseLimits = { maxFrameBytes: 10, maxFrames: 3, maxResponseBytes: 20 };
const read = (...chunks: readonly Uint8Array[]): Promise<[number, string][]> =>
  collect(readResponse(chunksOf(...chunks), limits)).then((frames) =>
    frames.map(({ status, payload }) => [status, toHex(payload)]),
  );

test('a response: statuses and payloads in order, up to the end frame and no further', async () => {
  const { ok, notFound, busy, invalidRequest, serverError } = responseStatus;
  const none = new Uint8Array(0);
  const data = fromHex('0a0b');
  assert.deepEqual(await read(answer(ok, data), answer(notFound, none), answer(ok, none), END, fromHex('ff')), [
    [0, '0a0b'],
    [3, ''],
    [0, ''],
  ]);
  assert.deepEqual(await read(END), []);
  for (const status of [busy, invalidRequest, serverError] as const) {
    assert.deepEqual(await read(answer(ok, data), answer(status, none), END), [
      [0, '0a0b'],
      [status, ''],
    ]);
  }
});

test('a response that breaks a rule is refused, with the offence that fits', async () => {
  const none = new Uint8Array(0);
  const refused = async (offence: string | undefined, ...chunks: readonly Uint8Array[]): Promise<void> => {
    await assert.rejects(read(...chunks), (error) => error instanceof FrameError && error.offence === offence);
  };
  const item = answer(0, none);
  await refused('protocol-violation', answer(0, none), fromHex('0105'), END);
  await refused('protocol-violation', item, item, item, item, END);
  await refused('protocol-violation', answer(4, none), item, END);
  await refused('oversized-frame', answer(0, new Uint8Array(11)), END);
  await refused(
    'oversized-frame',
    answer(0, new Uint8Array(10)),
    answer(0, new Uint8Array(10)),
    answer(0, fromHex('00')),
  );
  await refused(undefined);
  await refused(undefined, item);
  await refused(undefined, answer(0, fromHex('0102')).subarray(0, 3));
});

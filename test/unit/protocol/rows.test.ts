/** Walks the tables: each row has a vector, refuses what is cut, too long or malformed, and keeps its own bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '#primitives';
import {
  dhtProtocol,
  networkId,
  offences,
  protocolId,
  type StreamRow,
  streams,
  type TopicRow,
  topics,
} from '#protocol';
import { fromHex, toHex } from '#util';
import { topicId } from '../../../src/protocol/ids.ts';
import type { Codec } from '../../../src/protocol/rows.ts';
import { genesisHash, vectors } from './vectors.ts';

const streamRows: readonly (readonly [string, StreamRow<unknown, unknown>])[] = Object.entries(streams);
const topicRows: readonly (readonly [string, TopicRow<unknown>])[] = Object.entries(topics);
const cases: readonly (readonly [string, { codec: Codec<unknown>; hex: string; value: unknown; maxBytes: number }])[] =
  Object.entries(vectors);

function refuses(codec: Codec<unknown>, bytes: Uint8Array, what: string): void {
  assert.throws(() => codec.decode(bytes), DecodeError, what);
}

test('every codec in the tables has a vector', () => {
  const covered = new Set(cases.map(([, { codec }]) => codec));
  for (const [name, row] of streamRows) {
    assert.ok(covered.has(row.request), `request of ${name}`);
    assert.ok(covered.has(row.response), `response of ${name}`);
  }
  for (const [name, row] of topicRows) assert.ok(covered.has(row.codec), `message of ${name}`);
});

for (const [name, { codec, hex, value, maxBytes }] of cases) {
  test(`${name}: the vector decodes to its value and encodes to the same bytes`, () => {
    const decoded = codec.decode(fromHex(hex));
    assert.equal(toHex(codec.encode(decoded)), hex);
    assert.equal(toHex(codec.encode(value)), hex);
    assert.deepEqual(decoded, value);
  });

  test(`${name}: cut at any byte it is refused`, () => {
    const bytes = fromHex(hex);
    for (let end = 0; end < bytes.length; end++) refuses(codec, bytes.subarray(0, end), `the first ${end} bytes`);
  });

  test(`${name}: bytes too many are refused, except where later revisions may grow`, () => {
    const longer = fromHex(`${hex}00`);
    if (codec === streams.hello.request) assert.deepEqual(codec.decode(longer), value);
    else refuses(codec, longer, 'one byte more');
    const far = new Uint8Array(maxBytes + 1);
    far.set(fromHex(hex));
    refuses(codec, far, 'above the bound of the row');
  });

  test(`${name}: whatever decodes encodes to the same bytes, whatever does not throws DecodeError`, () => {
    const bytes = fromHex(hex);
    const spoilt = fc
      .array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((edits) => {
        const copy = bytes.slice();
        for (const [at, byte] of edits) copy[at] = byte;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), spoilt), (input) => {
        let decoded: unknown;
        try {
          decoded = codec.decode(input);
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error));
          return;
        }
        // A hello loses unsafe characters of the user agent and what later revisions append.
        if (codec === streams.hello.request) assert.deepEqual(codec.decode(codec.encode(decoded)), decoded);
        else assert.equal(toHex(codec.encode(decoded)), toHex(input));
      }),
      { numRuns: 300 },
    );
  });
}

test('a count or length that the bytes do not hold is refused before anything is reserved for it', () => {
  const before = process.memoryUsage();
  // Compact sizes of 32 Mi, 16 Mi and 65,535 at every place of every vector where one may stand.
  for (const [, { codec, hex }] of cases) {
    const bytes = fromHex(hex);
    for (const size of ['fe00000002', 'fe00000001', 'fdffff', 'ffffffffffffffffff']) {
      for (let at = 0; at < bytes.length; at++) {
        const input = fromHex(toHex(bytes.subarray(0, at)) + size + toHex(bytes.subarray(at + 1)));
        try {
          codec.decode(input);
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error));
        }
      }
    }
  }
  const after = process.memoryUsage();
  assert.ok(after.arrayBuffers - before.arrayBuffers < 16e6, 'array buffers stay small');
});

test('one item more than the bound is refused, the bound itself is not', () => {
  const hash = '11'.repeat(32);
  const size = (count: number): string => (count < 0xfd ? toHex(Uint8Array.of(count)) : sizeOf16(count));
  const sizeOf16 = (count: number): string => `fd${toHex(Uint8Array.of(count & 255, count >> 8))}`;
  const bounds: readonly (readonly [Codec<unknown>, number, (count: number) => string])[] = [
    [streams.headers.request, 101, (count) => size(count) + hash.repeat(count) + hash],
    [streams.headers.response, 2000, (count) => size(count) + '22'.repeat(80 * count)],
    [streams.blocks.request, 128, (count) => size(count) + hash.repeat(count)],
    [streams.blocktxn.request, 16_666, (count) => hash + size(count) + '00'.repeat(count)],
    [streams.peers.response, 1000, (count) => size(count) + '0107'.repeat(count)],
    [streams.txs.request, 1000, (count) => size(count) + `01${hash}`.repeat(count)],
  ];
  for (const [codec, bound, hex] of bounds) {
    assert.equal(toHex(codec.encode(codec.decode(fromHex(hex(bound))))), hex(bound));
    refuses(codec, fromHex(hex(bound + 1)), `${bound + 1} items`);
  }
  refuses(streams.blocks.request, fromHex('00'), 'no block asked');
  refuses(streams.txs.request, fromHex('00'), 'no transaction asked');
  refuses(streams.blocktxn.request, fromHex(`${hash}00`), 'no place asked');
  assert.deepEqual(streams.headers.request.decode(fromHex(`00${hash}`)).locator, []);
});

test('rows bound their own largest messages', () => {
  assert.equal(streams.headers.maxRequestBytes, 1 + 102 * 32);
  assert.equal(streams.headers.maxFrameBytes, 3 + 2000 * 80);
  assert.equal(streams.blocks.maxRequestBytes, 1 + 128 * 32);
  assert.equal(streams.txs.maxRequestBytes, 3 + 1000 * 33);
  assert.equal(streams.blocktxn.maxRequestBytes, 32 + 3 + 16_666);
  assert.equal(streams.compact.maxRequestBytes, 32);
  assert.equal(streams.compact.maxFrameBytes, topics.block.maxBytes);
  for (const [name, row] of streamRows) {
    assert.ok(row.maxResponseBytes >= row.maxFrameBytes, name);
    assert.ok(row.maxInboundStreams > row.maxOutboundStreams, name);
    assert.ok(row.quota.burst >= row.cost(Uint8Array.of(0xff)), `${name}: the dearest request fits the burst`);
    assert.ok(row.timeouts.totalMs >= row.timeouts.firstFrameMs, name);
  }
});

test('costs and frame counts are positive integers for any bytes, and follow the items asked', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      for (const [, row] of streamRows) {
        const frames = row.maxFrames(bytes);
        assert.ok(Number.isInteger(frames) && frames >= 1 && frames <= 1000);
        assert.ok(Number.isInteger(row.cost(bytes)) && row.cost(bytes) >= 1);
      }
    }),
  );
  assert.equal(streams.blocks.maxFrames(Uint8Array.of(7)), 7);
  assert.equal(streams.blocks.maxFrames(Uint8Array.of(200)), 128);
  assert.equal(streams.txs.maxFrames(Uint8Array.of(0xfd, 0xe8, 0x03)), 1000);
  assert.equal(streams.txs.cost(Uint8Array.of(0xfd, 0x2c, 0x01)), 300);
  assert.equal(streams.txs.cost(Uint8Array.of(0xfe, 0, 0, 0, 1)), 1000);
});

test('ids carry the network, the name and the major version', () => {
  const net = networkId(genesisHash);
  assert.equal(net, '6fe28c0a');
  assert.equal(protocolId(net, 'hello'), '/starling/6fe28c0a/hello/1');
  assert.equal(protocolId(net, 'blocks', 'kept'), '/starling/6fe28c0a/blocks/1/kept');
  assert.equal(topicId(net, 'block'), '/starling/6fe28c0a/block/1');
  assert.equal(dhtProtocol(net), '/starling/6fe28c0a/kad/1.0.0');
});

test('the tables cannot be changed, and offences are few', () => {
  assert.ok(Object.isFrozen(streams) && Object.isFrozen(topics));
  for (const row of [...Object.values(streams), ...Object.values(topics)]) assert.ok(Object.isFrozen(row));
  assert.ok(Object.keys(offences).length <= 16);
});

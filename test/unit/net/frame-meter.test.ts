import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Uint8ArrayList } from 'uint8arraylist';
import { FrameMeter, MuxerFault } from '../../../src/net/frame-meter.ts';
import type { OffenceName } from '../../../src/protocol/index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { frames, yamuxFrame } from '../../support/yamux-frames.ts';

const MIB = 1 << 20;

function makeMeter() {
  const clock = createManualClock();
  const meter = new FrameMeter(clock, MIB);
  const offenceOf = (...bytes: Uint8Array[]): OffenceName | undefined => {
    try {
      for (const each of bytes) meter.read(each);
      return undefined;
    } catch (error) {
      assert.ok(error instanceof MuxerFault);
      return error.offence;
    }
  };
  return { clock, meter, offenceOf };
}

suite('net muxer frames', () => {
  test('a data frame is refused for its announced length, wherever its head is cut', () => {
    for (const length of [MIB + 1, 2 ** 31, 2 ** 32 - 1]) {
      const head = yamuxFrame({ type: 'data', streamId: 2, length });
      for (let at = 1; at < head.length; at += 1) {
        const { offenceOf } = makeMeter();
        assert.equal(offenceOf(head.subarray(0, at)), undefined);
        assert.equal(offenceOf(head.subarray(at)), 'oversized-frame');
      }
    }
    assert.equal(makeMeter().offenceOf(yamuxFrame({ type: 'data', streamId: 2, length: MIB })), undefined);
  });

  test('the length of a window update or of a ping is none', () => {
    const { offenceOf } = makeMeter();
    assert.equal(offenceOf(yamuxFrame({ type: 'window-update', streamId: 2, length: 2 ** 32 - 1 })), undefined);
    assert.equal(offenceOf(yamuxFrame({ type: 'ping', flags: ['SYN'], length: 2 ** 32 - 1 })), undefined);
  });

  test('data is skipped, in one piece or byte by byte or in a list: what looks like a head in it is none', () => {
    const evil = yamuxFrame({ type: 'data', streamId: 2, length: 2 ** 32 - 1 });
    const innocent = yamuxFrame({ type: 'data', streamId: 2, data: frames(evil, evil, evil) });
    const stream = frames(innocent, innocent);
    assert.equal(makeMeter().offenceOf(stream), undefined);
    const { offenceOf, meter } = makeMeter();
    for (const byte of stream) meter.read(Uint8Array.of(byte));
    meter.read(new Uint8ArrayList(stream.subarray(0, 5), stream.subarray(5, 30), stream.subarray(30)));
    assert.equal(offenceOf(evil), 'oversized-frame', 'it still knows where frames begin');
  });

  test('streams: a thousand at once, then 200 a second', async () => {
    const { clock, offenceOf } = makeMeter();
    const open = (count: number): Uint8Array =>
      frames(
        ...Array.from({ length: count }, () => yamuxFrame({ type: 'window-update', flags: ['SYN'], streamId: 1 })),
      );
    assert.equal(offenceOf(open(1_000)), undefined);
    await clock.advance(500);
    assert.equal(offenceOf(open(100)), undefined);
    assert.equal(offenceOf(open(1)), 'protocol-violation');
    assert.equal(makeMeter().offenceOf(open(1_001)), 'protocol-violation');
  });

  test('pings: a hundred at once, then one a second; answers to ours are none', async () => {
    const { clock, offenceOf } = makeMeter();
    const pings = (count: number, flag: 'SYN' | 'ACK' = 'SYN'): Uint8Array =>
      frames(...Array.from({ length: count }, () => yamuxFrame({ type: 'ping', flags: [flag] })));
    assert.equal(offenceOf(pings(100)), undefined);
    assert.equal(offenceOf(pings(100, 'ACK')), undefined);
    await clock.advance(2_000);
    assert.equal(offenceOf(pings(2)), undefined);
    assert.equal(offenceOf(pings(1)), 'protocol-violation');
  });

  test('frames with nothing in them: 50,000 at once, then 10,000 a second; full ones are not counted', async () => {
    const { clock, offenceOf } = makeMeter();
    const updates = (count: number): Uint8Array =>
      frames(...Array.from({ length: count }, () => yamuxFrame({ type: 'window-update', streamId: 2, length: 9 })));
    for (let round = 0; round < 5; round += 1) assert.equal(offenceOf(updates(10_000)), undefined);
    await clock.advance(100);
    assert.equal(offenceOf(updates(1_000)), undefined);
    const full = yamuxFrame({ type: 'data', streamId: 2, data: new Uint8Array(256) });
    for (let count = 0; count < 1_000; count += 1) assert.equal(offenceOf(full), undefined);
    assert.equal(offenceOf(yamuxFrame({ type: 'data', streamId: 2, data: new Uint8Array(255) })), 'protocol-violation');
  });
});

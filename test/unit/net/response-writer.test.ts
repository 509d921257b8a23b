import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Stream } from '@libp2p/interface';
import type { Uint8ArrayList } from 'uint8arraylist';
import { frameHead } from '#protocol';
import { concatBytes } from '#util';
import { ResponseWriter, type SendOptions } from '../../../src/net/response-writer.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const SEND_BYTES = 1024;

/** Collects what goes out: by a copy at the time of the send, as encryption makes one. */
class Sent {
  readonly sends: Uint8Array[] = [];
  readonly stream = { send: (bytes: Uint8Array) => this.#take(bytes) } as unknown as Stream;
  readonly options = (isTakenWhenSent: boolean): SendOptions => ({
    sendBytes: () => SEND_BYTES,
    send: async (bytes) => this.#take(bytes),
    isTakenWhenSent,
  });

  get sizes(): number[] {
    return this.sends.map(({ length }) => length);
  }

  #take(bytes: Uint8Array | Uint8ArrayList): void {
    this.sends.push(bytes.slice());
  }
}

function payload(bytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => (index * 31 + seed) & 0xff);
}

suite('net response writer', () => {
  for (const isTakenWhenSent of [true, false]) {
    test(`what arrives is what was written, whoever uses its memory next${isTakenWhenSent ? ' (one buffer)' : ''}`, async () => {
      const sent = new Sent();
      const writer = new ResponseWriter(sent.stream, createManualClock(), sent.options(isTakenWhenSent));
      const payloads = [0, 1, 5000, 1024, 1019, 3, 2048, 10, 700, 900].map(payload);
      for (const each of payloads) {
        const given = each.slice();
        await writer.write({ status: 0, payload: given });
        given.fill(0xee);
      }
      await writer.end();
      const expected = payloads.flatMap((each) => [frameHead(each.length, 0), each]);
      assert.deepEqual(Buffer.concat(sent.sends), Buffer.from(concatBytes(...expected, frameHead(0))));
    });
  }

  test('small frames share a send, and what would not fit begins the next', async () => {
    const sent = new Sent();
    const writer = new ResponseWriter(sent.stream, createManualClock(), sent.options(true));
    for (let count = 0; count < 10; count++) await writer.write({ status: 0, payload: payload(300, count) });
    await writer.end();
    assert.deepEqual(sent.sizes, [909, 909, 909, 304]);
  });

  test('a large frame leaves in one send with its head and what was gathered', async () => {
    const sent = new Sent();
    const writer = new ResponseWriter(sent.stream, createManualClock(), sent.options(true));
    await writer.write({ status: 0, payload: payload(100, 1) });
    await writer.write({ status: 0, payload: payload(5000, 2) });
    assert.deepEqual(sent.sizes, [102 + 5003]);
  });

  test('what was gathered leaves soon when nothing follows, and once', async () => {
    const clock = createManualClock();
    const sent = new Sent();
    const writer = new ResponseWriter(sent.stream, clock, sent.options(false));
    await writer.write({ status: 0, payload: payload(100, 1) });
    assert.deepEqual(sent.sizes, []);
    await clock.advance(5);
    assert.deepEqual(sent.sizes, [100 + frameHead(100, 0).length]);
    await writer.end();
    assert.deepEqual(sent.sizes.slice(1), [frameHead(0).length]);
    await clock.advance(50);
    assert.equal(sent.sends.length, 2);
  });

  test('a stream that is gone fails the next write', async () => {
    const clock = createManualClock();
    const sent = new Sent();
    const gone = new Error('the stream is closed');
    const stream = {
      send: () => {
        throw gone;
      },
    } as unknown as Stream;
    const writer = new ResponseWriter(stream, clock, sent.options(false));
    await writer.write({ status: 0, payload: payload(100, 1) });
    await clock.advance(5);
    await assert.rejects(writer.write({ status: 0, payload: payload(1, 1) }), gone);
    await assert.rejects(writer.end(), gone);
  });
});

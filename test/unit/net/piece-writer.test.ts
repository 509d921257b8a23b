import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { suite, test } from 'node:test';
import type { Stream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import { PieceWriter } from '../../../src/net/piece-writer.ts';
import { MIN_PIECE_BYTES, SendTurns } from '../../../src/net/send-turns.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

/** A stream whose link takes what it is given after a while by the clock; as much of `Stream` as writing needs. */
class SlowLink {
  readonly pieces: number[] = [];
  writeBufferLength = 0;
  status = 'open';
  readonly #events = new EventEmitter();
  readonly #clock: ManualClock;
  readonly #bytesPerMs: number;

  constructor(clock: ManualClock, bytesPerMs: number) {
    this.#clock = clock;
    this.#bytesPerMs = bytesPerMs;
  }

  addEventListener(name: string, listener: () => void): void {
    this.#events.on(name, listener);
  }

  removeEventListener(name: string, listener: () => void): void {
    this.#events.off(name, listener);
  }

  send({ byteLength }: Uint8ArrayList): boolean {
    this.pieces.push(byteLength);
    if (this.#bytesPerMs === Number.POSITIVE_INFINITY) return true;
    this.writeBufferLength += byteLength;
    // What the connection tells every stream, this one's bytes or not.
    this.#clock.after(1, () => this.#events.emit('drain'));
    this.#clock.after(byteLength / this.#bytesPerMs, () => {
      this.writeBufferLength -= byteLength;
      this.#events.emit('drain');
    });
    return true;
  }
}

async function writeAll(clock: ManualClock, link: SlowLink, bytes: number): Promise<number[]> {
  const taken: number[] = [];
  const stream = link as unknown as Stream;
  const { signal } = new AbortController();
  const writer = new PieceWriter(stream, 'peer', new SendTurns(), clock, signal, (count) => taken.push(count));
  await clock.runUntil(writer.write(new Uint8ArrayList(new Uint8Array(bytes))));
  return taken;
}

suite('net piece writer', () => {
  test('pieces grow while the link takes them at once', async () => {
    const clock = createManualClock();
    const link = new SlowLink(clock, Number.POSITIVE_INFINITY);
    await writeAll(clock, link, 2_000_000);
    const times = link.pieces.map((bytes) => bytes / MIN_PIECE_BYTES);
    assert.deepEqual(times.slice(0, -1), [1, 2, 4, 8, 16, 32, 32], 'powers of two, up to 512 KiB');
    assert.equal(
      link.pieces.reduce((sum, each) => sum + each, 0),
      2_000_000,
    );
  });

  test('on a link of 10 kB/s something is taken every two seconds', async () => {
    const clock = createManualClock();
    const link = new SlowLink(clock, 10);
    const taken = await writeAll(clock, link, 200_000);
    assert.equal(Math.max(...link.pieces), MIN_PIECE_BYTES);
    assert.deepEqual(taken, link.pieces, 'a drain that took nothing of this stream is no progress');
    assert.ok(clock.monotonicMs() < 21_000, 'nothing is waited for but the link');
  });
});

/**
 * Writes the frames of one response in few sends: each costs about 50 microseconds of encryption and framing here and as
 * much at the other end, and js-yamux answers every data frame with a window update. Small frames are copied together
 * and wait for the next one, for a few milliseconds at most; a large one leaves as it is, behind what was gathered.
 */
import type { Stream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import { frameHead } from '#protocol';
import type { Clock, TimerHandle } from '#util';
import type { ResponseFrame } from './port.ts';

const GATHER_MS = 5;
const LEAST_BUFFER_BYTES = 256;

export type SendOptions = {
  /** How many bytes a send should have now. */
  readonly sendBytes: () => number;
  /** Puts bytes on the stream and waits while the other end is slow. */
  readonly send: (bytes: Uint8ArrayList) => Promise<void>;
  /** What was sent is encrypted when `send` resolves, so that its memory may be used again. */
  readonly isTakenWhenSent: boolean;
};

export class ResponseWriter {
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #options: SendOptions;
  #buffer = new Uint8Array(0);
  #gathered = 0;
  #timer: TimerHandle | undefined;
  #failure: unknown;

  constructor(stream: Stream, clock: Clock, options: SendOptions) {
    this.#stream = stream;
    this.#clock = clock;
    this.#options = options;
  }

  /** Waits while the other end is slow. The payload has been sent then, or there is a copy of it. */
  async write({ payload, status }: ResponseFrame): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const head = frameHead(payload.length, status);
    const size = this.#options.sendBytes();
    const isFull = this.#gathered + head.length + payload.length > size;
    if (isFull && payload.length >= size / 2) {
      await this.#flush(head, payload);
      return;
    }
    if (isFull) await this.#flush();
    this.#gather(head);
    this.#gather(payload);
    this.#timer ??= this.#clock.after(GATHER_MS, this.#flushLate);
  }

  /** Sends the end frame and everything before it. */
  async end(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#flush(frameHead(0));
  }

  /** Forgets what was not sent. */
  discard(): void {
    this.#take();
  }

  #gather(bytes: Uint8Array): void {
    const needed = this.#gathered + bytes.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length, LEAST_BUFFER_BYTES));
      larger.set(this.#buffer.subarray(0, this.#gathered));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#gathered);
    this.#gathered = needed;
  }

  /** Sends what was gathered, and what comes behind it. */
  async #flush(...behind: Uint8Array[]): Promise<void> {
    const gathered = this.#take();
    const parts = gathered === undefined ? behind : [gathered, ...behind];
    if (parts.length === 0) return;
    await this.#options.send(new Uint8ArrayList(...parts));
    // Left to the collector, these would be most of the garbage of serving.
    if (gathered !== undefined && this.#options.isTakenWhenSent) this.#buffer = new Uint8Array(gathered.buffer);
  }

  readonly #flushLate = (): void => {
    const bytes = this.#take();
    try {
      if (bytes !== undefined) this.#stream.send(bytes);
    } catch (error) {
      this.#failure = error;
    }
  };

  #take(): Uint8Array<ArrayBuffer> | undefined {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#gathered === 0) return undefined;
    const bytes = this.#buffer.subarray(0, this.#gathered);
    this.#buffer = new Uint8Array(0);
    this.#gathered = 0;
    return bytes;
  }
}

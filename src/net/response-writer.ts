/**
 * Writes the frames of one response in sends of one size, whatever the frames are: what does not fill a send is copied
 * and waits for the next frame, for a few milliseconds at most. Each send costs about 50 microseconds of encryption and
 * framing here and as much at the other end, and more when it is split: a window is used up in sends of one size without
 * a remainder, and js-yamux answers every data frame with a window update.
 */
import type { Stream } from '@libp2p/interface';
import { frameHead } from '#protocol';
import type { Clock, TimerHandle } from '#util';
import type { ResponseFrame } from './port.ts';

const GATHER_MS = 5;
const LEAST_BUFFER_BYTES = 256;

export type SendOptions = {
  /** How many bytes a send should have now. */
  readonly sendBytes: () => number;
  /** Puts bytes on the stream and waits while the other end is slow. */
  readonly send: (bytes: Uint8Array) => Promise<void>;
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

  /** Waits while the other end is slow. The payload has been sent then, but for its end, of which there is a copy. */
  async write(frame: ResponseFrame): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#put(frameHead(frame.payload.length, frame.status));
    await this.#put(frame.payload);
    if (this.#gathered > 0) this.#timer ??= this.#clock.after(GATHER_MS, this.#flushLate);
  }

  /** Sends the end frame and everything before it. */
  async end(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#put(frameHead(0));
    await this.#flush();
  }

  /** Forgets what was not sent. */
  discard(): void {
    this.#take();
  }

  async #put(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const size = this.#options.sendBytes();
      if (this.#gathered >= size) {
        await this.#flush();
      } else if (this.#gathered === 0 && rest.length >= size) {
        const whole = rest.length - (rest.length % size);
        await this.#options.send(rest.subarray(0, whole));
        rest = rest.subarray(whole);
      } else {
        rest = rest.subarray(this.#gather(rest, size));
      }
    }
    if (this.#gathered >= this.#options.sendBytes()) await this.#flush();
  }

  /** Copies what there is room for in a send of this size; gives how much. */
  #gather(bytes: Uint8Array, size: number): number {
    const part = bytes.subarray(0, size - this.#gathered);
    const needed = this.#gathered + part.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(size, Math.max(needed, 2 * this.#buffer.length, LEAST_BUFFER_BYTES)));
      larger.set(this.#buffer.subarray(0, this.#gathered));
      this.#buffer = larger;
    }
    this.#buffer.set(part, this.#gathered);
    this.#gathered = needed;
    return part.length;
  }

  async #flush(): Promise<void> {
    const bytes = this.#take();
    if (bytes === undefined) return;
    await this.#options.send(bytes);
    // Left to the collector, these would be most of the garbage of serving.
    if (this.#options.isTakenWhenSent) this.#buffer = new Uint8Array(bytes.buffer);
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

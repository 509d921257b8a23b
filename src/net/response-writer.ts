/**
 * Writes the frames of one response. Small frames are gathered into sends of 64 KiB, since each send costs about
 * 50 microseconds of encryption and framing; large payloads go out as they are, but for their beginning. What was gathered
 * leaves after a few milliseconds when nothing follows.
 */
import type { Stream } from '@libp2p/interface';
import { frameHead } from '#protocol';
import type { Clock, TimerHandle } from '#util';
import type { ResponseFrame } from './port.ts';

const GATHER_BYTES = 64 * 1024;
/** From this size on a payload is sent apart. */
export const APART_BYTES = 16 * 1024;
const GATHER_MS = 5;

export class ResponseWriter {
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #send: (bytes: Uint8Array) => Promise<void>;
  #parts: Uint8Array[] = [];
  #gathered = 0;
  #timer: TimerHandle | undefined;
  #failure: unknown;

  /** `send` puts bytes on the stream and waits while the other end is slow. */
  constructor(stream: Stream, clock: Clock, send: (bytes: Uint8Array) => Promise<void>) {
    this.#stream = stream;
    this.#clock = clock;
    this.#send = send;
  }

  /** Takes the payload over: it must not change any more. Waits while the other end is slow. */
  async write(frame: ResponseFrame): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const { payload } = frame;
    this.#gather(frameHead(payload.length, frame.status));
    if (payload.length < APART_BYTES) {
      this.#gather(payload);
      if (this.#gathered >= GATHER_BYTES) await this.#flush();
      else this.#timer ??= this.#clock.after(GATHER_MS, this.#flushLate);
      return;
    }
    // The head alone would cost a send; copying the beginning of the payload costs less.
    const first = payload.subarray(0, GATHER_BYTES - this.#gathered);
    this.#gather(first);
    await this.#flush();
    await this.#send(payload.subarray(first.length));
  }

  /** Sends the end frame and everything before it. */
  async end(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#gather(frameHead(0));
    await this.#flush();
  }

  /** Forgets what was not sent. */
  discard(): void {
    this.#take();
  }

  #gather(part: Uint8Array): void {
    this.#parts.push(part);
    this.#gathered += part.length;
  }

  async #flush(): Promise<void> {
    const bytes = this.#take();
    if (bytes !== undefined) await this.#send(bytes);
  }

  readonly #flushLate = (): void => {
    const bytes = this.#take();
    try {
      if (bytes !== undefined) this.#stream.send(bytes);
    } catch (error) {
      this.#failure = error;
    }
  };

  #take(): Uint8Array | undefined {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#gathered === 0) return undefined;
    const bytes = new Uint8Array(this.#gathered);
    let offset = 0;
    for (const part of this.#parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    this.#parts = [];
    this.#gathered = 0;
    return bytes;
  }
}

/**
 * One request and its response between two nodes in memory: a bounded pipe that the server fills and the asker
 * empties, so that a slow reader slows the server. Either side, or the loss of the connection, ends it once.
 */
import type { ResponseFrame } from '#net';

/** Bytes on their way in one response; a frame that is larger travels alone. */
const WINDOW_BYTES = 1 << 20;

export class MemoryExchange {
  /** Aborted when the exchange ends before its time: what serves it can stop. */
  readonly serverGone = new AbortController();
  readonly #frames: ResponseFrame[] = [];
  #bytes = 0;
  #isComplete = false;
  #error: Error | undefined;
  #waiting: (() => void)[] = [];

  get isOver(): boolean {
    return this.#isComplete || this.#error !== undefined;
  }

  /** Resolves when there is room again, or when it is over. */
  async write(frame: ResponseFrame): Promise<void> {
    while (!this.isOver && this.#bytes > 0 && this.#bytes + frame.payload.length > WINDOW_BYTES) await this.#change();
    if (this.isOver) return;
    this.#bytes += frame.payload.length;
    this.#frames.push(frame);
    this.#changed();
  }

  /** All frames were written. */
  complete(): void {
    this.#isComplete = true;
    this.#changed();
  }

  /** Ends it; what was on its way is lost. The first reason stands. */
  fail(error: Error): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#frames.length = 0;
    this.serverGone.abort(error);
    this.#changed();
  }

  /** The next frame; undefined at the end. Throws what it failed with. */
  async read(): Promise<ResponseFrame | undefined> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const frame = this.#frames.shift();
      if (frame !== undefined) {
        this.#bytes -= frame.payload.length;
        this.#changed();
        return frame;
      }
      if (this.#isComplete) return undefined;
      await this.#change();
    }
  }

  /** The result of `promise`, or undefined as soon as the exchange has failed. */
  async unlessGone<T>(promise: Promise<T>): Promise<T | undefined> {
    promise.catch(() => {});
    for (let result: { readonly value: T } | undefined; this.#error === undefined; ) {
      await Promise.race([
        promise.then((value) => {
          result = { value };
        }),
        this.#change(),
      ]);
      if (result !== undefined) return result.value;
    }
    return undefined;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

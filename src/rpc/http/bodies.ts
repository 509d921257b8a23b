/** Reads the bodies of requests, within a bound for each and for all that are held at once. */
import type { IncomingMessage } from 'node:http';

export class Bodies {
  readonly #maxBytes: number;
  #heldBytes = 0;

  /** Of all bodies that are being read or answered. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * A status where the body is too large or there is no room for it, undefined when the client went away. Who gets a body
   * gives it back. By events: an iterator costs each call a twentieth of its time.
   */
  read(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | 413 | 503 | undefined> {
    const { promise, resolve } = Promise.withResolvers<Uint8Array | 413 | 503 | undefined>();
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (outcome: Uint8Array | 413 | 503 | undefined): void => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      if (!(outcome instanceof Uint8Array)) this.#heldBytes -= length;
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      this.#heldBytes += chunk.length;
      chunks.push(chunk);
      if (length > maxBytes) settle(413);
      else if (this.#heldBytes > this.#maxBytes) settle(503);
    };
    const onEnd = (): void => settle(Buffer.concat(chunks, length));
    const onGone = (): void => settle(undefined);
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
    return promise;
  }

  giveBack(body: Uint8Array): void {
    this.#heldBytes -= body.length;
  }
}

/**
 * One connection to a PUB socket, and what waits for it.
 *
 * A message that finds too much waiting is dropped for this subscriber alone, as ZeroMQ's PUB does; the subscriber sees it by
 * the sequence numbers. What the system took for it does not count as waiting. Nobody waits for a subscriber.
 */
import type { Socket } from 'node:net';
import type { Clock, Logger, TimerHandle } from '#util';
import { Session } from './session.ts';
import { GREETING } from './zmtp.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Given to the socket at a time: small messages go together. */
const WRITE_BYTES = 65_536;
const MAX_SHOWN_CHARS = 32;

export type SubscriberDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether so many bytes may wait for it, beside those that do. */
  readonly mayWait: (subscriber: Subscriber, bytes: number) => boolean;
  readonly onClosed: (subscriber: Subscriber) => void;
};

export class Subscriber {
  readonly #socket: Socket;
  readonly #deps: SubscriberDeps;
  readonly #session: Session;
  readonly #handshakeTimer: TimerHandle;
  #queue: Buffer[] = [];
  #queueBytes = 0;
  #isFlushDue = false;
  #dropped = 0;

  constructor(socket: Socket, deps: SubscriberDeps) {
    this.#socket = socket;
    this.#deps = deps;
    this.#session = new Session({
      reply: (bytes) => this.#reply(bytes),
      onSubscribed: (prefix) => deps.log.debug('subscribed', { topic: prefix.slice(0, MAX_SHOWN_CHARS) }),
    });
    this.#handshakeTimer = deps.clock.after(HANDSHAKE_TIMEOUT_MS, () => this.#refuse('no handshake in time'));
    // As libzmq, and as Core's ZMQ_TCP_KEEPALIVE; neither does anything to a Unix socket.
    socket.setNoDelay(true).setKeepAlive(true);
    socket.on('data', (chunk) => this.#received(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#closed());
    socket.write(GREETING);
  }

  /** Bytes that the system has not taken yet. */
  get waitingBytes(): number {
    return this.#queueBytes + this.#socket.writableLength;
  }

  wants(topic: string): boolean {
    return this.#session.wants(topic);
  }

  /** `maxMessages`: what may wait; 0 for no such bound. */
  send(message: Buffer, maxMessages: number): void {
    if (this.#isFullFor(message, maxMessages)) this.#flush();
    if (this.#isFullFor(message, maxMessages)) {
      if (this.#dropped === 0) this.#deps.log.warn('a ZMQ subscriber is slow: messages for it are dropped');
      this.#dropped++;
      return;
    }
    this.#queue.push(message);
    this.#queueBytes += message.length;
    if (this.#queueBytes >= WRITE_BYTES) this.#flush();
    else this.#flushSoon();
  }

  close(): void {
    this.#socket.destroy();
  }

  #isFullFor({ length }: Buffer, maxMessages: number): boolean {
    return (maxMessages > 0 && this.#queue.length >= maxMessages) || !this.#deps.mayWait(this, length);
  }

  /** After the step in which it was sent: the transactions of a block go together. */
  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  /** As much as the system takes at once, and the rest of one write that the socket keeps. */
  #flush(): void {
    const socket = this.#socket;
    while (this.#queue.length > 0 && socket.writableLength === 0 && !socket.destroyed) {
      const messages = this.#queue.splice(0, this.#nextCount());
      const [only, ...more] = messages;
      // Of small ones a copy is less work than many writes.
      const bytes = only !== undefined && more.length === 0 ? only : Buffer.concat(messages);
      this.#queueBytes -= bytes.length;
      socket.write(bytes, () => this.#flush());
    }
  }

  /** How many messages go together. */
  #nextCount(): number {
    let bytes = 0;
    const end = this.#queue.findIndex(({ length }, index) => {
      bytes += length;
      return index > 0 && bytes > WRITE_BYTES;
    });
    return end === -1 ? this.#queue.length : end;
  }

  #received(chunk: Buffer): void {
    const refusal = this.#session.received(chunk);
    if (refusal !== undefined) this.#refuse(refusal);
    else if (this.#session.isOpen) this.#handshakeTimer.cancel();
  }

  /** A PONG goes only to who reads: else they would pile up. */
  #reply(bytes: Buffer): void {
    if (!this.#session.isOpen || this.#socket.writableLength === 0) this.#socket.write(bytes);
  }

  #refuse(reason: string): void {
    this.#deps.log.debug('a connection was refused', { reason });
    this.#socket.destroy();
  }

  #closed(): void {
    this.#handshakeTimer.cancel();
    this.#queue = [];
    this.#queueBytes = 0;
    if (this.#dropped > 0) this.#deps.log.debug('a slow subscriber has gone', { dropped: this.#dropped });
    this.#deps.onClosed(this);
  }
}

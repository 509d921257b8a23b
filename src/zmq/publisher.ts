/** One of Core's notifiers: a topic at an address, and the number of its next message. */
import type { PubSocket } from './pub-socket.ts';
import { encodeMessage } from './zmtp.ts';

/** In the order in which Core tells them of the same thing (its map of factories). */
export const ZMQ_TOPICS = ['hashblock', 'hashtx', 'rawblock', 'rawtx', 'sequence'] as const;

export type ZmqTopic = (typeof ZMQ_TOPICS)[number];

export class Publisher {
  readonly topic: ZmqTopic;
  readonly #socket: Pick<PubSocket, 'wants' | 'send'>;
  readonly #topicBytes: Buffer;
  /** Also of what nobody subscribes to. */
  #sequence: number;

  constructor(topic: ZmqTopic, socket: Pick<PubSocket, 'wants' | 'send'>, firstSequence = 0) {
    this.topic = topic;
    this.#socket = socket;
    this.#topicBytes = Buffer.from(topic, 'latin1');
    this.#sequence = firstSequence;
  }

  /** The body is asked for only where somebody wants it, and copied. */
  publish(body: () => Uint8Array): void {
    const sequence = this.#sequence;
    // 32 bits, which wrap.
    this.#sequence = (sequence + 1) >>> 0;
    if (!this.#socket.wants(this.topic)) return;
    const tail = Buffer.alloc(4);
    tail.writeUInt32LE(sequence);
    this.#socket.send(this.topic, encodeMessage([this.#topicBytes, body(), tail]));
  }
}

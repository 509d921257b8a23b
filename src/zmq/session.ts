/** What a peer of a PUB socket says: its handshake, and then what it subscribes to. Knows no connection. */
import { encodeCommand, encodeReady, type Frame, parseCommand, readyProperty, ZmtpReader } from './zmtp.ts';

const MAX_SUBSCRIPTIONS = 100;
/** Of a PING: two octets of time to live, then up to 16 of context, which the PONG brings back. */
const PING_TTL_BYTES = 2;
const MAX_PING_CONTEXT_BYTES = 16;
/** First octet of a message that subscribes or cancels: ZMTP 3.0's way, before there were commands for it. */
const SUBSCRIBE = 1;
const CANCEL = 0;

export type SessionDeps = {
  readonly reply: (bytes: Buffer) => void;
  readonly onSubscribed: (prefix: string) => void;
};

/** Why the peer must go; undefined if it may stay. */
type Refusal = string | undefined;

export class Session {
  readonly #deps: SessionDeps;
  readonly #reader = new ZmtpReader();
  #stage: 'greeting' | 'ready' | 'open' = 'greeting';
  /** Prefixes of topics, as Latin-1 text. */
  readonly #subscriptions = new Set<string>();
  /** What follows from them. */
  readonly #wanted = new Map<string, boolean>();
  /** Behind the first part of a message, which says all. */
  #isInMessage = false;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  /** Whether the handshake is done. */
  get isOpen(): boolean {
    return this.#stage === 'open';
  }

  /** `topic`: one of ours, as they are remembered. */
  wants(topic: string): boolean {
    const known = this.#wanted.get(topic);
    if (known !== undefined) return known;
    const isWanted = this.#subscriptions.values().some((prefix) => topic.startsWith(prefix));
    this.#wanted.set(topic, isWanted);
    return isWanted;
  }

  received(chunk: Uint8Array): Refusal {
    this.#reader.push(chunk);
    if (this.#stage === 'greeting') {
      const greeting = this.#reader.greeting();
      if (greeting === 'incomplete') return undefined;
      if (greeting === 'malformed') return 'it does not speak ZMTP 3 without security';
      this.#stage = 'ready';
      this.#deps.reply(encodeReady('PUB'));
    }
    for (;;) {
      const frame = this.#reader.frame();
      if (frame === 'incomplete') return undefined;
      const refusal = frame === 'malformed' ? 'malformed frame' : this.#frame(frame);
      if (refusal !== undefined) return refusal;
    }
  }

  #frame(frame: Frame): Refusal {
    if (this.#stage !== 'open') return this.#ready(frame);
    return frame.isCommand ? this.#command(frame.body) : this.#message(frame);
  }

  #ready({ isCommand, body }: Frame): Refusal {
    const command = isCommand ? parseCommand(body) : undefined;
    const type = command?.name === 'READY' ? readyProperty(command.data, 'Socket-Type') : undefined;
    if (type !== 'SUB' && type !== 'XSUB') return 'it is no subscriber';
    this.#stage = 'open';
    return undefined;
  }

  #command(body: Buffer): Refusal {
    const command = parseCommand(body);
    if (command === undefined) return 'malformed command';
    switch (command.name) {
      case 'SUBSCRIBE':
        return this.#subscribe(command.data);
      case 'CANCEL':
        return this.#cancel(command.data);
      case 'PING':
        return this.#pong(command.data);
      case 'ERROR':
        return 'it tells of an error';
      default:
        // A later version's.
        return undefined;
    }
  }

  #message({ hasMore, body }: Frame): Refusal {
    const isFirst = !this.#isInMessage;
    this.#isInMessage = hasMore;
    if (isFirst && body[0] === SUBSCRIBE) return this.#subscribe(body.subarray(1));
    if (isFirst && body[0] === CANCEL) return this.#cancel(body.subarray(1));
    return undefined;
  }

  #subscribe(prefix: Buffer): Refusal {
    const text = prefix.toString('latin1');
    this.#subscriptions.add(text);
    this.#wanted.clear();
    if (this.#subscriptions.size > MAX_SUBSCRIPTIONS) return `more than ${MAX_SUBSCRIPTIONS} subscriptions`;
    this.#deps.onSubscribed(text);
    return undefined;
  }

  #cancel(prefix: Buffer): Refusal {
    this.#subscriptions.delete(prefix.toString('latin1'));
    this.#wanted.clear();
    return undefined;
  }

  #pong(data: Buffer): Refusal {
    const context = data.subarray(PING_TTL_BYTES);
    if (data.length < PING_TTL_BYTES || context.length > MAX_PING_CONTEXT_BYTES) return 'malformed PING';
    this.#deps.reply(encodeCommand('PONG', context));
    return undefined;
  }
}

/**
 * Answering a peer: reads the one request frame, meters it by its row, lets the node answer, writes the frames. A
 * peer that sends garbage, asks too much, or takes little costs a bounded time and a bounded number of bytes.
 * Peers, not streams, share what serving costs: memory (`FairBudget`), and turns at sending (`SendTurns`). The node is
 * asked for a frame only when there is room for it, so nothing is read from the disk that is not sent next.
 */
import { setMaxListeners } from 'node:events';
import type { Connection, Stream } from '@libp2p/interface';
import { pipe } from 'it-pipe';
import type { Uint8ArrayList } from 'uint8arraylist';
import { FrameError, type OffenceName, readFrames, responseStatus, type StreamName } from '#protocol';
import { assert, type Clock, errorText, type Logger, sleep } from '#util';
import { Deadline } from './deadline.ts';
import { RequestError, toRequestError } from './errors.ts';
import type { ExchangeMeter } from './exchange-meter.ts';
import { FairBudget } from './fair-budget.ts';
import type { NetFigures } from './figures.ts';
import { PieceWriter } from './piece-writer.ts';
import type { PeerIdText, RequestErrorCode, ResponseFrame } from './port.ts';
import { ResponseWriter, type SendOptions } from './response-writer.ts';
import { type StreamLimits, streamLimits } from './rows.ts';
import { MIN_PIECE_BYTES, SendTurns } from './send-turns.ts';
import { abortStream, finishStream, readStream, writeChunk } from './stream-io.ts';
import { PATIENCE, TokenBuckets } from './token-bucket.ts';

/** From the opening of a stream to the last byte of the request. */
const REQUEST_MS = 10_000;
/** From the end of an answer to the last byte of the next request. */
const IDLE_MS = 60_000;
/** A request over its quota waits this long at most; then it is answered `busy`. */
const QUOTA_WAIT_MS = 1_000;
/**
 * Frames between the node and libp2p. Of large responses (rows priced by the byte: blocks) a peer has three frames at
 * a time, as many as a syncing node has requests at most: more streams get it no more. Small responses have room of their own,
 * so that headers never wait behind blocks. Where no frame moved for `shortMs`, the slowest reader is dropped.
 */
const LARGE_BUDGET = { maxBytes: 64 << 20, maxPeerShares: 3, shortMs: 2_000 };
const SMALL_BUDGET = { maxBytes: 16 << 20, maxPeerShares: 8, shortMs: 2_000 };
/** The least that a reader takes in the row's `progressMs`. 1.6 kB/s: a link of 10 kB/s with four streams does more. */
const PROGRESS_BYTES = MIN_PIECE_BYTES;
/** A send of small responses. */
const SMALL_SEND_BYTES = 64 * 1024;
const FREE_FROM_BYTES = 16 * 1024;
/** What may come behind a request while it is answered. Nobody asks ahead; libp2p would hold a window, 256 KiB or more. */
const MAX_AHEAD_BYTES = 64 * 1024;

export type ServeDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly serve: (
    name: StreamName,
    from: PeerIdText,
    request: Uint8Array,
    signal: AbortSignal,
  ) => AsyncIterable<ResponseFrame>;
  /** Resolves to whether the peer was announced to the node; false when it went away first. */
  readonly whenAnnounced: (connection: Connection) => Promise<boolean>;
  readonly charge: (peer: PeerIdText, offence: OffenceName, detail: string) => void;
  readonly meter: ExchangeMeter;
};

export type Server = {
  /** A stream for one exchange. */
  readonly once: (name: StreamName, stream: Stream, connection: Connection) => Promise<void>;
  /** A stream for one exchange after another, until the peer ends it or does not ask again for a minute. */
  readonly repeatedly: (name: StreamName, stream: Stream, connection: Connection) => Promise<void>;
  readonly figures: () => NetFigures['serving'];
  /** Resets every stream that is being served. */
  readonly stop: () => void;
};

/** What all exchanges share. */
type Shared = ServeDeps & {
  readonly quotas: TokenBuckets;
  readonly turns: SendTurns;
  readonly large: FairBudget;
  readonly small: FairBudget;
};

export function createServer(deps: ServeDeps): Server {
  const running = new Set<ServedStream>();
  const dropSlowest = (isLarge: boolean): void => {
    const held = [...running].filter((each) => each.isLarge === isLarge && each.writingMs >= LARGE_BUDGET.shortMs);
    held
      .sort((a, b) => a.bytesPerMs - b.bytesPerMs)[0]
      ?.cut('TIMEOUT', 'others need the room that a slow reader holds');
  };
  const shared: Shared = {
    ...deps,
    quotas: new TokenBuckets(deps.clock),
    turns: new SendTurns(),
    large: new FairBudget(LARGE_BUDGET, deps.clock, () => dropSlowest(true)),
    small: new FairBudget(SMALL_BUDGET, deps.clock, () => dropSlowest(false)),
  };

  const handle = async (
    name: StreamName,
    stream: Stream,
    connection: Connection,
    answer: (served: ServedStream) => Promise<unknown>,
  ): Promise<void> => {
    const served = new ServedStream(shared, name, connection, stream);
    running.add(served);
    const onClose = (): void => served.cut('DISCONNECTED', 'the peer went away');
    stream.addEventListener('close', onClose);
    try {
      await answer(served);
      finishStream(stream, deps.clock);
    } catch (error) {
      abortStream(stream, error);
    } finally {
      running.delete(served);
      stream.removeEventListener('close', onClose);
    }
  };

  return {
    once: (name, stream, connection) => handle(name, stream, connection, (served) => served.answer(REQUEST_MS)),
    repeatedly: (name, stream, connection) =>
      handle(name, stream, connection, async (served) => {
        let isOpen = await served.answer(REQUEST_MS);
        while (isOpen) isOpen = await served.answer(IDLE_MS);
      }),
    figures: () => ({
      large: { heldBytes: shared.large.held, waiting: shared.large.waiting },
      small: { heldBytes: shared.small.held, waiting: shared.small.waiting },
    }),
    stop: () => {
      for (const served of running) served.cut('ABORTED', 'the node stops');
    },
  };
}

/** The exchanges of one stream, one at a time. Throws whatever ends one early: the stream is then reset. */
class ServedStream {
  readonly #shared: Shared;
  readonly #name: StreamName;
  readonly #row: StreamLimits;
  readonly #connection: Connection;
  readonly #peer: PeerIdText;
  readonly #stream: Stream;
  readonly #controller = new AbortController();
  readonly #signal = this.#controller.signal;
  readonly #sendOptions: SendOptions;
  /** The frame that is being written: since when, and how much of it was taken. */
  #writing: { readonly sinceMs: number; taken: number } | undefined;
  #deadline: Deadline | undefined;
  #sinceProgress = 0;

  constructor(shared: Shared, name: StreamName, connection: Connection, stream: Stream) {
    this.#shared = shared;
    this.#name = name;
    this.#row = streamLimits(name);
    this.#connection = connection;
    this.#peer = connection.remotePeer.toString();
    this.#stream = stream;
    // Beyond it libp2p resets the stream while it is not read.
    stream.maxReadBufferLength = MAX_AHEAD_BYTES;
    setMaxListeners(0, this.#signal);
    this.#sendOptions = this.#makeSendOptions();
  }

  get isLarge(): boolean {
    return this.#row.costPerByte > 0;
  }

  /** For how long the frame at hand has been written; 0 between frames. */
  get writingMs(): number {
    return this.#writing === undefined ? 0 : this.#shared.clock.monotonicMs() - this.#writing.sinceMs;
  }

  get bytesPerMs(): number {
    return (this.#writing?.taken ?? 0) / Math.max(1, this.writingMs);
  }

  cut(code: RequestErrorCode, why: string): void {
    this.#controller.abort(new RequestError(code, why));
  }

  /** Answers the next request, which may take so long to come. False: the peer ended the stream instead. */
  async answer(requestMs: number): Promise<boolean> {
    const request = await this.#readRequest(requestMs);
    if (request === undefined) return false;
    const ended = this.#shared.meter.begin(this.#name);
    try {
      ended((await this.#answerTo(request)) ? 'answered' : 'busy');
      return true;
    } catch (error) {
      ended(toRequestError(error).code);
      throw error;
    }
  }

  /** False: the peer asks too much, and was told so. */
  async #answerTo(request: Uint8Array): Promise<boolean> {
    if (!(await this.#shared.whenAnnounced(this.#connection))) throw new RequestError('DISCONNECTED', 'no hello came');
    this.#signal.throwIfAborted();
    const { clock, turns } = this.#shared;
    const deadline = this.#makeDeadline(this.#row.timeouts.progressMs, this.#row.timeouts.totalMs);
    this.#deadline = deadline;
    const leave = this.isLarge ? turns.enter() : undefined;
    const writer = new ResponseWriter(this.#stream, clock, this.#sendOptions);
    try {
      const isAdmitted = await this.#admit(request);
      if (isAdmitted) await this.#respond(request, writer, deadline);
      else await writer.write({ status: responseStatus.busy, payload: new Uint8Array(0) });
      deadline.run();
      await writer.end();
      return isAdmitted;
    } finally {
      deadline.stop();
      writer.discard();
      leave?.();
    }
  }

  #makeSendOptions(): SendOptions {
    if (!this.isLarge) {
      const send = (bytes: Uint8ArrayList) => writeChunk(this.#stream, bytes, this.#signal, this.#onTaken);
      return { sendBytes: () => SMALL_SEND_BYTES, send, isTakenWhenSent: false };
    }
    const { turns, clock } = this.#shared;
    const pieces = new PieceWriter(this.#stream, this.#peer, turns, clock, this.#signal, this.#onTaken);
    return { sendBytes: () => pieces.pieceBytes, send: (bytes) => pieces.write(bytes), isTakenWhenSent: true };
  }

  readonly #onTaken = (bytes: number): void => {
    if (this.#writing !== undefined) this.#writing.taken += bytes;
    this.#sinceProgress += bytes;
    if (this.#sinceProgress < PROGRESS_BYTES && this.#stream.writeBufferLength > 0) return;
    this.#sinceProgress = 0;
    this.#deadline?.progress(this.#row.timeouts.progressMs);
  };

  async #readRequest(withinMs: number): Promise<Uint8Array | undefined> {
    const deadline = this.#makeDeadline(withinMs, withinMs);
    deadline.run();
    try {
      const frames = pipe(readStream(this.#stream, this.#signal), (source) =>
        readFrames(source, this.#row.maxRequestBytes),
      );
      for await (const frame of frames) return frame;
      return undefined;
    } catch (error) {
      if (error instanceof FrameError && this.#connection.status === 'open') {
        this.#shared.charge(this.#peer, error.offence ?? 'stalled', `${this.#name} request: ${error.message}`);
      }
      throw error;
    } finally {
      deadline.stop();
    }
  }

  /** Takes the request's cost from the peer's quota, waiting a little if need be. */
  async #admit(request: Uint8Array): Promise<boolean> {
    const key = `${this.#name} ${this.#peer}`;
    const cost = this.#row.cost(request);
    const waitMs = this.#shared.quotas.waitMs(key, this.#row.quota, cost);
    if (waitMs > 0 && waitMs <= QUOTA_WAIT_MS) await sleep(this.#shared.clock, Math.ceil(waitMs), this.#signal);
    if (this.#shared.quotas.take(key, this.#row.quota, cost)) return true;
    if (!this.#shared.quotas.take(`busy ${this.#peer}`, PATIENCE, 1)) {
      this.#shared.charge(this.#peer, 'quota-exceeded', `${this.#name} requests went on although answered busy`);
    }
    return false;
  }

  async #respond(request: Uint8Array, writer: ResponseWriter, deadline: Deadline): Promise<void> {
    const { large, small, serve } = this.#shared;
    const budget = this.isLarge ? large : small;
    const maxFrames = this.#row.maxFrames(request);
    let iterator: AsyncIterator<ResponseFrame> | undefined;
    try {
      for (let frames = 0; ; frames += 1) {
        // As much as a frame may have, until its size is known.
        const share = await budget.acquire(this.#peer, this.#row.maxFrameBytes, this.#signal);
        try {
          iterator ??= serve(this.#name, this.#peer, request, this.#signal)[Symbol.asyncIterator]();
          const frame = await this.#nextFrame(iterator);
          if (frame === undefined) return;
          assert(frames < maxFrames, `more than ${maxFrames} frames in answer to ${this.#name}`);
          share.resize(frame.payload.length);
          await this.#write(frame, writer, deadline);
          if (frame.status !== responseStatus.ok && frame.status !== responseStatus.notFound) return;
        } finally {
          share.release();
        }
      }
    } finally {
      // Not awaited: a handler that ignores its signal must not keep the stream.
      iterator?.return?.().catch(() => {});
    }
  }

  async #write(frame: ResponseFrame, writer: ResponseWriter, deadline: Deadline): Promise<void> {
    const { quotas, clock } = this.#shared;
    const { length } = frame.payload;
    assert(length <= this.#row.maxFrameBytes, `a ${this.#name} frame of ${length} bytes`);
    quotas.spend(`${this.#name} ${this.#peer}`, this.#row.quota, length * this.#row.costPerByte);
    this.#writing = { sinceMs: clock.monotonicMs(), taken: 0 };
    deadline.run();
    await writer.write(frame);
    deadline.stop();
    this.#writing = undefined;
    // Nothing of it is left in libp2p that is not encrypted. Small ones are not worth the call.
    if (this.isLarge && frame.isExclusive === true && length >= FREE_FROM_BYTES) free(frame.payload);
  }

  /** The node's next frame; undefined at the end. A handler that throws is a server error, and its log line ours. */
  async #nextFrame(iterator: AsyncIterator<ResponseFrame>): Promise<ResponseFrame | undefined> {
    try {
      const result = await orAborted(iterator.next(), this.#signal);
      return result.done === true ? undefined : result.value;
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#shared.log.error('a request could not be answered', { stream: this.#name, error: errorText(error) });
      return { status: responseStatus.serverError, payload: new Uint8Array(0) };
    }
  }

  #makeDeadline(firstMs: number, totalMs: number): Deadline {
    const expire = (what: string): void => this.cut('TIMEOUT', `the time for the ${what} ran out`);
    return new Deadline(this.#shared.clock, firstMs, totalMs, expire);
  }
}

/**
 * Gives the memory back at once. Left to the collector, blocks fill V8's allowance for memory outside of the heap: every
 * thirty or so cost a full collection of some 20 ms.
 */
function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The promise, or a rejection as soon as the signal aborts. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

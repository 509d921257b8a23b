/**
 * Answering a peer: reads the one request frame, meters it by its row, lets the node answer, writes the frames. A
 * peer that sends garbage, asks too much, or takes nothing costs a bounded time and a bounded number of bytes.
 */
import { setMaxListeners } from 'node:events';
import type { Connection, Stream } from '@libp2p/interface';
import { pipe } from 'it-pipe';
import { FrameError, type OffenceName, readFrames, responseStatus, type StreamName } from '#protocol';
import { assert, type Clock, errorText, type Logger, sleep } from '#util';
import { ByteBudget } from './byte-budget.ts';
import { Deadline } from './deadline.ts';
import { RequestError } from './errors.ts';
import type { NetHandlers, PeerIdText, ResponseFrame } from './port.ts';
import { ResponseWriter } from './response-writer.ts';
import { type StreamLimits, streamLimits } from './rows.ts';
import { abortStream, finishStream, readStream } from './stream-io.ts';
import { TokenBuckets } from './token-bucket.ts';

/** From the opening of a stream to the last byte of the request. */
const REQUEST_MS = 10_000;
/** A request over its quota waits this long at most; then it is answered `busy`. */
const QUOTA_WAIT_MS = 1_000;
/** `busy` answers that are no offence yet. */
const PATIENCE = { burst: 20, perSecond: 0.2 };
/** Response bytes that all streams together hold between the node and libp2p. */
const SERVING_BYTES = 64 << 20;
/** Reserved before the node is asked for a frame, when its size is not known yet. */
const FRAME_ESTIMATE = 64 * 1024;

export type ServeDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly serve: NetHandlers['serve'];
  /** Resolves to whether the peer was announced to the node; false when it went away first. */
  readonly whenAnnounced: (connection: Connection) => Promise<boolean>;
  readonly charge: (peer: PeerIdText, offence: OffenceName, detail: string) => void;
};

export type Server = {
  readonly handle: (name: StreamName, stream: Stream, connection: Connection) => Promise<void>;
  /** Resets every stream that is being served. */
  readonly stop: () => void;
};

export function createServer(deps: ServeDeps): Server {
  const running = new Set<AbortController>();
  const quotas = new TokenBuckets(deps.clock);
  const budget = new ByteBudget(SERVING_BYTES);

  return {
    handle: async (name, stream, connection) => {
      const controller = new AbortController();
      setMaxListeners(0, controller.signal);
      running.add(controller);
      const onClose = (): void => controller.abort(new RequestError('DISCONNECTED', 'the peer went away'));
      stream.addEventListener('close', onClose);
      const exchange = new Exchange(deps, quotas, budget, name, connection, stream, controller);
      try {
        await exchange.run();
        finishStream(stream, deps.clock);
      } catch (error) {
        abortStream(stream, error);
      } finally {
        running.delete(controller);
        stream.removeEventListener('close', onClose);
      }
    },
    stop: () => {
      for (const controller of running) controller.abort(new RequestError('ABORTED', 'the node stops'));
    },
  };
}

/** One request and its response. Throws whatever ends it early: the stream is then reset. */
class Exchange {
  readonly #deps: ServeDeps;
  readonly #quotas: TokenBuckets;
  readonly #budget: ByteBudget;
  readonly #name: StreamName;
  readonly #row: StreamLimits;
  readonly #connection: Connection;
  readonly #peer: PeerIdText;
  readonly #stream: Stream;
  readonly #controller: AbortController;
  readonly #signal: AbortSignal;

  constructor(
    deps: ServeDeps,
    quotas: TokenBuckets,
    budget: ByteBudget,
    name: StreamName,
    connection: Connection,
    stream: Stream,
    controller: AbortController,
  ) {
    this.#deps = deps;
    this.#quotas = quotas;
    this.#budget = budget;
    this.#name = name;
    this.#row = streamLimits(name);
    this.#connection = connection;
    this.#peer = connection.remotePeer.toString();
    this.#stream = stream;
    this.#controller = controller;
    this.#signal = controller.signal;
  }

  async run(): Promise<void> {
    const request = await this.#readRequest();
    if (request === undefined || !(await this.#deps.whenAnnounced(this.#connection))) {
      throw new RequestError('DISCONNECTED', 'no request');
    }
    this.#signal.throwIfAborted();
    const writer = new ResponseWriter(this.#stream, this.#deps.clock, this.#signal);
    const deadline = this.#deadline(this.#row.timeouts.progressMs, this.#row.timeouts.totalMs);
    const onDrain = (): void => deadline.progress(this.#row.timeouts.progressMs);
    this.#stream.addEventListener('drain', onDrain);
    try {
      if (await this.#admit(request)) await this.#respond(request, writer, deadline);
      else await writer.write({ status: responseStatus.busy, payload: new Uint8Array(0) });
      deadline.run();
      await writer.end();
    } finally {
      deadline.stop();
      writer.discard();
      this.#stream.removeEventListener('drain', onDrain);
    }
  }

  async #readRequest(): Promise<Uint8Array | undefined> {
    const deadline = this.#deadline(REQUEST_MS, REQUEST_MS);
    deadline.run();
    try {
      const frames = pipe(readStream(this.#stream, this.#signal), (source) =>
        readFrames(source, this.#row.maxRequestBytes),
      );
      for await (const frame of frames) return frame;
      return undefined;
    } catch (error) {
      if (error instanceof FrameError && this.#connection.status === 'open') {
        this.#deps.charge(this.#peer, error.offence ?? 'stalled', `${this.#name} request: ${error.message}`);
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
    const waitMs = this.#quotas.waitMs(key, this.#row.quota, cost);
    if (waitMs > 0 && waitMs <= QUOTA_WAIT_MS) await sleep(this.#deps.clock, Math.ceil(waitMs), this.#signal);
    if (this.#quotas.take(key, this.#row.quota, cost)) return true;
    if (!this.#quotas.take(`busy ${this.#peer}`, PATIENCE, 1)) {
      this.#deps.charge(this.#peer, 'quota-exceeded', `${this.#name} requests went on although answered busy`);
    }
    return false;
  }

  async #respond(request: Uint8Array, writer: ResponseWriter, deadline: Deadline): Promise<void> {
    const source = this.#deps.serve(this.#name, this.#peer, request, this.#signal);
    const iterator = source[Symbol.asyncIterator]();
    const maxFrames = this.#row.maxFrames(request);
    try {
      for (let frames = 0; ; frames += 1) {
        await this.#budget.acquire(FRAME_ESTIMATE, this.#signal);
        let held = FRAME_ESTIMATE;
        try {
          const result = await this.#nextFrame(iterator);
          if (result === undefined) return;
          const { status, payload } = result;
          assert(frames < maxFrames, `more than ${maxFrames} frames in answer to ${this.#name}`);
          assert(payload.length <= this.#row.maxFrameBytes, `a ${this.#name} frame of ${payload.length} bytes`);
          this.#budget.adjust(payload.length - held);
          held = payload.length;
          this.#quotas.spend(`${this.#name} ${this.#peer}`, this.#row.quota, payload.length * this.#row.costPerByte);
          deadline.run();
          await writer.write(result);
          deadline.stop();
          if (status !== responseStatus.ok && status !== responseStatus.notFound) return;
        } finally {
          this.#budget.adjust(-held);
        }
      }
    } finally {
      // Not awaited: a handler that ignores its signal must not keep the stream.
      iterator.return?.().catch(() => {});
    }
  }

  /** The node's next frame; undefined at the end. A handler that throws is a server error, and its log line ours. */
  async #nextFrame(iterator: AsyncIterator<ResponseFrame>): Promise<ResponseFrame | undefined> {
    try {
      const result = await orAborted(iterator.next(), this.#signal);
      return result.done === true ? undefined : result.value;
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#deps.log.error('a request could not be answered', { stream: this.#name, error: errorText(error) });
      return { status: responseStatus.serverError, payload: new Uint8Array(0) };
    }
  }

  #deadline(firstMs: number, totalMs: number): Deadline {
    return new Deadline(this.#deps.clock, firstMs, totalMs, (what) =>
      this.#controller.abort(new RequestError('TIMEOUT', `the time for the ${what} ran out`)),
    );
  }
}

/** The promise, or a rejection as soon as the signal aborts. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

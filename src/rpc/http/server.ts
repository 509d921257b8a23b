/**
 * The HTTP side: who may connect, log in and call; how much is read and how many calls are at work; then `protocol.ts`.
 * Order of the checks as in Core: source address, path, method, login, room in the queue, allowed methods. What is below
 * `/rest/`, if it is served, needs no login; it waits in the same queue.
 *
 * Bounds: connections, bytes of a body and of all bodies at once, calls at work and waiting, logins that failed and wait
 * for their answer, bytes of answers by REST that nobody has taken yet, and the time for that: beyond it the reader is
 * dropped. A client that goes away aborts its call.
 */
import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Clock, errorText, type Logger, sleep } from '#util';
import type { EventFeed } from '../events/event-feed.ts';
import { parseJson } from '../json/parse.ts';
import type { JsonValue } from '../json/value.ts';
import type { RpcOptions } from '../options.ts';
import { answerBody, calledMethods, type Request } from '../protocol.ts';
import type { Rest } from '../rest/rest.ts';
import type { RestAnswer } from '../rest/rest-io.ts';
import { Bodies } from './bodies.ts';
import type { Credentials } from './credentials.ts';
import { EVENTS_PATH, streamEvents } from './event-stream.ts';
import { isFramedClearly, LENIENT_PARSER } from './framing.ts';
import { allowedSources, type Endpoint, isAllowedHost } from './hosts.ts';
import { endAnswer, listenOn } from './listening.ts';
import { WorkQueue } from './work-queue.ts';

/** Core's MAX_SIZE. */
const MAX_BODY_BYTES = 0x0200_0000;
/** Of all bodies that are being read or answered. */
const MAX_BODIES_BYTES = 4 * MAX_BODY_BYTES;
/** Who needs no login sends little: BIP64's message with 15 outpoints has 542 bytes. */
const MAX_REST_BODY_BYTES = 16_384;
/** Of answers by REST that are on their way. */
const MAX_REST_ANSWERS_BYTES = 0x1000_0000;
const REST_PREFIX = '/rest/';
/** Those that Core's server knows. */
const REST_METHODS: readonly (string | undefined)[] = ['GET', 'POST', 'HEAD', 'PUT'];
/** Core's MAX_HEADERS_SIZE. */
const MAX_HEADERS_BYTES = 8_192;
const MAX_CONNECTIONS = 4_096;
const QUEUE_IS_FULL = 'Work queue depth exceeded';
/** After a wrong password, as in Core. */
const AUTH_DELAY_MS = 250;
const MAX_DELAYED = 16;
const MAX_DELAYED_WAITING = 64;
/** Headers of those who were let in; one user may write one in many ways. */
const MAX_GOOD_LOGINS = 100;
/** What a stop waits for calls at work to be answered. */
const STOP_LIMIT_MS = 1_000;

export type RpcHttpDeps = {
  readonly credentials: Credentials;
  readonly call: (request: Request, signal: AbortSignal) => Promise<JsonValue>;
  /** Undefined where REST is not served. */
  readonly rest?: Rest | undefined;
  /** Gives undefined as long as there is no node. */
  readonly events?: () => EventFeed | undefined;
  readonly clock: Clock;
  readonly log: Logger;
};

export class RpcHttpServer implements AsyncDisposable {
  readonly #options: RpcOptions;
  readonly #deps: RpcHttpDeps;
  readonly #isAllowedSource: (address: string) => boolean;
  readonly #work: WorkQueue;
  readonly #failedLogins = new WorkQueue(MAX_DELAYED, MAX_DELAYED_WAITING);
  /** Users by the digests of the headers that proved them: a digest costs less than the proof. */
  readonly #goodLogins = new Map<string, string>();
  readonly #servers: Server[] = [];
  readonly #stopping = new AbortController();
  readonly #answering = new Set<Promise<void>>();
  readonly #atWork = new Set<AbortController>();
  readonly #bodies = new Bodies(MAX_BODIES_BYTES);
  #restBytes = 0;

  constructor(options: RpcOptions, deps: RpcHttpDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#isAllowedSource = allowedSources(options.allowIps);
    this.#work = new WorkQueue(options.threads, options.workQueue);
  }

  /** For a whole request, and for a whole answer by REST. */
  get #transferLimitMs(): number {
    return Math.max(10 * this.#options.serverTimeoutMs, 1);
  }

  /** Gives where it listens. Throws NodeError `NETWORK`; its cause has the system's code. */
  async listen(endpoint: Endpoint): Promise<Endpoint> {
    const { serverTimeoutMs } = this.#options;
    const server = createServer(
      {
        ...LENIENT_PARSER,
        headersTimeout: serverTimeoutMs,
        keepAliveTimeout: serverTimeoutMs,
        requestTimeout: this.#transferLimitMs,
        maxHeaderSize: MAX_HEADERS_BYTES,
        connectionsCheckingInterval: Math.max(1_000, Math.min(serverTimeoutMs, 30_000)),
        // Checked here, for an answer of our own.
        requireHostHeader: false,
      },
      (request, response) => this.#received(request, response),
    );
    server.maxConnections = MAX_CONNECTIONS;
    // Of one that sends no request: what the client did wrong is its own affair.
    server.on('clientError', (_error, socket) => socket.destroy());
    const bound = await listenOn(server, endpoint, 'the RPC server');
    this.#servers.push(server);
    return bound;
  }

  /** Takes no more calls, has those at work end, answers them, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    const reason = new Error('the RPC server stops');
    this.#stopping.abort(reason);
    for (const call of this.#atWork) call.abort(reason);
    const limit = new AbortController();
    const answered = Promise.allSettled(this.#answering).then(() => limit.abort());
    await sleep(this.#deps.clock, STOP_LIMIT_MS, limit.signal).catch(() => answered);
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all(closed);
  }

  #received(request: IncomingMessage, response: ServerResponse): void {
    const answering = this.#answer(request, response).catch((error: unknown) => {
      this.#deps.log.error('a request could not be answered', { error: errorText(error) });
      response.destroy();
    });
    this.#answering.add(answering);
    void answering.finally(() => this.#answering.delete(answering));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { remoteAddress = '' } = request.socket;
    if (!this.#isAllowedSource(remoteAddress)) return endAnswer(request, response, 403, '');
    if (!isFramedClearly(request)) {
      response.setHeader('Connection', 'close');
      return endAnswer(request, response, 400, '');
    }
    if (!isAllowedHost(request.headers.host, this.#options.allowHosts)) {
      return endAnswer(
        request,
        response,
        403,
        'Host not allowed: use an IP address or localhost, or name it in --rpc-allow-host',
      );
    }
    const { rest } = this.#deps;
    if (rest !== undefined && request.url?.startsWith(REST_PREFIX) === true) {
      return this.#answerRest(rest, request, response);
    }
    const { events } = this.#deps;
    if (events !== undefined && request.url === EVENTS_PATH) return this.#answerEvents(events(), request, response);
    if (request.url !== '/') return endAnswer(request, response, 404, '');
    if (request.method !== 'POST') {
      return endAnswer(request, response, 405, 'JSONRPC server handles only POST requests');
    }
    const user = await this.#logIn(request, response, remoteAddress);
    if (user === undefined) return;
    const length = Number(request.headers['content-length'] ?? 0);
    if (length > MAX_BODY_BYTES) return endAnswer(request, response, 413, '');
    const body = await this.#readBody(request, response, MAX_BODY_BYTES);
    if (body === undefined) return;
    await this.#inTurn(request, response, body, () => this.#call(user, body, request, response));
  }

  async #answerEvents(
    events: EventFeed | undefined,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (request.method !== 'GET') return endAnswer(request, response, 405, '');
    const user = await this.#logIn(request, response, request.socket.remoteAddress ?? '');
    if (user === undefined) return;
    if (!this.#deps.credentials.mayCall(user, 'events')) return endAnswer(request, response, 403, '');
    if (events === undefined) return endAnswer(request, response, 503, 'The node is being opened');
    if (events.isFull) return endAnswer(request, response, 503, 'Too many readers of events');
    await streamEvents(events, request, response);
  }

  async #answerRest(rest: Rest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!REST_METHODS.includes(request.method)) return endAnswer(request, response, 405, '');
    const path = request.url?.slice(REST_PREFIX.length) ?? '';
    const body = await this.#readBody(request, response, MAX_REST_BODY_BYTES);
    if (body === undefined) return;
    await this.#inTurn(request, response, body, async () => {
      const answer = await this.#untilGone(response, (signal) => rest({ path, body }, signal));
      if (answer === undefined) endAnswer(request, response, 404, '');
      else this.#sendRest(answer, request, response);
    });
  }

  /** Whoever may connect may ask and not read: what waits for that is bounded, and does not wait for ever. */
  #sendRest({ status, contentType, body }: RestAnswer, request: IncomingMessage, response: ServerResponse): void {
    if (response.destroyed) return;
    const length = Buffer.byteLength(body);
    if (this.#restBytes + length > MAX_REST_ANSWERS_BYTES) {
      endAnswer(request, response, 503, QUEUE_IS_FULL);
      return;
    }
    this.#restBytes += length;
    const limit = this.#deps.clock.after(this.#transferLimitMs, () => response.destroy());
    response.once('close', () => {
      this.#restBytes -= length;
      limit.cancel();
    });
    response.setHeader('Content-Type', contentType);
    endAnswer(request, response, status, body);
  }

  /** Runs the task when there is room, or refuses it; gives the body's bytes back. */
  async #inTurn(
    request: IncomingMessage,
    response: ServerResponse,
    body: Uint8Array,
    task: () => Promise<void>,
  ): Promise<void> {
    try {
      const running = this.#work.run(task);
      if (running === undefined) {
        this.#deps.log.warn(
          'request rejected because http work queue depth exceeded, it can be increased with --rpc-work-queue',
        );
        endAnswer(request, response, 503, QUEUE_IS_FULL);
      }
      await running;
    } finally {
      this.#bodies.giveBack(body);
    }
  }

  /**
   * Undefined when the answer was given here. While the line of failed logins is full, no other is looked at, or guesses
   * beyond it would cost nothing; who was let in before goes past it.
   */
  async #logIn(request: IncomingMessage, response: ServerResponse, address: string): Promise<string | undefined> {
    const { authorization } = request.headers;
    const refuse = (): void => {
      response.setHeader('WWW-Authenticate', 'Basic realm="jsonrpc"');
      endAnswer(request, response, 401, '');
    };
    if (authorization === undefined) {
      refuse();
      return undefined;
    }
    const digest = hash('sha256', authorization);
    const known = this.#goodLogins.get(digest);
    if (known !== undefined) return known;
    if (this.#failedLogins.isFull) {
      endAnswer(request, response, 503, QUEUE_IS_FULL);
      return undefined;
    }
    const user = this.#deps.credentials.userOf(authorization);
    if (user !== undefined) {
      if (this.#goodLogins.size < MAX_GOOD_LOGINS) this.#goodLogins.set(digest, user);
      return user;
    }
    const delay = this.#failedLogins.run(async () => {
      const { clock, log } = this.#deps;
      log.warn('RPC login failed: wrong user or password', { address });
      await sleep(clock, AUTH_DELAY_MS, this.#stopping.signal).catch(() => {});
      refuse();
    });
    await delay;
    return undefined;
  }

  /** Undefined when the client went away, or was refused here. The caller gives it back. */
  async #readBody(
    request: IncomingMessage,
    response: ServerResponse,
    maxBytes: number,
  ): Promise<Uint8Array | undefined> {
    const body = await this.#bodies.read(request, maxBytes);
    if (typeof body !== 'number') return body;
    endAnswer(request, response, body, body === 503 ? QUEUE_IS_FULL : '');
    return undefined;
  }

  async #call(user: string, bytes: Uint8Array, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { credentials, call, log } = this.#deps;
    const body = parseJson(bytes);
    if (!credentials.mayCallAll(user, () => calledMethods(body))) {
      log.warn('RPC user not allowed to call this method', { user: user.slice(0, 80) });
      return endAnswer(request, response, 403, '');
    }
    const { status, body: text } = await this.#untilGone(response, (signal) =>
      answerBody(body, (each) => call(each, signal)),
    );
    if (text !== '') response.setHeader('Content-Type', 'application/json');
    endAnswer(request, response, status, text);
  }

  /** The signal aborts when the client goes away, or the server stops. */
  async #untilGone<T>(response: ServerResponse, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const call = new AbortController();
    if (this.#stopping.signal.aborted) call.abort(this.#stopping.signal.reason);
    const leave = (): void => call.abort(new Error('the client has gone'));
    response.once('close', leave);
    this.#atWork.add(call);
    try {
      return await task(call.signal);
    } finally {
      this.#atWork.delete(call);
      response.off('close', leave);
    }
  }
}

/**
 * The network in a thread of its own, seen from the node's thread. A node that validates for seconds keeps its
 * peers, and encryption runs beside validation. If the thread dies, every request fails, every peer is reported
 * gone, and `onFatal` is called once.
 */
import { setMaxListeners } from 'node:events';
import { Worker } from 'node:worker_threads';
import { assert, type Clock, errorText, type Logger, NodeError } from '#util';
import type { NetDeps } from '../base.ts';
import { RequestError, toRequestError } from '../errors.ts';
import type { MeteredNet, NetFigures } from '../figures.ts';
import { completeOptions, type NetOptions } from '../options.ts';
import type { Net, NetHandlers, NetStatus, PeerIdText } from '../port.ts';
import { FrameReceiver, FrameSender, ownCopy, SERVING_WINDOW_BYTES } from './flow.ts';
import type { FromWorker, ToWorker, WorkerData } from './messages.ts';
import { type OperatorCall, operatorPeersOver } from './operator-calls.ts';

/** Beyond it a thread that does not stop is ended. */
const STOP_MS = 1_800;
/**
 * A tenth of V8's usual room for young objects. Frames and records are memory outside of the heap, which the small
 * collections free too: when they come seldom, V8 collects everything instead, 30 times as dear, for each 30 MB served.
 */
const YOUNG_MEMORY_MB = 5;

/** As `createNet`, in a worker thread. The thread has its own clock and randomness: those of `deps` serve this side only. */
export async function createWorkerNet(given: NetOptions, handlers: NetHandlers, deps: NetDeps): Promise<MeteredNet> {
  const data: WorkerData = { options: completeOptions(given) };
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: data,
    name: 'net',
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEMORY_MB },
  });
  const client = new WorkerClient(worker, handlers, deps.log, given.onFatal ?? (() => {}));
  const peerId = await client.ready;
  return {
    peerId,
    status: () => client.status(),
    figures: () => client.figures(deps.clock),
    request: (peer, name, request, signal) => client.request(peer, name, request, signal),
    publish: (topic, message) => client.publish(topic, message),
    charge: (peer, offence, detail) => client.post({ kind: 'charge', peer, offence, detail: detail.slice(0, 200) }),
    disconnect: (peer, reason) => client.post({ kind: 'disconnect', peer, reason }),
    confirmPeer: (peer, relaysTransactions) => client.post({ kind: 'confirm', peer, relaysTransactions }),
    noteUseful: (peer, what) => client.post({ kind: 'useful', peer, what }),
    noteChain: (news) => client.post({ kind: 'chain', news }),
    peers: operatorPeersOver((call) => client.operate(call)),
    [Symbol.asyncDispose]: () => client.stop(),
  };
}

type Call = {
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: Error) => void;
};
type Serving = { readonly sender: FrameSender; readonly controller: AbortController };

class WorkerClient {
  readonly #worker: Worker;
  readonly #handlers: NetHandlers;
  readonly #log: Logger;
  readonly #onFatal: (error: Error) => void;
  readonly #ready = Promise.withResolvers<PeerIdText>();
  readonly #calls = new Map<number, Call>();
  readonly #asking = new Map<number, FrameReceiver>();
  readonly #serving = new Map<number, Serving>();
  readonly #peers = new Set<PeerIdText>();
  #lastId = 0;
  #sent = 0;
  #received = 0;
  #state: 'starting' | 'running' | 'stopping' | 'dead' = 'starting';
  #stopped: Promise<void> | undefined;

  constructor(worker: Worker, handlers: NetHandlers, log: Logger, onFatal: (error: Error) => void) {
    this.#worker = worker;
    this.#handlers = handlers;
    this.#log = log;
    this.#onFatal = onFatal;
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('messageerror', (error) => this.#die(error));
    worker.on('error', (error) => this.#die(error));
    worker.on('exit', (code) => this.#die(new NodeError('NETWORK', `the network thread ended with code ${code}`)));
  }

  get ready(): Promise<PeerIdText> {
    return this.#ready.promise;
  }

  post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#state === 'dead') return;
    this.#sent += 1;
    this.#worker.postMessage(message, [...transfer]);
  }

  async status(): Promise<NetStatus> {
    const reply = await this.#call((id) => this.post({ kind: 'status', id }));
    assert(reply.kind === 'status', `a reply of kind ${reply.kind} to status`);
    return reply.status;
  }

  async figures(clock: Clock): Promise<NetFigures> {
    const askedMs = clock.monotonicMs();
    const reply = await this.#call((id) => this.post({ kind: 'figures', id }));
    assert(reply.kind === 'figures', `a reply of kind ${reply.kind} to figures`);
    const messages = { toNet: this.#sent, fromNet: this.#received };
    return { ...reply.figures, thread: { ...reply.thread, answerMs: clock.monotonicMs() - askedMs, messages } };
  }

  async publish(...[topic, message]: Parameters<Net['publish']>): Promise<number> {
    const data = ownCopy(message);
    const reply = await this.#call((id) => this.post({ kind: 'publish', id, topic, data }, [data.buffer]));
    assert(reply.kind === 'published', `a reply of kind ${reply.kind} to publish`);
    return reply.recipients;
  }

  async operate(call: OperatorCall): Promise<unknown> {
    const reply = await this.#call((id) => this.post({ kind: 'operate', id, call }));
    assert(reply.kind === 'operated', `a reply of kind ${reply.kind} to ${call.name}`);
    return reply.answer;
  }

  async *request(...[peer, name, request, signal]: Parameters<Net['request']>): ReturnType<Net['request']> {
    if (signal.aborted) throw new RequestError('ABORTED', 'given up before it was sent');
    if (this.#state !== 'running') throw new RequestError('DISCONNECTED', 'the network has stopped');
    const id = this.#nextId();
    const onAbort = (): void => receiver.fail(new RequestError('ABORTED', 'given up'));
    const receiver = new FrameReceiver(
      (bytes) => this.post({ kind: 'request-credit', id, bytes }),
      (isComplete) => {
        signal.removeEventListener('abort', onAbort);
        this.#asking.delete(id);
        if (!isComplete) this.post({ kind: 'request-cancel', id });
      },
    );
    this.#asking.set(id, receiver);
    setMaxListeners(0, signal);
    signal.addEventListener('abort', onAbort);
    const bytes = ownCopy(request);
    this.post({ kind: 'request', id, peer, name, bytes }, [bytes.buffer]);
    yield* receiver;
  }

  /** Stops the thread in order, or ends it. Never rejects. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    if (this.#state === 'dead') return;
    this.#state = 'stopping';
    const stopped = this.#call((id) => this.post({ kind: 'stop', id })).catch(() => {});
    let timer: NodeJS.Timeout | undefined;
    const cut = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_MS);
    });
    await Promise.race([stopped, cut]);
    clearTimeout(timer);
    await this.#worker.terminate();
    this.#release(new RequestError('ABORTED', 'the network stopped'));
  }

  #call(send: (id: number) => void): Promise<FromWorker> {
    if (this.#state === 'dead') return Promise.reject(new NodeError('NETWORK', 'the network thread has died'));
    return new Promise((resolve, reject) => {
      const id = this.#nextId();
      this.#calls.set(id, { resolve, reject });
      send(id);
    });
  }

  readonly #on: { readonly [K in FromWorker['kind']]: (message: Extract<FromWorker, { kind: K }>) => void } = {
    ready: ({ peerId }) => {
      this.#state = 'running';
      this.#ready.resolve(peerId);
    },
    fatal: ({ code, text }) => this.#die(new NodeError(code, text)),
    status: (message) => this.#reply(message),
    figures: (message) => this.#reply(message),
    published: (message) => this.#reply(message),
    operated: (message) => this.#reply(message),
    stopped: (message) => this.#reply(message),
    'call-failed': (message) => this.#reply(message),
    connected: ({ peer }) => {
      this.#peers.add(peer.id);
      this.#handlers.peerConnected(peer);
    },
    disconnected: ({ peer, reason }) => {
      this.#peers.delete(peer);
      this.#handlers.peerDisconnected(peer, reason);
    },
    response: ({ batch }) => this.#asking.get(batch.id)?.receive(batch),
    serve: (message) => this.#serve(message),
    'serve-credit': ({ id, bytes }) => this.#serving.get(id)?.sender.credit(bytes),
    'serve-abort': ({ id }) => {
      this.#serving.get(id)?.controller.abort(new RequestError('DISCONNECTED', 'the peer went away'));
      this.#serving.get(id)?.sender.close();
    },
    gossip: (message) => void this.#judge(message),
    'gossip-copy': ({ topic, from, data }) => this.#handlers.gossipCopy?.({ topic, from, data }),
    log: ({ level, module, text, fields }) => this.#log.child(module)[level](text, fields),
  };

  #receive(message: FromWorker): void {
    this.#received += 1;
    const handle = this.#on[message.kind] as (message: FromWorker) => void;
    handle(message);
  }

  #reply(
    message: Extract<FromWorker, { kind: 'status' | 'figures' | 'published' | 'operated' | 'stopped' | 'call-failed' }>,
  ): void {
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    if (message.kind === 'call-failed') call?.reject(new NodeError('NETWORK', message.text));
    else call?.resolve(message);
  }

  #serve(message: Extract<FromWorker, { kind: 'serve' }>): void {
    const { id, name, from, request } = message;
    const controller = new AbortController();
    const sender = new FrameSender(id, {
      windowBytes: SERVING_WINDOW_BYTES,
      total: undefined,
      post: (batch, transfer) => this.post({ kind: 'serve-frames', batch }, transfer),
      ownsPayloads: false,
    });
    this.#serving.set(id, { sender, controller });
    const handlers = this.#handlers;
    // A generator, so that a handler that throws at once fails this exchange and not the thread.
    const frames = (async function* () {
      yield* handlers.serve(name, from, request, controller.signal);
    })();
    void sender
      .run(frames, controller.signal, (error) => ({
        kind: 'failed',
        code: toRequestError(error).code,
        text: errorText(error),
      }))
      .finally(() => this.#serving.delete(id));
  }

  async #judge(message: Extract<FromWorker, { kind: 'gossip' }>): Promise<void> {
    const { id, topic, from, data } = message;
    try {
      this.post({ kind: 'verdict', id, verdict: await this.#handlers.gossip({ topic, from, data }) });
    } catch (error) {
      this.#log.error('a gossip message could not be judged', { topic, error: errorText(error) });
      this.post({ kind: 'verdict', id, verdict: 'ignore' });
    }
  }

  #die(error: Error): void {
    if (this.#state === 'dead') return;
    const before = this.#state;
    this.#state = 'dead';
    void this.#worker.terminate();
    const reason = new NodeError('NETWORK', `the network thread died: ${errorText(error)}`, { cause: error });
    this.#ready.reject(error instanceof NodeError ? error : reason);
    for (const call of this.#calls.values()) call.reject(reason);
    this.#calls.clear();
    this.#release(new RequestError('DISCONNECTED', 'the network thread died'));
    if (before === 'running') this.#onFatal(reason);
  }

  /** Ends every exchange and reports every peer gone. */
  #release(error: RequestError): void {
    for (const receiver of this.#asking.values()) receiver.fail(error);
    for (const { controller, sender } of this.#serving.values()) {
      controller.abort(error);
      sender.close();
    }
    for (const peer of this.#peers) this.#handlers.peerDisconnected(peer, error.message);
    this.#peers.clear();
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}

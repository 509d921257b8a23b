/**
 * The network's thread: runs the in-process network and speaks messages with the node's thread. The node's handlers
 * are on the other side; what waits for them here is bounded by credit, by gossip's queues and by the streams.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { ThreadMeter } from '#meter';
import { assert, errorText, NodeError, systemClock, systemRandom } from '#util';
import { ByteBudget } from '../byte-budget.ts';
import { RequestError, toRequestError } from '../errors.ts';
import type { MeteredNet } from '../figures.ts';
import { createNet } from '../net.ts';
import type { GossipVerdict, Net, NetHandlers } from '../port.ts';
import { FrameReceiver, FrameSender, ownCopy, TOTAL_BYTES } from './flow.ts';
import { forwardingLogger } from './forwarding-logger.ts';
import type { FromWorker, Post, ThreadShare, ToWorker, WorkerData } from './messages.ts';
import { perform } from './operator-calls.ts';
import { guardThread } from './thread-guard.ts';

type Asking = { readonly sender: FrameSender; readonly controller: AbortController };

class NetThread {
  readonly #post: Post<FromWorker>;
  readonly #total = new ByteBudget(TOTAL_BYTES);
  readonly #asking = new Map<number, Asking>();
  readonly #serving = new Map<number, FrameReceiver>();
  readonly #judging = new Map<number, (verdict: GossipVerdict) => void>();
  readonly #meter = new ThreadMeter();
  #lastId = 0;

  constructor(post: Post<FromWorker>) {
    this.#post = post;
  }

  /** The node's handlers, as seen from here. */
  readonly handlers: NetHandlers = {
    peerConnected: (peer) => this.#post({ kind: 'connected', peer }),
    peerDisconnected: (peer, reason) => this.#post({ kind: 'disconnected', peer, reason }),
    serve: (name, from, request, signal) => {
      const id = this.#nextId();
      const onAbort = (): void => receiver.fail(new RequestError('ABORTED', 'the exchange was cut'));
      const receiver = new FrameReceiver(
        (bytes) => this.#post({ kind: 'serve-credit', id, bytes }),
        (isComplete) => {
          signal.removeEventListener('abort', onAbort);
          this.#serving.delete(id);
          if (!isComplete) this.#post({ kind: 'serve-abort', id });
        },
        true,
      );
      this.#serving.set(id, receiver);
      signal.addEventListener('abort', onAbort);
      const bytes = ownCopy(request);
      this.#post({ kind: 'serve', id, name, from, request: bytes }, [bytes.buffer]);
      return receiver;
    },
    gossip: ({ topic, from, data }) =>
      new Promise((resolve) => {
        const id = this.#nextId();
        this.#judging.set(id, resolve);
        const bytes = ownCopy(data);
        this.#post({ kind: 'gossip', id, topic, from, data: bytes }, [bytes.buffer]);
      }),
    gossipCopy: ({ topic, from, data }) => {
      const bytes = ownCopy(data);
      this.#post({ kind: 'gossip-copy', topic, from, data: bytes }, [bytes.buffer]);
    },
  };

  /** What to do with each message, once the network runs. */
  listener(net: MeteredNet): (message: ToWorker) => void {
    const handlers: { readonly [K in ToWorker['kind']]: (message: Extract<ToWorker, { kind: K }>) => void } = {
      status: ({ id }) => this.#answer(id, async () => ({ kind: 'status', id, status: await net.status() })),
      figures: ({ id }) =>
        this.#answer(id, async () => ({ kind: 'figures', id, figures: await net.figures(), thread: this.#share() })),
      publish: ({ id, topic, data }) =>
        this.#answer(id, async () => ({ kind: 'published', id, recipients: await net.publish(topic, data) })),
      operate: ({ id, call }) =>
        this.#answer(id, async () => ({ kind: 'operated', id, answer: await perform(net.peers, call) })),
      stop: ({ id }) =>
        this.#answer(id, async () => {
          await net[Symbol.asyncDispose]();
          this.#meter[Symbol.dispose]();
          return { kind: 'stopped', id };
        }),
      request: (request) => void this.#ask(net, request),
      'request-credit': ({ id, bytes }) => this.#asking.get(id)?.sender.credit(bytes),
      'request-cancel': ({ id }) => {
        this.#asking.get(id)?.controller.abort(new RequestError('ABORTED', 'given up'));
        this.#asking.get(id)?.sender.close();
      },
      'serve-frames': ({ batch }) => this.#serving.get(batch.id)?.receive(batch),
      verdict: ({ id, verdict }) => {
        this.#judging.get(id)?.(verdict);
        this.#judging.delete(id);
      },
      charge: ({ peer, offence, detail }) => net.charge(peer, offence, detail),
      disconnect: ({ peer, reason }) => net.disconnect(peer, reason),
      confirm: ({ peer, relaysTransactions }) => net.confirmPeer(peer, relaysTransactions),
      useful: ({ peer, what }) => net.noteUseful(peer, what),
      chain: ({ news }) => net.noteChain(news),
    };
    return (message) => {
      const handle = handlers[message.kind] as (message: ToWorker) => void;
      handle(message);
    };
  }

  #share(): ThreadShare {
    return {
      use: this.#meter.figures(),
      judging: this.#judging.size,
      asking: this.#asking.size,
      serving: this.#serving.size,
      windowBytes: this.#total.held,
    };
  }

  async #ask(net: Net, message: Extract<ToWorker, { kind: 'request' }>): Promise<void> {
    const { id, peer, name, bytes } = message;
    const controller = new AbortController();
    const sender = new FrameSender(id, {
      total: this.#total,
      post: (batch, transfer) => this.#post({ kind: 'response', batch }, transfer),
      ownsPayloads: true,
    });
    this.#asking.set(id, { sender, controller });
    await sender.run(net.request(peer, name, bytes, controller.signal), controller.signal, (error) => {
      const { code, message: text } = toRequestError(error);
      return { kind: 'failed', code, text };
    });
    this.#asking.delete(id);
  }

  #answer(id: number, call: () => Promise<FromWorker>): void {
    call().then(
      (reply) => this.#post(reply),
      (error: unknown) => this.#post({ kind: 'call-failed', id, text: errorText(error) }),
    );
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}

async function main(): Promise<void> {
  const port = parentPort;
  assert(!isMainThread && port !== null, 'the network thread was not started as a thread');
  const post: Post<FromWorker> = (message, transfer = []) => port.postMessage(message, [...transfer]);
  const log = forwardingLogger(post, systemClock);
  const fail = (error: unknown): void => {
    const code = error instanceof NodeError ? error.code : 'NETWORK';
    post({ kind: 'fatal', code, text: errorText(error) });
  };
  guardThread({ clock: systemClock, log, fail });
  const thread = new NetThread(post);
  const { options } = workerData as WorkerData;
  try {
    const net = await createNet(options, thread.handlers, { clock: systemClock, random: systemRandom, log });
    port.on('message', thread.listener(net));
    post({ kind: 'ready', peerId: net.peerId });
  } catch (error) {
    fail(error);
  }
}

await main();

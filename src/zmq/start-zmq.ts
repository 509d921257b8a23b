/** Opens the sockets of all publishers, before there is a node to speak of: what cannot be opened stops the start. */
import type { Clock, Logger } from '#util';
import { isLocal, parseZmqAddress, type ZmqAddress, zmqAddressText } from './address.ts';
import { Notifier, type WatchedNode } from './notifier.ts';
import { PubSocket } from './pub-socket.ts';
import { Publisher, ZMQ_TOPICS, type ZmqTopic } from './publisher.ts';
import { Subscribers } from './subscribers.ts';

/** A topic: where it is published, and how many messages may wait for a subscriber (ZMQ_SNDHWM). */
export type TopicOptions = { readonly addresses: readonly string[]; readonly highWaterMark: number };

export type ZmqOptions = Readonly<Record<ZmqTopic, TopicOptions>>;

export type ZmqDeps = { readonly clock: Clock; readonly log: Logger };

/** What getzmqnotifications says of one. */
export type ZmqNotification = { readonly type: string; readonly address: string; readonly hwm: number };

export type ZmqServer = AsyncDisposable & {
  readonly notifications: readonly ZmqNotification[];
  /** Publishes what happens in the node from now on, until what this gives is disposed. */
  readonly follow: (node: WatchedNode) => Disposable;
};

type Wanted = { readonly topic: ZmqTopic; readonly address: ZmqAddress; readonly highWaterMark: number };

/** Throws NodeError: `BAD_CONFIG` for an address that is none, `NETWORK` for one that cannot be used. */
export async function startZmq(options: ZmqOptions, deps: ZmqDeps): Promise<ZmqServer> {
  const wanted = wantedPublishers(options);
  await using stack = new AsyncDisposableStack();
  const sockets = await openSockets(wanted, deps, stack);
  const made = wanted.flatMap(({ topic, address, highWaterMark }) => {
    const socket = sockets.get(zmqAddressText(address));
    if (socket === undefined) return [];
    const notification = { type: `pub${topic}`, address: zmqAddressText(socket.address), hwm: highWaterMark };
    return [{ publisher: new Publisher(topic, socket), notification }];
  });
  const resources = stack.move();
  const publishers = made.map(({ publisher }) => publisher);
  return {
    notifications: made.map(({ notification }) => notification),
    follow: (node) => new Notifier(node, publishers),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** In Core's order. */
function wantedPublishers(options: ZmqOptions): readonly Wanted[] {
  return ZMQ_TOPICS.flatMap((topic) => {
    const { addresses, highWaterMark } = options[topic];
    return addresses.map((text) => ({ topic, address: parseZmqAddress(text, `zmqpub${topic}`), highWaterMark }));
  });
}

/** One for each address, whatever number of topics it has. */
async function openSockets(
  wanted: readonly Wanted[],
  deps: ZmqDeps,
  stack: AsyncDisposableStack,
): Promise<ReadonlyMap<string, PubSocket>> {
  const subscribers = new Subscribers();
  const sockets = new Map<string, PubSocket>();
  for (const { address } of wanted) {
    const text = zmqAddressText(address);
    if (sockets.has(text)) continue;
    const marks = wanted.filter((each) => zmqAddressText(each.address) === text).map((each) => each.highWaterMark);
    if (!isLocal(address)) {
      deps.log.warn('whoever reaches this address is told of blocks and transactions, without a login', {
        address: text,
      });
    }
    // 0 is more than any other.
    const highWaterMark = marks.includes(0) ? 0 : Math.max(...marks);
    sockets.set(text, stack.use(await PubSocket.listen(address, highWaterMark, { ...deps, subscribers })));
  }
  return sockets;
}

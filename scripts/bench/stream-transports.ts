/**
 * Three ways to carry messages from one process to another over loopback: bare TCP, a bare libp2p stream with the
 * settings that `net` uses, and `net` itself, which serves them as blocks. The receiver says how many of what size.
 */
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Libp2p, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import * as lengthPrefixed from 'it-length-prefixed';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import { createNet, createWorkerNet, type Net, type NetHandlers, type NetOptions, type PeerInfo } from '#net';
import { blockHashFromBytes } from '#primitives';
import { streams } from '#protocol';
import { assert, nullLogger, sleep, systemClock, systemRandom } from '#util';
import { openMessageFile } from './message-file.ts';

export type Order = { readonly messages: number; readonly messageBytes: number };

export type Sender = AsyncDisposable & { readonly address: string };
export type Receiver = AsyncDisposable & {
  /** Fetches messages and gives the bytes of their payloads. */
  readonly receive: (order: Order) => Promise<number>;
};

export type Transport = {
  readonly listen: () => Promise<Sender>;
  readonly connect: (address: string) => Promise<Receiver>;
};

export const TRANSPORTS = {
  tcp: { listen: listenTcp, connect: receiveTcp },
  libp2p: { listen: () => listenLibp2p(samePattern), connect: receiveLibp2p },
  'libp2p-file': { listen: () => listenLibp2p(openMessageFile), connect: receiveLibp2p },
  net: netTransport(createNet),
  'net-worker': netTransport(createWorkerNet),
} satisfies Readonly<Record<string, Transport>>;

export type TransportName = keyof typeof TRANSPORTS;

const LARGEST_MESSAGE = 4_000_000;
const PATTERN = randomFillSync(new Uint8Array(LARGEST_MESSAGE));
const ORDER_BYTES = 8;

function encodeOrder({ messages, messageBytes }: Order): Uint8Array {
  const bytes = new Uint8Array(ORDER_BYTES);
  new DataView(bytes.buffer).setUint32(0, messages);
  new DataView(bytes.buffer).setUint32(4, messageBytes);
  return bytes;
}

function decodeOrder(bytes: Uint8Array): Order {
  const view = new DataView(bytes.buffer, bytes.byteOffset, ORDER_BYTES);
  return { messages: view.getUint32(0), messageBytes: view.getUint32(4) };
}

async function listenTcp(): Promise<Sender> {
  const server = createServer((socket) => {
    socket.once('data', (data) => void sendTcp(socket, decodeOrder(data)).catch(() => socket.destroy()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(typeof address === 'object' && address !== null, 'a TCP server has an address');
  return {
    address: String(address.port),
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}

async function sendTcp(socket: Socket, { messages, messageBytes }: Order): Promise<void> {
  const message = PATTERN.subarray(0, messageBytes);
  for (let sent = 0; sent < messages; sent++) if (!socket.write(message)) await once(socket, 'drain');
  socket.end();
}

async function receiveTcp(address: string): Promise<Receiver> {
  return {
    receive: async (order) => {
      const socket = connectTcp(Number(address), '127.0.0.1');
      socket.write(encodeOrder(order));
      let bytes = 0;
      for await (const chunk of socket) bytes += (chunk as Uint8Array).length;
      return bytes;
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

const PROTOCOL = '/starling-bench/1';
const HIGH_WATER = 1 << 20;

/** Transport, encryption and multiplexing as `src/net/host.ts` sets them, and no service unless it is asked for. */
export function bareLibp2p(listen: readonly string[], services: Libp2pOptions['services'] = {}): Promise<Libp2p> {
  return createLibp2p({
    services,
    addresses: { listen: [...listen] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        streamOptions: {
          maxStreamWindowSize: 1 << 20,
          maxReadBufferLength: 4 << 20,
          maxWriteBufferLength: 32 << 20,
        },
      }),
    ],
    connectionMonitor: { enabled: false },
    // libp2p's five a second from one address are too few for many askers in one process.
    connectionManager: { inboundConnectionThreshold: 1_000 },
  });
}

/** Gives the message of this place. Disposed of with the sender. */
type Messages = AsyncDisposable & { readonly read: (place: number, bytes: number) => Promise<Uint8Array> };

const samePattern = async (): Promise<Messages> => ({
  read: async (_place, bytes) => PATTERN.subarray(0, bytes),
  [Symbol.asyncDispose]: async () => {},
});

async function listenLibp2p(open: () => Promise<Messages>): Promise<Sender> {
  const messages = await open();
  const host = await bareLibp2p(['/ip4/127.0.0.1/tcp/0']);
  let opened = 0;
  await host.handle(PROTOCOL, (stream) => {
    const onOrder = (event: { readonly data: { subarray(): Uint8Array } }): void => {
      stream.removeEventListener('message', onOrder);
      const order = decodeOrder(event.data.subarray());
      // The two streams of a connection send other messages, as two batches are other blocks.
      const first = (opened++ % 2) * order.messages;
      sendLibp2p(stream, order, first, messages).catch((error) => stream.abort(error));
    };
    stream.addEventListener('message', onOrder);
  });
  const [address] = host.getMultiaddrs();
  assert(address !== undefined, 'the bare node listens');
  return {
    address: address.toString(),
    [Symbol.asyncDispose]: async () => {
      await host.stop();
      await messages[Symbol.asyncDispose]();
    },
  };
}

async function sendLibp2p(stream: Stream, order: Order, first: number, messages: Messages): Promise<void> {
  for (let sent = 0; sent < order.messages; sent++) {
    stream.send(lengthPrefixed.encode.single(await messages.read(first + sent, order.messageBytes)));
    while (stream.writeBufferLength > HIGH_WATER) await once(stream, 'drain');
  }
  await stream.close();
}

async function receiveLibp2p(address: string): Promise<Receiver> {
  const host = await bareLibp2p([]);
  const connection = await host.dial(multiaddr(address));
  return {
    receive: async (order) => {
      const stream = await connection.newStream(PROTOCOL);
      stream.send(encodeOrder(order));
      let bytes = 0;
      let messages = 0;
      for await (const message of lengthPrefixed.decode(stream, { maxDataLength: LARGEST_MESSAGE })) {
        bytes += message.byteLength;
        messages++;
        if (messages === order.messages) break;
      }
      await stream.close();
      return bytes;
    },
    [Symbol.asyncDispose]: async () => host.stop(),
  };
}

/** A request for as many blocks of 1 MB as sync has in one batch. Small blocks come as many as a request may ask for. */
const BATCH_BYTES = 16_000_000;
const MAX_BATCH_BLOCKS = 128;
/** Sync's maxBatchesPerPeer. */
const REQUESTS_IN_FLIGHT = 2;

const BUSY = 4;
const BUSY_MS = 100;

const deps = { clock: systemClock, random: systemRandom, log: nullLogger };

function netOptions(options: Pick<NetOptions, 'listen' | 'connect'>): NetOptions {
  return {
    network: '0f9188f1',
    dataDir: undefined,
    bootstrap: [],
    seeds: [],
    maxPeers: 8,
    targetOutbound: 1,
    userAgent: 'bench',
    ...options,
  };
}

function netTransport(create: typeof createNet): Transport {
  return {
    listen: async () => {
      const net = await create(
        netOptions({ listen: ['/ip4/127.0.0.1/tcp/0'], connect: [] }),
        handlers((peer) => net.confirmPeer(peer.id, true)),
        deps,
      );
      const [address] = (await net.status()).listenAddresses;
      assert(address !== undefined, 'the node listens');
      return { address, [Symbol.asyncDispose]: () => net[Symbol.asyncDispose]() };
    },
    connect: async (address) => {
      const connected = Promise.withResolvers<PeerInfo>();
      const net = await create(netOptions({ listen: [], connect: [address] }), handlers(connected.resolve), deps);
      const peer = await connected.promise;
      net.confirmPeer(peer.id, true);
      return {
        receive: (order) => receiveBlocks(net, peer, order),
        [Symbol.asyncDispose]: () => net[Symbol.asyncDispose](),
      };
    },
  };
}

function receiveBlocks(net: Net, peer: PeerInfo, { messages, messageBytes }: Order): Promise<number> {
  const perBatch = Math.min(MAX_BATCH_BLOCKS, Math.max(1, Math.floor(BATCH_BYTES / messageBytes)));
  const { signal } = new AbortController();
  let left = messages;
  return sum(REQUESTS_IN_FLIGHT, async () => {
    let bytes = 0;
    while (left > 0) {
      const count = Math.min(left, perBatch);
      left -= count;
      let received = 0;
      for await (const { status, payload } of net.request(
        peer.id,
        'blocks',
        blocksOfSize(count, messageBytes),
        signal,
      )) {
        if (status === BUSY) break;
        received++;
        bytes += payload.length;
      }
      left += count - received;
      // Over the quota: a part of the figure, since it slows sync too.
      if (received < count) await sleep(systemClock, BUSY_MS, signal);
    }
    return bytes;
  });
}

/** Runs so many at a time and adds up what they give. */
async function sum(inParallel: number, run: () => Promise<number>): Promise<number> {
  const results = await Promise.all(Array.from({ length: inParallel }, run));
  return results.reduce((total, each) => total + each, 0);
}

function blocksOfSize(count: number, bytes: number): Uint8Array {
  const hash = new Uint8Array(32);
  new DataView(hash.buffer).setUint32(0, bytes);
  return streams.blocks.request.encode(Array.from({ length: count }, () => blockHashFromBytes(hash)));
}

/**
 * The first bytes of the hash that is asked for say how large the block is. All are views of one array, as in the other
 * transports: between threads they are copied once, as blocks from the disk are.
 */
function handlers(peerConnected: (peer: PeerInfo) => void): NetHandlers {
  return {
    // Later: the net that the handler speaks with is still being made when the first peer comes.
    peerConnected: (peer) => setImmediate(() => peerConnected(peer)),
    peerDisconnected: () => {},
    gossip: async () => 'ignore',
    serve: async function* serve(_name, _from, request) {
      const [count = 0] = request;
      const size = new DataView(request.buffer, request.byteOffset + 1).getUint32(0);
      for (let sent = 0; sent < count; sent++) yield { status: 0, payload: PATTERN.subarray(0, size) };
    },
  };
}

/**
 * A process of the `serve` benchmark: several that ask one server at the same time, each with a connection of its own.
 * They are bare libp2p nodes that drop what they get, so that the server is what is measured, whoever it is: another
 * bare node, or a Starling node. A frame of ours has the form of a length-prefixed message, its status byte in front.
 */
import { identify } from '@libp2p/identify';
import type { Connection, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import * as lengthPrefixed from 'it-length-prefixed';
import type { BlockHash } from '#primitives';
import { type Hello, networkId, PROTOCOL_REVISION, protocolId, SERVICES, type StreamName, streams } from '#protocol';
import { assert, systemRandom } from '#util';
import { cpuMs } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { servePeer } from './peer-process.ts';
import { bareLibp2p, TRANSPORTS } from './stream-transports.ts';

/** `inFlight`: requests at a time, by asker. */
export type Work = { readonly blocks: number; readonly blockBytes: number; readonly inFlight: readonly number[] };

export type Fetched = {
  readonly bytes: number;
  readonly wallMs: number;
  /** Until each asker had all. */
  readonly eachMs: readonly number[];
};

/** Fetches all blocks, so many requests at a time; gives bytes. */
type Asker = AsyncDisposable & { readonly fetch: (work: Work, inFlight: number) => Promise<number> };

/** What sync asks of a peer that delivers 30 MB/s: as much as comes in two seconds, in two requests. */
const BATCH = 32;
const MAX_FRAME_BYTES = 4_000_001;
const { genesis } = regtestParams();
const NETWORK = networkId(genesis.hash);
let askers: Asker[] = [];

servePeer(
  {
    connect: async ({ to, address, count }: { to: 'libp2p' | 'node'; address: string; count: number }) => {
      const connect = to === 'node' ? askNode : askLibp2p;
      for (let made = 0; made < count; made++) askers.push(await connect(address));
    },
    fetch: async (work: Work): Promise<Fetched> => {
      const started = performance.now();
      const each = await Promise.all(
        askers.map(async (asker, index) => {
          const bytes = await asker.fetch(work, work.inFlight[index] ?? 1);
          return { bytes, ms: performance.now() - started };
        }),
      );
      const bytes = each.reduce((sum, one) => sum + one.bytes, 0);
      return { bytes, wallMs: performance.now() - started, eachMs: each.map(({ ms }) => ms) };
    },
    cpuMs,
  },
  async () => {
    for (const asker of askers) await asker[Symbol.asyncDispose]();
    askers = [];
  },
);

async function askLibp2p(address: string): Promise<Asker> {
  const receiver = await TRANSPORTS.libp2p.connect(address);
  return {
    fetch: ({ blocks, blockBytes }, inFlight) =>
      sum(inFlight, () => receiver.receive({ messages: Math.ceil(blocks / inFlight), messageBytes: blockBytes })),
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}

async function askNode(address: string): Promise<Asker> {
  const host = await bareLibp2p([], { identify: identify() });
  // By this the node knows its like.
  await host.handle(protocolId(NETWORK, 'hello'), (stream) => stream.abort(new Error('this is a benchmark')));
  const connection = await host.dial(multiaddr(address));
  await single(connection, 'hello', streams.hello.request.encode(ourHello()));
  const request = streams.headers.request.encode({ locator: [genesis.hash], stopHash: undefined });
  const headers = streams.headers.response.decode(await single(connection, 'headers', request));
  const hashes = headers.map((header) => header.hash);
  return {
    fetch: (work, inFlight) => fetchBlocks(connection, hashes.slice(0, work.blocks), inFlight),
    [Symbol.asyncDispose]: async () => host.stop(),
  };
}

function fetchBlocks(connection: Connection, hashes: readonly BlockHash[], inFlight: number): Promise<number> {
  let next = 0;
  return sum(inFlight, async () => {
    const blocks = await AskingStream.open(connection, 'blocks');
    let bytes = 0;
    while (next < hashes.length) {
      const batch = hashes.slice(next, next + BATCH);
      next += batch.length;
      for await (const payload of blocks.ask(streams.blocks.request.encode(batch))) bytes += payload.byteLength;
    }
    await blocks.close();
    return bytes;
  });
}

const framesOf = (stream: Stream) => lengthPrefixed.decode(stream, { maxDataLength: MAX_FRAME_BYTES });

/** Asks for one thing after another, as sync does. */
class AskingStream {
  readonly #stream: Stream;
  readonly #frames: ReturnType<typeof framesOf>;

  static async open(connection: Connection, name: StreamName): Promise<AskingStream> {
    return new AskingStream(await connection.newStream(protocolId(NETWORK, name, 'kept'), { maxOutboundStreams: 64 }));
  }

  constructor(stream: Stream) {
    this.#stream = stream;
    this.#frames = framesOf(stream);
  }

  /** The payloads of one answer. */
  async *ask(request: Uint8Array) {
    this.#stream.send(lengthPrefixed.encode.single(request));
    for (;;) {
      const { value: frame, done } = await this.#frames.next();
      assert(done !== true, 'the end frame comes first');
      if (frame.byteLength === 0) return;
      assert(frame.get(0) === 0, `status ${frame.get(0)}`);
      yield frame.sublist(1);
    }
  }

  close(): Promise<void> {
    return this.#stream.close();
  }
}

async function single(connection: Connection, name: StreamName, request: Uint8Array): Promise<Uint8Array> {
  const stream = await AskingStream.open(connection, name);
  const [answer] = await Array.fromAsync(stream.ask(request));
  await stream.close();
  assert(answer !== undefined, `${name}: an empty answer`);
  return answer.subarray();
}

/** Runs so many at a time and adds up what they give. */
async function sum(inParallel: number, run: () => Promise<number>): Promise<number> {
  const results = await Promise.all(Array.from({ length: inParallel }, run));
  return results.reduce((total, each) => total + each, 0);
}

function ourHello(): Hello {
  return {
    revision: PROTOCOL_REVISION,
    services: SERVICES.network | SERVICES.witness,
    genesisHash: genesis.hash,
    userAgent: 'bench',
    time: Math.floor(Date.now() / 1000),
    tipHash: genesis.hash,
    tipHeight: 0,
    tipChainWork: 0n,
    lowestHeightServed: 0,
    relay: false,
    feeFilterSatPerKvb: 0n,
    nonce: BigInt(systemRandom.below(2 ** 32)),
  };
}

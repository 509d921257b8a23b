/**
 * A peer that abuses what libp2p offers to all: it says a proper hello and is a peer like any other, but each byte that it
 * sends over identify, ping, the DHT and gossip is the test's.
 */
import { RPC } from '@libp2p/gossipsub/message';
import type { Connection, Stream } from '@libp2p/interface';
import { pipe } from 'it-pipe';
import type { StarlingNode } from '#node';
import { frameHead, networkId, PROTOCOL_REVISION, readFrames, responseStatus, SERVICES, streams } from '#protocol';
import { concatBytes, systemRandom } from '#util';
import { readStream, writeChunk } from '../../src/net/stream-io.ts';
import { statusWhen } from '../support/test-nodes.ts';
import { type RawPeer, type RawSetup, startRawPeer } from './net-raw-peer.ts';

const GOSSIP = '/meshsub/1.2.0';
const MAX_RPC_BYTES = 8 << 20;

const never = new AbortController().signal;

export type Handler = (stream: Stream, connection: Connection) => Promise<void>;

export type AbuseSetup = Pick<RawSetup, 'identify' | 'key'> & {
  /** What it answers streams with, by the protocols' ids. */
  readonly protocols: Readonly<Record<string, Handler>>;
};

export type AbusePeer = AsyncDisposable & {
  readonly id: string;
  readonly raw: RawPeer;
  readonly connection: Connection;
  /** What the node has sent over gossip, all of it. */
  readonly heard: readonly RPC[];
  /** The node has ended the connection. */
  readonly isOut: () => boolean;
  /** Bytes over the gossip stream, as they are. Nothing once the node has ended it all. */
  readonly gossipBytes: (bytes: Uint8Array) => Promise<void>;
  readonly gossip: (rpc: Partial<RPC>) => Promise<void>;
  /** Bytes over a new stream; gives what came back until its end. Undefined when the node reset it. */
  readonly ask: (protocol: string, ...chunks: readonly Uint8Array[]) => Promise<Uint8Array | undefined>;
};

/** A length and that many bytes: how libp2p frames protobuf messages. */
export function framed(bytes: Uint8Array): Uint8Array {
  return concatBytes(frameHead(bytes.length), bytes);
}

/** The bytes of /ip4/…/tcp/…, on the open internet. */
export function randomAddress(): Uint8Array<ArrayBuffer> {
  const [a = 0, b = 0, c = 0, d = 0, port = 0] = systemRandom.bytes(5);
  return Uint8Array.of(4, 20 + (a % 80), b, c, d, 6, 1 + (port >> 4), port);
}

/** Connected, and known to the node as a peer. */
export async function startAbusePeer(node: StarlingNode, setup: Partial<AbuseSetup> = {}): Promise<AbusePeer> {
  const { protocols = {}, ...rawSetup } = setup;
  const network = networkId(node.chain.params.genesis.hash);
  const hello = helloOf(node);
  const raw = await startRawPeer({ ...rawSetup, network, handlers: { hello: (stream) => answerHello(stream, hello) } });
  const heard: RPC[] = [];
  await raw.host.handle(GOSSIP, async (stream) => {
    const frames = pipe(readStream(stream, never), (source) => readFrames(source, MAX_RPC_BYTES));
    for await (const frame of frames) heard.push(RPC.decode(frame));
  });
  for (const [id, handler] of Object.entries(protocols)) await raw.host.handle(id, handler);
  const [address = ''] = (await node.status()).net.listenAddresses;
  const connection = await raw.dial(address);
  const stream = await raw.open(connection, 'hello');
  await writeChunk(stream, framed(hello), never);
  await statusWhen(node, ({ net: { peers } }) => peers.some(({ id }) => id === raw.id));
  stream.abort(new Error('it knows us now'));
  return asAbusePeer(raw, connection, heard);
}

function asAbusePeer(raw: RawPeer, connection: Connection, heard: readonly RPC[]): AbusePeer {
  let gossipStream: Stream | undefined;
  const gossipBytes: AbusePeer['gossipBytes'] = async (bytes) => {
    await unlessRefused(async () => {
      if (gossipStream?.status !== 'open') gossipStream = await connection.newStream(GOSSIP);
      await writeChunk(gossipStream, bytes, never);
    });
  };
  return {
    id: raw.id,
    raw,
    connection,
    heard,
    isOut: () => connection.status !== 'open',
    gossipBytes,
    gossip: (rpc) => gossipBytes(framed(RPC.encode({ subscriptions: [], messages: [], ...rpc }))),
    ask: (protocol, ...chunks) => unlessRefused(() => exchange(connection, protocol, chunks)),
    [Symbol.asyncDispose]: () => raw[Symbol.asyncDispose](),
  };
}

async function exchange(connection: Connection, protocol: string, chunks: readonly Uint8Array[]): Promise<Uint8Array> {
  const stream = await connection.newStream(protocol, { maxOutboundStreams: 1_000 });
  try {
    for (const chunk of chunks) await writeChunk(stream, chunk, never);
    await stream.close();
    const answer: Uint8Array[] = [];
    for await (const chunk of readStream(stream, never)) answer.push(chunk);
    return concatBytes(...answer);
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error('failed'));
    throw error;
  }
}

/** A stream that is reset, or a connection that is ended, is how a node says no. */
async function unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}

function helloOf({ chain }: StarlingNode): Uint8Array {
  const tip = chain.tip();
  return streams.hello.request.encode({
    revision: PROTOCOL_REVISION,
    services: SERVICES.network | SERVICES.witness | SERVICES.networkLimited,
    genesisHash: chain.params.genesis.hash,
    userAgent: '/abuse/',
    time: Math.floor(Date.now() / 1000),
    tipHash: tip.hash,
    tipHeight: tip.height,
    tipChainWork: tip.chainWork,
    // It serves nothing.
    lowestHeightServed: tip.height + 1,
    relay: true,
    feeFilterSatPerKvb: 0n,
    nonce: Buffer.from(systemRandom.bytes(8)).readBigUInt64LE(),
  });
}

async function answerHello(stream: Stream, hello: Uint8Array): Promise<void> {
  await writeChunk(stream, concatBytes(frameHead(hello.length, responseStatus.ok), hello, frameHead(0)), never);
  await stream.close();
}

/**
 * Yamux, and what it lacks. Towards the peer: bounds on what it sends (`FrameMeter`) and on what it leaves unread.
 * Towards us: no stream sends into a connection that is full. Yamux does so at each window update, so that whoever grants
 * windows and reads nothing fills our memory; and bytes that `serving` takes for sent and frees would not be encrypted yet.
 */
import { type YamuxMuxerInit, yamux } from '@chainsafe/libp2p-yamux';
import type { Connection, StreamMuxerFactory } from '@libp2p/interface';
import { assert, type Clock } from '#util';
import { FrameMeter, MuxerFault } from './frame-meter.ts';
import { boundNegotiation } from './negotiation.ts';
import { MIN_PIECE_BYTES } from './send-turns.ts';

/**
 * Answers of the muxer itself (window updates, pongs, resets) that wait while the connection is full: all else waits in
 * the streams. 21,000 frames, 4 MB of memory; a peer that reads at all leaves some hundreds.
 */
const MAX_UNREAD_BYTES = 256 * 1024;

type Muxer = ReturnType<ReturnType<ReturnType<typeof yamux>>['createStreamMuxer']>;
type MuxerStream = Muxer['streams'][number];
type Bytes = Parameters<Muxer['onData']>[0];
type Below = Parameters<StreamMuxerFactory['createStreamMuxer']>[0];

/** What yamux has at run time and hides in its types. */
type Internals = {
  _newStream: (...parameters: readonly unknown[]) => MuxerStream;
};

export type MuxerOptions = Omit<YamuxMuxerInit, 'streamOptions'> & {
  readonly streamOptions: NonNullable<YamuxMuxerInit['streamOptions']> & { readonly maxStreamWindowSize: number };
};

export class Muxers {
  readonly #clock: Clock;
  readonly #faults = new WeakMap<object, MuxerFault>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** For libp2p's list of muxers. */
  factory(options: MuxerOptions): () => StreamMuxerFactory {
    const make = yamux(options);
    return () => {
      const factory = make();
      const create = factory.createStreamMuxer.bind(factory);
      factory.createStreamMuxer = (below) => {
        const muxer = create(below);
        this.#meter(muxer, below, options.streamOptions.maxStreamWindowSize);
        eachStream(muxer, (stream) => {
          holdBack(stream, muxer, below);
          boundNegotiation(stream, () => stream.protocol === '');
        });
        return muxer;
      };
      return factory;
    };
  }

  /** What the peer did for which we have closed this connection. */
  faultOf(connection: Connection): MuxerFault | undefined {
    const muxer: unknown = Reflect.get(connection, 'muxer');
    assert(typeof muxer === 'object' && muxer !== null, 'libp2p hides the muxer of a connection');
    return this.#faults.get(muxer);
  }

  #meter(muxer: Muxer, below: Below, maxDataBytes: number): void {
    assert(typeof muxer.onData === 'function', 'yamux reads in another way');
    const onData = muxer.onData.bind(muxer);
    const meter = new FrameMeter(this.#clock, maxDataBytes);
    // Whoever it throws at aborts the muxer and the connection.
    muxer.onData = (bytes: Bytes) => {
      try {
        meter.read(bytes);
        onData(bytes);
        if (below.writeBufferLength > MAX_UNREAD_BYTES) {
          throw new MuxerFault('stalled', `${below.writeBufferLength} bytes of the muxer's answers are not read`);
        }
      } catch (error) {
        if (error instanceof MuxerFault) this.#faults.set(muxer, error);
        throw error;
      }
    };
  }
}

function eachStream(muxer: Muxer, prepare: (stream: MuxerStream) => void): void {
  const internals = muxer as unknown as Internals;
  assert(typeof internals._newStream === 'function', 'yamux makes streams in another way');
  const newStream = internals._newStream.bind(muxer);
  internals._newStream = (...parameters) => {
    const stream = newStream(...parameters);
    prepare(stream);
    return stream;
  };
}

/**
 * The stream waits while the connection is full. When it is not, streams send in the order of libp2p's list: first those
 * with little to say, which so wait behind one piece of a block and not behind one of each stream; who filled it goes last.
 */
function holdBack(stream: MuxerStream, { streams }: Muxer, below: Below): void {
  const sendData = stream.sendData.bind(stream);
  stream.sendData = (bytes) => {
    const isSmall = bytes.byteLength < MIN_PIECE_BYTES;
    if (below.writableNeedsDrain) {
      if (isSmall && remove(streams, stream)) streams.unshift(stream);
      return { sentBytes: 0, canSendMore: false };
    }
    const result = sendData(bytes);
    if (below.writableNeedsDrain && !isSmall && remove(streams, stream)) streams.push(stream);
    return result;
  };
}

function remove<T>(list: T[], item: T): boolean {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}

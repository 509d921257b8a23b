/**
 * Asking a peer: one stream a request, bounded and timed by the protocol's row. A response counts only with its end
 * frame: an end without it may be a reset in disguise.
 */
import { setMaxListeners } from 'node:events';
import type { Connection, Stream } from '@libp2p/interface';
import { pipe } from 'it-pipe';
import { FrameError, frameHead, type OffenceName, protocolId, readResponse, type StreamName } from '#protocol';
import { assert, type Clock, concatBytes } from '#util';
import { Deadline } from './deadline.ts';
import { RequestError, toRequestError } from './errors.ts';
import type { Net, PeerIdText, ResponseFrame } from './port.ts';
import { streamLimits } from './rows.ts';
import { abortStream, finishStream, readStream, writeChunk } from './stream-io.ts';

export type RequestDeps = {
  readonly network: string;
  readonly clock: Clock;
  /** The connection to use for a peer; undefined when there is none. */
  readonly connectionOf: (peer: PeerIdText) => Connection | undefined;
  readonly charge: (peer: PeerIdText, offence: OffenceName, detail: string) => void;
};

export function createRequester(deps: RequestDeps): Net['request'] {
  /** Requests in flight by peer and protocol. */
  const inFlight = new Map<string, number>();

  return async function* request(peer, name, bytes, signal): AsyncGenerator<ResponseFrame> {
    const row = streamLimits(name);
    assert(bytes.length <= row.maxRequestBytes, `a ${name} request of ${bytes.length} bytes`);
    if (signal.aborted) throw new RequestError('ABORTED', 'given up before it was sent');
    const connection = deps.connectionOf(peer);
    if (connection === undefined) throw new RequestError('DISCONNECTED', 'the peer is not connected');
    const key = `${name} ${peer}`;
    const count = inFlight.get(key) ?? 0;
    if (count >= row.maxOutboundStreams) throw new RequestError('TOO_MANY_STREAMS', `${count} in flight already`);
    inFlight.set(key, count + 1);
    try {
      yield* exchange(deps, connection, peer, name, bytes, signal);
    } finally {
      const left = (inFlight.get(key) ?? 1) - 1;
      if (left > 0) inFlight.set(key, left);
      else inFlight.delete(key);
    }
  };
}

async function* exchange(
  deps: RequestDeps,
  connection: Connection,
  peer: PeerIdText,
  name: StreamName,
  bytes: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<ResponseFrame> {
  const row = streamLimits(name);
  const controller = new AbortController();
  // libp2p hangs several listeners on the signal, and many requests may share the caller's.
  setMaxListeners(0, controller.signal, signal);
  const onAbort = (): void => controller.abort(new RequestError('ABORTED', 'given up'));
  signal.addEventListener('abort', onAbort);
  const deadline = new Deadline(deps.clock, row.timeouts.firstFrameMs, row.timeouts.totalMs, (what) =>
    controller.abort(new RequestError('TIMEOUT', `the time for the ${what} ran out`)),
  );
  let stream: Stream | undefined;
  let isComplete = false;
  try {
    deadline.run();
    stream = await openStream(connection, protocolId(deps.network, name), row.maxOutboundStreams, controller.signal);
    await writeChunk(stream, concatBytes(frameHead(bytes.length), bytes), controller.signal);
    stream.close({ signal: controller.signal }).catch(() => {});
    const frames = pipe(
      readStream(stream, controller.signal),
      (source) => reportingProgress(source, () => deadline.progress(row.timeouts.progressMs)),
      (source) => readResponse(source, { ...row, maxFrames: row.maxFrames(bytes) }),
    );
    for await (const frame of frames) {
      deadline.stop();
      yield frame;
      deadline.run();
    }
    isComplete = true;
  } catch (error) {
    throw judge(deps, connection, peer, name, controller.signal.aborted ? controller.signal.reason : error);
  } finally {
    deadline.stop();
    signal.removeEventListener('abort', onAbort);
    if (stream !== undefined && isComplete) finishStream(stream, deps.clock);
    else if (stream !== undefined) abortStream(stream, controller.signal.reason);
  }
}

/** Opens a negotiated stream. A peer over its limit of streams accepts and resets: the stream is dead on arrival. */
async function openStream(
  connection: Connection,
  protocol: string,
  maxStreams: number,
  signal: AbortSignal,
): Promise<Stream> {
  // libp2p still counts streams that only wait for the other end's close, so its own cap is wider than the row's.
  const stream = await connection.newStream(protocol, { signal, maxOutboundStreams: maxStreams * 4 });
  if (stream.status === 'open') return stream;
  throw new RequestError('TOO_MANY_STREAMS', `the stream was ${stream.status} at once`);
}

/** What goes wrong on our side of a response, as a RequestError; what the peer is to blame for is charged. */
function judge(
  deps: RequestDeps,
  connection: Connection,
  peer: PeerIdText,
  name: StreamName,
  error: unknown,
): RequestError {
  if (error instanceof FrameError) {
    if (error.offence !== undefined) {
      deps.charge(peer, error.offence, `${name} response: ${error.message}`);
      return new RequestError('PROTOCOL_VIOLATION', error.message, { cause: error });
    }
    if (connection.status === 'open') deps.charge(peer, 'stalled', `${name} response: ${error.message}`);
  }
  if (error instanceof RequestError) return error;
  if (connection.status !== 'open') return new RequestError('DISCONNECTED', 'the connection closed', { cause: error });
  return toRequestError(error);
}

async function* reportingProgress(source: AsyncIterable<Uint8Array>, report: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    report();
    yield chunk;
  }
}

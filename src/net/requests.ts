/**
 * Asking a peer: one stream for each request at a time, kept open for the next one, bounded and timed by the protocol's
 * row. A response counts only with its end frame: an end without it may be a reset in disguise.
 */
import { setMaxListeners } from 'node:events';
import type { Connection, Stream } from '@libp2p/interface';
import { pipe } from 'it-pipe';
import { FrameError, frameHead, type OffenceName, protocolId, readResponse, type StreamName } from '#protocol';
import { assert, type Clock, concatBytes } from '#util';
import { Deadline } from './deadline.ts';
import { RequestError, toRequestError } from './errors.ts';
import type { ExchangeMeter, ExchangeResult } from './exchange-meter.ts';
import { KeptStreams } from './kept-streams.ts';
import type { Net, PeerIdText, ResponseFrame } from './port.ts';
import { runsOverRelays, streamLimits } from './rows.ts';
import { abortStream, finishStream, readStream, writeChunk } from './stream-io.ts';

export type RequestDeps = {
  readonly network: string;
  readonly clock: Clock;
  /** The connection to use for a peer; undefined when there is none. */
  readonly connectionOf: (peer: PeerIdText) => Connection | undefined;
  readonly charge: (peer: PeerIdText, offence: OffenceName, detail: string) => void;
  readonly meter: ExchangeMeter;
};

export function createRequester(deps: RequestDeps): Net['request'] {
  const kept = new KeptStreams(deps.clock);
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
    const exchange: Exchange = { ...deps, kept, connection, peer, name, bytes, signal };
    const ended = deps.meter.begin(name);
    // Unless it says otherwise below: who asked left before the end.
    let result: ExchangeResult = 'ABORTED';
    try {
      const stream = kept.take(connection, name);
      if (stream === undefined || (yield* ask(exchange, stream)) !== 'answered') yield* ask(exchange, undefined);
      result = 'answered';
    } catch (error) {
      result = toRequestError(error).code;
      throw error;
    } finally {
      ended(result);
      const left = (inFlight.get(key) ?? 1) - 1;
      if (left > 0) inFlight.set(key, left);
      else inFlight.delete(key);
    }
  };
}

type Exchange = RequestDeps & {
  readonly kept: KeptStreams;
  readonly connection: Connection;
  readonly peer: PeerIdText;
  readonly name: StreamName;
  readonly bytes: Uint8Array;
  readonly signal: AbortSignal;
};

/** On a stream that was kept, or on a new one. `stale`: the other end had closed the one that was kept. */
async function* ask(exchange: Exchange, used: Stream | undefined): AsyncGenerator<ResponseFrame, 'answered' | 'stale'> {
  const { clock, kept, connection, name, bytes, signal } = exchange;
  const row = streamLimits(name);
  const controller = new AbortController();
  // libp2p hangs several listeners on the signal, and many requests may share the caller's.
  setMaxListeners(0, controller.signal, signal);
  const onAbort = (): void => controller.abort(new RequestError('ABORTED', 'given up'));
  signal.addEventListener('abort', onAbort);
  const deadline = new Deadline(clock, row.timeouts.firstFrameMs, row.timeouts.totalMs, (what) =>
    controller.abort(new RequestError('TIMEOUT', `the time for the ${what} ran out`)),
  );
  let stream = used;
  let hasAnswered = false;
  let isComplete = false;
  try {
    deadline.run();
    stream ??= await openStream(exchange, controller.signal);
    await writeChunk(stream, concatBytes(frameHead(bytes.length), bytes), controller.signal);
    if (!isKept(exchange, stream)) stream.close({ signal: controller.signal }).catch(() => {});
    const frames = pipe(
      readStream(stream, controller.signal),
      (source) =>
        reportingProgress(source, () => {
          hasAnswered = true;
          deadline.progress(row.timeouts.progressMs);
        }),
      (source) => readResponse(source, { ...row, maxFrames: row.maxFrames(bytes) }),
    );
    for await (const frame of frames) {
      deadline.stop();
      yield frame;
      deadline.run();
    }
    isComplete = true;
    return 'answered';
  } catch (error) {
    if (used !== undefined && !hasAnswered && !controller.signal.aborted && connection.status === 'open')
      return 'stale';
    throw judge(exchange, controller.signal.aborted ? controller.signal.reason : error);
  } finally {
    deadline.stop();
    signal.removeEventListener('abort', onAbort);
    if (stream !== undefined && !isComplete) abortStream(stream, controller.signal.reason);
    else if (stream !== undefined && isKept(exchange, stream)) kept.keep(connection, name, stream);
    else if (stream !== undefined) finishStream(stream, clock);
  }
}

function isKept({ network, name }: Exchange, stream: Stream): boolean {
  return stream.protocol === protocolId(network, name, 'kept');
}

/** Opens a negotiated stream. A peer over its limit of streams accepts and resets: the stream is dead on arrival. */
async function openStream({ network, connection, name }: Exchange, signal: AbortSignal): Promise<Stream> {
  // libp2p still counts streams that only wait for the other end's close, so its own cap is wider than the row's.
  const maxOutboundStreams = 4 * streamLimits(name).maxOutboundStreams;
  const protocols = [protocolId(network, name, 'kept'), protocolId(network, name)];
  const stream = await connection.newStream(protocols, {
    signal,
    maxOutboundStreams,
    runOnLimitedConnection: runsOverRelays(name),
  });
  if (stream.status === 'open') return stream;
  throw new RequestError('TOO_MANY_STREAMS', `the stream was ${stream.status} at once`);
}

/** What goes wrong on our side of a response, as a RequestError; what the peer is to blame for is charged. */
function judge({ connection, peer, name, charge }: Exchange, error: unknown): RequestError {
  if (error instanceof FrameError) {
    if (error.offence !== undefined) {
      charge(peer, error.offence, `${name} response: ${error.message}`);
      return new RequestError('PROTOCOL_VIOLATION', error.message, { cause: error });
    }
    if (connection.status === 'open') charge(peer, 'stalled', `${name} response: ${error.message}`);
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

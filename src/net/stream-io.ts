/**
 * Reading and writing libp2p streams with back-pressure both ways. libp2p's own iterator hangs when the other end
 * finished before the loop began, never slows the sender, and ends silently on a reset; its `onDrain` works once.
 * Everything in this module that touches stream bytes goes through these functions.
 */
import type { Stream, StreamMessageEvent } from '@libp2p/interface';
import type { Clock } from '#util';

/** Bytes as libp2p delivers them: one array, or a list of arrays that iterates them. */
type Bytes = StreamMessageEvent['data'];

/** Bytes taken from libp2p but not yet by our reader: above it the stream is paused, below half of it resumed. */
const READ_HIGH_WATER = 1 << 20;
/** Bytes waiting in libp2p for the other end: above it the writer waits. */
export const WRITE_HIGH_WATER = 1 << 18;

/**
 * The chunks of a stream in order. Ends when the other end finished cleanly; throws when the stream was reset, when
 * the connection went away, or with the signal's reason. Leaving early pauses the stream, so that the sender stops
 * within one window; closing or aborting it is the caller's.
 */
export async function* readStream(
  stream: Stream,
  signal: AbortSignal,
  highWater: number = READ_HIGH_WATER,
): AsyncGenerator<Uint8Array> {
  const reader = new StreamReader(stream, signal, highWater);
  try {
    for (;;) {
      const list = await reader.next();
      if (list === undefined) return;
      // Taking the pieces of a list one by one avoids the copy that joining them would be.
      if (list instanceof Uint8Array) yield list;
      else yield* list;
      reader.release(list.byteLength);
    }
  } finally {
    reader.close();
  }
}

class StreamReader {
  readonly #stream: Stream;
  readonly #signal: AbortSignal;
  readonly #highWater: number;
  readonly #queue: Bytes[] = [];
  /** In the queue or with the consumer. */
  #heldBytes = 0;
  #failure: unknown;
  #wake: (() => void) | undefined;
  #isPaused = false;
  #isResuming = false;

  constructor(stream: Stream, signal: AbortSignal, highWater: number) {
    this.#stream = stream;
    this.#signal = signal;
    this.#highWater = highWater;
    stream.addEventListener('message', this.#onMessage);
    stream.addEventListener('remoteCloseWrite', this.#onChange);
    stream.addEventListener('close', this.#onClose);
    signal.addEventListener('abort', this.#onChange);
    // A reader that left may have paused it; a paused stream gives nothing.
    if (stream.readStatus === 'paused') this.#resume();
  }

  /** The next piece; undefined at a clean end. */
  async next(): Promise<Bytes | undefined> {
    for (;;) {
      this.#signal.throwIfAborted();
      const list = this.#queue.shift();
      if (list !== undefined) return list;
      if (this.#isFinished()) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The consumer is done with so many bytes. */
  release(bytes: number): void {
    this.#heldBytes -= bytes;
    if (this.#isPaused && this.#heldBytes <= this.#highWater / 2) this.#resume();
  }

  close(): void {
    this.#stream.removeEventListener('message', this.#onMessage);
    this.#stream.removeEventListener('remoteCloseWrite', this.#onChange);
    this.#stream.removeEventListener('close', this.#onClose);
    this.#signal.removeEventListener('abort', this.#onChange);
    this.#pause();
  }

  readonly #onMessage = (event: { readonly data: Bytes }): void => {
    this.#queue.push(event.data);
    this.#heldBytes += event.data.byteLength;
    if (this.#heldBytes >= this.#highWater) this.#pause();
    this.#onChange();
  };

  readonly #onClose = (event: { readonly error?: Error }): void => {
    this.#failure ??= event.error;
    this.#onChange();
  };

  readonly #onChange = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };

  /** Whether nothing more can come; throws when that was no clean end. What is buffered inside libp2p still comes. */
  #isFinished(): boolean {
    const { status } = this.#stream;
    if (status === 'aborted' || status === 'reset') throw this.#failure ?? new Error(`the stream was ${status}`);
    if (this.#stream.readBufferLength > 0) return false;
    // Not `readableEnded`: it is set while bytes that the protocol negotiation read ahead are still to come.
    return this.#stream.remoteWriteStatus === 'closed' || status === 'closed';
  }

  #pause(): void {
    // A pause from within resume() would be undone: yamux grants window right after it delivered what it held.
    if (this.#isPaused || this.#isResuming || isReadClosed(this.#stream)) return;
    this.#stream.pause();
    this.#isPaused = true;
  }

  #resume(): void {
    this.#isPaused = false;
    if (isReadClosed(this.#stream)) return;
    this.#isResuming = true;
    try {
      this.#stream.resume();
    } finally {
      this.#isResuming = false;
    }
    if (this.#heldBytes >= this.#highWater) this.#pause();
  }
}

function isReadClosed(stream: Stream): boolean {
  return stream.readStatus === 'closed' || stream.readStatus === 'closing';
}

/**
 * Hands bytes to the stream without copying them (they must not change any more) and waits while more than
 * `highWater` bytes are queued. `onTaken` hears of bytes that left the queue. Throws when the stream is closed or
 * reset, or with the signal's reason.
 */
export async function writeChunk(
  stream: Stream,
  bytes: Bytes,
  signal: AbortSignal,
  onTaken: (bytes: number) => void = () => {},
  highWater: number = WRITE_HIGH_WATER,
): Promise<void> {
  signal.throwIfAborted();
  let unsent = stream.writeBufferLength + bytes.byteLength;
  stream.send(bytes);
  for (;;) {
    // Not each `drain`: the connection's is told to every stream, those that nobody reads too.
    const taken = unsent - stream.writeBufferLength;
    unsent -= taken;
    if (taken > 0) onTaken(taken);
    if (unsent <= highWater) return;
    await nextDrain(stream, signal);
  }
}

/** Resolves at the next event that may have emptied the buffer. Not `onDrain`, whose promise is made once and stays resolved. */
function nextDrain(stream: Stream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (failure?: unknown): void => {
      stream.removeEventListener('drain', onDrain);
      stream.removeEventListener('idle', onDrain);
      stream.removeEventListener('close', onClose);
      signal.removeEventListener('abort', onAbort);
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const onDrain = (): void => finish();
    const onClose = (event: { readonly error?: Error }): void => finish(event.error ?? new Error('the stream closed'));
    const onAbort = (): void => finish(signal.reason);
    if (isOver(stream)) {
      reject(new Error(`the stream was ${stream.status}`));
      return;
    }
    stream.addEventListener('drain', onDrain);
    stream.addEventListener('idle', onDrain);
    stream.addEventListener('close', onClose);
    signal.addEventListener('abort', onAbort);
  });
}

/** How long the other end may take to close its half once everything was said. */
const LINGER_MS = 5_000;

/**
 * Ends our half in order once all was said, and aborts the stream if it is not closed both ways soon: a half-open
 * stream counts against the limits of the connection for ever. Returns at once; never throws.
 */
export function finishStream(stream: Stream, clock: Clock): void {
  if (isOver(stream)) return;
  const timer = clock.after(LINGER_MS, () => stream.abort(new Error('the other end did not close the stream')));
  stream.addEventListener('close', () => timer.cancel(), { once: true });
  stream.close().catch((error: unknown) => {
    if (!isOver(stream)) stream.abort(error instanceof Error ? error : new Error('the stream could not be closed'));
  });
}

/** Resets the stream if it is still alive. */
export function abortStream(stream: Stream, error: unknown): void {
  if (!isOver(stream)) stream.abort(error instanceof Error ? error : new Error('given up'));
}

function isOver(stream: Stream): boolean {
  return stream.status === 'aborted' || stream.status === 'reset' || stream.status === 'closed';
}

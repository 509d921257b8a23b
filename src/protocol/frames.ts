/**
 * Frames on a stream: an unsigned varint length, then that many bytes. A request is one frame. A response is frames
 * that begin with a status byte, closed by a frame of length 0. Knows nothing of transports.
 * A length is checked against its bound before a byte is stored for it, and memory follows the bytes that have
 * arrived, not the length that was promised.
 */
import { assert, concatBytes } from '#util';
import type { OffenceName } from './offences.ts';

/** A length above it needs a fifth varint byte, which is refused. */
const MAX_LENGTH = 2 ** 28 - 1;
const MAX_VARINT_BYTES = 4;
/** Reserved at first for a frame that arrives in pieces. */
const FIRST_CAPACITY = 64 * 1024;
/**
 * Then this many times what was reserved: a block of 1 MB is copied once (0.4 ms of CPU; 1.1 with doubling), and a peer
 * that promises a long frame gets no more than 16 times what it sent.
 */
const GROWTH = 16;

/** Status byte of a response frame. */
export const responseStatus = { ok: 0, invalidRequest: 1, serverError: 2, notFound: 3, busy: 4 } as const;
export type ResponseStatus = (typeof responseStatus)[keyof typeof responseStatus];

/** Bytes that are no frames of ours. After it nothing on the stream can be read. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  /** What to charge the sender with; undefined when the stream ended within a frame, which a lost connection does too. */
  readonly offence: OffenceName | undefined;

  constructor(message: string, offence: OffenceName | undefined) {
    super(message);
    this.offence = offence;
  }
}

/**
 * What goes in front of the payload: the length and, in a response, the status; 1 to 5 fresh bytes. Sent apart from
 * the payload, so that a block is not copied. The end frame is the head of no bytes without a status.
 */
export function frameHead(payloadBytes: number, status?: ResponseStatus): Uint8Array {
  if (status === undefined) return encodeLength(payloadBytes);
  return concatBytes(encodeLength(payloadBytes + 1), Uint8Array.of(status));
}

function encodeLength(length: number): Uint8Array {
  assert(Number.isInteger(length) && length >= 0 && length <= MAX_LENGTH, `a frame of ${length} bytes`);
  const bytes: number[] = [];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/**
 * Cuts chunks of any size into frames. `push` one chunk, take frames by `next` until it gives undefined, push the
 * next one. A frame that lies in one chunk is a view of it; any other is copied once into memory of its own.
 */
export class FrameDecoder {
  readonly #maxFrameBytes: number;
  #chunk: Uint8Array = new Uint8Array(0);
  #offset = 0;
  /** The varint so far; `#lengthBytes` of it were read. */
  #length = 0;
  #lengthBytes = 0;
  #lengthKnown = false;
  /** Bytes of the current frame that came in earlier chunks. */
  #partial: Uint8Array = new Uint8Array(0);
  #partialBytes = 0;

  /** `maxFrameBytes` bounds what follows a length: for responses one more than the payload. */
  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Kept until it is used up: it must not change meanwhile. */
  push(chunk: Uint8Array): void {
    assert(this.#offset === this.#chunk.length, 'the frames of the chunk before were not taken');
    this.#chunk = chunk;
    this.#offset = 0;
  }

  /** The next whole frame without its length, or undefined when more bytes are needed. Throws FrameError. */
  next(): Uint8Array | undefined {
    if (!this.#lengthKnown && !this.#readLength()) return undefined;
    const missing = this.#length - this.#partialBytes;
    const available = this.#chunk.length - this.#offset;
    if (available < missing) {
      this.#store(available);
      return undefined;
    }
    if (this.#partialBytes > 0) {
      this.#store(missing);
      const frame = this.#partial;
      this.#reset();
      return frame;
    }
    const frame = this.#chunk.subarray(this.#offset, this.#offset + missing);
    this.#offset += missing;
    this.#reset();
    return frame;
  }

  /** Between two frames: an end of the stream here cuts none. */
  get isIdle(): boolean {
    return this.#lengthBytes === 0 && this.#offset === this.#chunk.length;
  }

  #reset(): void {
    this.#length = 0;
    this.#lengthBytes = 0;
    this.#lengthKnown = false;
    this.#partial = new Uint8Array(0);
    this.#partialBytes = 0;
  }

  #readLength(): boolean {
    for (;;) {
      const byte = this.#chunk[this.#offset];
      if (byte === undefined) return false;
      this.#offset++;
      this.#length |= (byte & 0x7f) << (7 * this.#lengthBytes);
      this.#lengthBytes++;
      if (byte < 0x80) {
        if (byte === 0 && this.#lengthBytes > 1) throw new FrameError('a length with idle bytes', 'protocol-violation');
        break;
      }
      if (this.#lengthBytes === MAX_VARINT_BYTES) throw new FrameError('a length of 5 bytes', 'oversized-frame');
    }
    if (this.#length > this.#maxFrameBytes) {
      throw new FrameError(
        `a frame of ${this.#length} bytes, at most ${this.#maxFrameBytes} allowed`,
        'oversized-frame',
      );
    }
    this.#lengthKnown = true;
    return true;
  }

  /** Moves `count` bytes of the chunk behind the partial frame. */
  #store(count: number): void {
    if (count === 0) return;
    const needed = this.#partialBytes + count;
    if (needed > this.#partial.length) {
      const capacity = Math.min(this.#length, Math.max(needed, FIRST_CAPACITY, this.#partial.length * GROWTH));
      const larger = allocateUnfilled(capacity);
      larger.set(this.#partial.subarray(0, this.#partialBytes));
      this.#partial = larger;
    }
    this.#partial.set(this.#chunk.subarray(this.#offset, this.#offset + count), this.#partialBytes);
    this.#partialBytes = needed;
    this.#offset += count;
  }
}

/** Not zeroed: every byte is written before the frame is given out. Its memory is shared with nothing. */
function allocateUnfilled(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

/**
 * The frames of a byte stream; a transform for `pipe`. Ends when the source ends between two frames; throws
 * FrameError otherwise. Takes a chunk only when the frames before it were taken.
 */
export async function* readFrames(
  source: AsyncIterable<Uint8Array>,
  maxFrameBytes: number,
): AsyncGenerator<Uint8Array> {
  const decoder = new FrameDecoder(maxFrameBytes);
  for await (const chunk of source) {
    decoder.push(chunk);
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) yield frame;
  }
  if (!decoder.isIdle) throw new FrameError('the stream ended within a frame', undefined);
}

/** The bounds of one response; a stream's row gives them. */
export type ResponseLimits = {
  /** Payload of one frame. */
  readonly maxFrameBytes: number;
  /** Frames without the end frame. */
  readonly maxFrames: number;
  /** All payloads together. */
  readonly maxResponseBytes: number;
};

export type StatusFrame = { readonly status: ResponseStatus; readonly payload: Uint8Array };

/**
 * The frames of one response as they arrive; a transform for `pipe`. Ends at the end frame and reads no further.
 * Throws FrameError when a rule or bound is broken, and when the source ends first: an end without an end frame can
 * be a reset in disguise. Back-pressure as `readFrames`.
 */
export async function* readResponse(
  source: AsyncIterable<Uint8Array>,
  limits: ResponseLimits,
): AsyncGenerator<StatusFrame> {
  let frames = 0;
  let bytes = 0;
  let hasFailed = false;
  for await (const frame of readFrames(source, limits.maxFrameBytes + 1)) {
    const [status] = frame;
    if (status === undefined) return;
    const payload = frame.subarray(1);
    frames++;
    bytes += payload.length;
    if (hasFailed) throw new FrameError('a frame behind a failure', 'protocol-violation');
    if (frames > limits.maxFrames) throw new FrameError(`more than ${limits.maxFrames} frames`, 'protocol-violation');
    if (bytes > limits.maxResponseBytes) {
      throw new FrameError(`a response of more than ${limits.maxResponseBytes} bytes`, 'oversized-frame');
    }
    const known = parseStatus(status);
    hasFailed = known !== responseStatus.ok && known !== responseStatus.notFound;
    yield { status: known, payload };
  }
  throw new FrameError('the stream ended before the response', undefined);
}

function parseStatus(byte: number): ResponseStatus {
  switch (byte) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return byte;
    default:
      throw new FrameError(`an unknown status ${byte}`, 'protocol-violation');
  }
}

/**
 * What a peer may send to the muxer, counted before the muxer sees it. Yamux waits for the whole of a data frame, of up to
 * 4 GiB, opens streams as fast as they are reset, and answers every frame of 12 bytes. Reads frame heads alone
 * (the yamux spec: version, type, flags, stream id, length); throws a `MuxerFault`, and the connection is over then.
 */
import type { OffenceName } from '#protocol';
import type { Clock } from '#util';
import type { Quota } from './rows.ts';
import { TokenBuckets } from './token-bucket.ts';

const HEAD_BYTES = 12;
const DATA = 0;
const PING = 2;
const SYN = 1;

/** Streams that one connection opens, whatever becomes of them. One costs 0.2 ms; kept streams need a few an hour. */
const STREAMS: Quota = { burst: 1_000, perSecond: 200 };
/** Each is answered by a record of its own, 10 microseconds. Libraries send one each 15 to 30 s. */
const PINGS: Quota = { burst: 100, perSecond: 1 };
/**
 * Frames that carry nothing to speak of: window updates, pings, resets, a few bytes. 2 microseconds each. An honest peer
 * sends a window update for each frame of ours: 6,400 a second for 100 MB in the smallest pieces.
 */
const SMALL_FRAMES: Quota = { burst: 50_000, perSecond: 10_000 };
const SMALL_BYTES = 256;

/** The peer broke a bound of its connection. */
export class MuxerFault extends Error {
  override readonly name = 'MuxerFault';
  readonly offence: OffenceName;

  constructor(offence: OffenceName, message: string) {
    super(message);
    this.offence = offence;
  }
}

export class FrameMeter {
  readonly #maxDataBytes: number;
  readonly #rates: TokenBuckets;
  /** A head that has come in part. */
  readonly #head = new Uint8Array(HEAD_BYTES);
  readonly #view = new DataView(this.#head.buffer);
  #headBytes = 0;
  /** What is left of the data of a frame. */
  #dataBytes = 0;
  /** In the bytes at hand. */
  #opened = 0;
  #pings = 0;
  #small = 0;

  /** `maxDataBytes`: the largest receive window, into which no data frame fits that is longer. */
  constructor(clock: Clock, maxDataBytes: number) {
    this.#maxDataBytes = maxDataBytes;
    this.#rates = new TokenBuckets(clock);
  }

  /** The next bytes of the connection. Throws MuxerFault. */
  read(bytes: Uint8Array | Iterable<Uint8Array>): void {
    this.#opened = 0;
    this.#pings = 0;
    this.#small = 0;
    if (bytes instanceof Uint8Array) this.#readPiece(bytes);
    else for (const piece of bytes) this.#readPiece(piece);
    this.#count('streams', STREAMS, this.#opened);
    this.#count('pings', PINGS, this.#pings);
    this.#count('frames', SMALL_FRAMES, this.#small);
  }

  #count(what: string, quota: Quota, cost: number): void {
    if (!this.#rates.take(what, quota, cost)) throw new MuxerFault('protocol-violation', `a flood of muxer ${what}`);
  }

  #readPiece(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; ) {
      if (this.#dataBytes > 0) {
        const skipped = Math.min(this.#dataBytes, piece.length - at);
        this.#dataBytes -= skipped;
        at += skipped;
        continue;
      }
      const part = piece.subarray(at, at + HEAD_BYTES - this.#headBytes);
      this.#head.set(part, this.#headBytes);
      this.#headBytes += part.length;
      at += part.length;
      if (this.#headBytes < HEAD_BYTES) return;
      this.#headBytes = 0;
      this.#take(this.#view.getUint8(1), this.#view.getUint16(2), this.#view.getUint32(8));
    }
  }

  #take(type: number, flags: number, length: number): void {
    const dataBytes = type === DATA ? length : 0;
    if (dataBytes > this.#maxDataBytes) {
      throw new MuxerFault('oversized-frame', `a muxer frame of ${length} bytes`);
    }
    if ((flags & SYN) !== 0) {
      if (type === PING) this.#pings += 1;
      else this.#opened += 1;
    }
    if (dataBytes < SMALL_BYTES) this.#small += 1;
    this.#dataBytes = dataBytes;
  }
}

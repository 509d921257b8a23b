/**
 * Writes large responses in pieces that take turns with those of other peers. The pieces begin small, grow while the
 * link takes them at once and shrink when it does not: a piece is what a slow link must carry before either end sees
 * any progress, and what other answers on the same connection wait behind. At most one piece lies unsent in libp2p.
 */
import type { Stream } from '@libp2p/interface';
import type { Uint8ArrayList } from 'uint8arraylist';
import type { Clock } from '#util';
import type { PeerIdText } from './port.ts';
import { MIN_PIECE_BYTES, type SendTurns } from './send-turns.ts';
import { writeChunk } from './stream-io.ts';

/** A piece that leaves sooner is followed by one of twice the size. */
const FAST_MS = 100;
/** A piece that takes longer is followed by one of half the size. */
const SLOW_MS = 1_000;

export class PieceWriter {
  readonly #stream: Stream;
  readonly #peer: PeerIdText;
  readonly #turns: SendTurns;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #onTaken: (bytes: number) => void;
  #pieceBytes = MIN_PIECE_BYTES;

  constructor(
    stream: Stream,
    peer: PeerIdText,
    turns: SendTurns,
    clock: Clock,
    signal: AbortSignal,
    onTaken: (bytes: number) => void,
  ) {
    this.#stream = stream;
    this.#peer = peer;
    this.#turns = turns;
    this.#clock = clock;
    this.#signal = signal;
    this.#onTaken = onTaken;
  }

  /** What goes out at once now. */
  get pieceBytes(): number {
    return Math.min(this.#pieceBytes, this.#turns.pieceBytes);
  }

  /** Resolves when libp2p has handed all of it to the connection. */
  async write(bytes: Uint8ArrayList): Promise<void> {
    for (let sent = 0; sent < bytes.byteLength; ) {
      this.#pieceBytes = this.pieceBytes;
      const piece = bytes.sublist(sent, Math.min(bytes.byteLength, sent + this.#pieceBytes));
      await this.#turns.wait(this.#peer, piece.byteLength, this.#signal);
      const startedMs = this.#clock.monotonicMs();
      await writeChunk(this.#stream, piece, this.#signal, this.#onTaken, 0);
      // Small ones tell nothing of the link.
      if (2 * piece.byteLength > this.#pieceBytes) this.#adapt(this.#clock.monotonicMs() - startedMs);
      sent += piece.byteLength;
    }
  }

  #adapt(tookMs: number): void {
    if (tookMs <= FAST_MS) this.#pieceBytes *= 2;
    else if (tookMs > SLOW_MS) this.#pieceBytes = Math.max(MIN_PIECE_BYTES, Math.floor(this.#pieceBytes / 2));
  }
}

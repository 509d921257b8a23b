/**
 * Who of many peers may send next. Large responses go out in pieces, and the pieces of all peers take turns in a fair
 * line: encryption is most of what serving costs, so turns at it are what is shared. A turn of the event loop sends so
 * many bytes in all and then lets others run; what lies unsent in libp2p goes out without a turn and is bounded too.
 */
import { FairLine } from './fair-line.ts';

/** Some four milliseconds of encryption. */
const LOOP_TURN_BYTES = 1 << 20;
/** Unsent in libp2p, of all streams together. */
const UNSENT_BYTES = 8 << 20;
/** Half of the largest window: while one is on its way the next may leave. Of it 0.86 of bare libp2p's efficiency, 0.79 of half, 0.87 of twice. */
const MAX_PIECE_BYTES = 512 * 1024;
/** At 10 kB/s a piece leaves in 1.6 s, four streams at a time within the protocol's 10 s. */
export const MIN_PIECE_BYTES = 16 * 1024;

export class SendTurns {
  readonly #line = new FairLine();
  #streams = 0;
  #sent = 0;
  #isPlanned = false;

  /** Largest piece for now. */
  get pieceBytes(): number {
    const share = 2 ** Math.floor(Math.log2(UNSENT_BYTES / Math.max(1, this.#streams)));
    return Math.max(MIN_PIECE_BYTES, Math.min(MAX_PIECE_BYTES, share));
  }

  /** One more stream sends; call what it gives when it is done. */
  enter(): () => void {
    this.#streams += 1;
    return () => {
      this.#streams -= 1;
    };
  }

  /** Resolves when the peer may send so many bytes. Rejects with the signal's reason. */
  async wait(peer: string, bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#plan();
    if (this.#line.length > 0 || !this.#fits()) return this.#line.wait(peer, bytes, signal);
    this.#line.give(peer, bytes);
    this.#sent += bytes;
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(this.#nextTurn);
  }

  readonly #fits = (): boolean => this.#sent < LOOP_TURN_BYTES;

  readonly #nextTurn = (): void => {
    this.#isPlanned = false;
    this.#sent = 0;
    this.#admit();
  };

  /** One at a time: a peer with one stream is back in line before the next goes, if its link takes more. */
  readonly #admit = (): void => {
    const admitted = this.#line.admitNext(
      () => true,
      this.#fits,
      (_peer, bytes) => {
        this.#sent += bytes;
      },
    );
    if (admitted === 'nobody') return;
    this.#plan();
    // Behind all that promises have made ready.
    if (admitted === 'admitted') queueMicrotask(() => process.nextTick(this.#admit));
  };
}

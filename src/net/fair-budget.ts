/**
 * Bytes that responses to many peers may hold at once, in shares: a frame each, so many to a peer. Who wants one more
 * waits in a fair line. Nothing is dropped here; `onShort` tells whoever can make room that the line does not move.
 */
import type { Clock, TimerHandle } from '#util';
import { FairLine } from './fair-line.ts';

export type FairBudgetOptions = {
  readonly maxBytes: number;
  readonly maxPeerShares: number;
  /** Somebody waits for room, and nobody got any for so long. */
  readonly shortMs: number;
};

export type Share = {
  /** The size is known now: what was reserved is corrected. */
  readonly resize: (bytes: number) => void;
  /** Idempotent. */
  readonly release: () => void;
};

export class FairBudget {
  readonly #options: FairBudgetOptions;
  readonly #clock: Clock;
  readonly #onShort: () => void;
  readonly #line = new FairLine();
  readonly #shares = new Map<string, number>();
  #held = 0;
  #timer: TimerHandle | undefined;

  /** `onShort` is called each `shortMs` for as long as it lasts. */
  constructor(options: FairBudgetOptions, clock: Clock, onShort: () => void) {
    this.#options = options;
    this.#clock = clock;
    this.#onShort = onShort;
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held;
  }

  /** Who waits for room. */
  get waiting(): number {
    return this.#line.length;
  }

  /** Resolves once the bytes are the peer's. Rejects with the signal's reason; then nothing was taken. */
  async acquire(peer: string, bytes: number, signal: AbortSignal): Promise<Share> {
    signal.throwIfAborted();
    if (this.#line.length === 0 && this.#mayHold(peer) && this.#fits(bytes)) {
      this.#line.give(peer, bytes);
      this.#take(peer, bytes);
      return this.#share(peer, bytes);
    }
    const admitted = this.#line.wait(peer, bytes, signal).then(
      () => this.#share(peer, bytes),
      (error) => {
        // What it wanted may have kept the others waiting.
        this.#admit();
        throw error;
      },
    );
    this.#admit();
    return admitted;
  }

  #share(peer: string, bytes: number): Share {
    let held = bytes;
    let isOver = false;
    return {
      resize: (actual) => {
        this.#line.correct(peer, actual - held);
        this.#held += actual - held;
        held = actual;
        this.#admit();
      },
      release: () => {
        if (isOver) return;
        isOver = true;
        this.#held -= held;
        const left = (this.#shares.get(peer) ?? 1) - 1;
        if (left > 0) this.#shares.set(peer, left);
        else this.#shares.delete(peer);
        this.#admit();
      },
    };
  }

  readonly #take = (peer: string, bytes: number): void => {
    this.#held += bytes;
    this.#shares.set(peer, (this.#shares.get(peer) ?? 0) + 1);
  };

  readonly #mayHold = (peer: string): boolean => (this.#shares.get(peer) ?? 0) < this.#options.maxPeerShares;

  /** One piece passes alone however large it is. */
  readonly #fits = (bytes: number): boolean => this.#held <= 0 || this.#held + bytes <= this.#options.maxBytes;

  #admit(): void {
    for (;;) {
      const turn = this.#line.admitNext(this.#mayHold, this.#fits, this.#take);
      if (turn === 'nobody') return;
      if (turn === 'too-large') {
        this.#timer ??= this.#clock.after(this.#options.shortMs, this.#tellShort);
        return;
      }
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  readonly #tellShort = (): void => {
    this.#timer = undefined;
    if (this.#line.length === 0) return;
    this.#onShort();
    this.#admit();
  };
}

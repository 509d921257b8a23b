/**
 * A line in which peers take turns, not callers: the peer that has been given the fewest bytes goes first, and of one
 * peer's callers the one that came first. A peer with many streams gets no more than one with few. This is start-time
 * fair queueing (Goyal 1996).
 * Invariant: of peers that wait all the time, none is given more than another by more than the largest piece.
 */
type Caller = { readonly bytes: number; readonly admit: () => void };

type Lane = {
  /** Bytes given, counted from where the line stood when the peer came. */
  given: number;
  readonly callers: Caller[];
};

/** Peers remembered; beyond it those who do not wait are forgotten, and may start even with the others. */
const MAX_LANES = 1024;

export class FairLine {
  readonly #lanes = new Map<string, Lane>();
  /** What the last peer that went had been given before. Who comes anew starts here: nobody saves up turns. */
  #stand = 0;
  #length = 0;

  /** Callers that wait. */
  get length(): number {
    return this.#length;
  }

  /** Gives bytes without a wait. */
  give(peer: string, bytes: number): void {
    const lane = this.#laneOf(peer);
    // Whoever could not go while others did has no claim to what they had.
    lane.given = Math.max(lane.given, this.#stand);
    this.#stand = lane.given;
    lane.given += bytes;
  }

  /** What was given turned out to be so many bytes more, or fewer. */
  correct(peer: string, bytes: number): void {
    const lane = this.#laneOf(peer);
    lane.given += bytes;
  }

  /** Waits until `admitNext` comes to this caller. Rejects with the signal's reason; then it has left the line. */
  wait(peer: string, bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const { callers } = this.#laneOf(peer);
      const onAbort = (): void => {
        callers.splice(callers.indexOf(caller), 1);
        this.#length -= 1;
        reject(signal.reason);
      };
      const admit = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const caller: Caller = { bytes, admit };
      callers.push(caller);
      this.#length += 1;
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /**
   * Gives the first caller of the peer whose turn it is what it waits for: `admitted`. `nobody` may go, or what the one
   * whose turn it is wants is `too-large` now: others must not slip past it, or large pieces would wait for ever.
   */
  admitNext(
    mayGo: (peer: string) => boolean,
    fits: (bytes: number) => boolean,
    onAdmitted: (peer: string, bytes: number) => void,
  ): 'admitted' | 'nobody' | 'too-large' {
    let turn:
      | { readonly peer: string; readonly given: number; readonly lane: Lane; readonly caller: Caller }
      | undefined;
    for (const [peer, lane] of this.#lanes) {
      const [caller] = lane.callers;
      if (caller === undefined || !mayGo(peer)) continue;
      const given = Math.max(lane.given, this.#stand);
      if (turn === undefined || given < turn.given) turn = { peer, given, lane, caller };
    }
    if (turn === undefined) return 'nobody';
    const { peer, lane, caller } = turn;
    if (!fits(caller.bytes)) return 'too-large';
    lane.callers.shift();
    this.#length -= 1;
    // Behind the others of the same standing from now on: equal peers go round.
    this.#lanes.delete(peer);
    this.#lanes.set(peer, lane);
    this.give(peer, caller.bytes);
    onAdmitted(peer, caller.bytes);
    caller.admit();
    return 'admitted';
  }

  #laneOf(peer: string): Lane {
    const known = this.#lanes.get(peer);
    if (known !== undefined) return known;
    if (this.#lanes.size >= MAX_LANES) this.#forgetIdle();
    const lane: Lane = { given: this.#stand, callers: [] };
    this.#lanes.set(peer, lane);
    return lane;
  }

  #forgetIdle(): void {
    for (const [peer, { callers }] of this.#lanes) if (callers.length === 0) this.#lanes.delete(peer);
  }
}

/**
 * Asks peers for the same part of an announced block: one at once, others when those asked are slow, and another at once
 * when one fails; each peer once, three at most. Announcers come first, then who says to have the block, then anybody; an
 * outbound one is among the first `outboundBy` if there is one. Nobody is blamed for being slow.
 */
import type { PeerIdText } from '#net';
import type { BlockHash } from '#primitives';
import type { Clock, Random, TimerHandle } from '#util';
import type { HedgePace } from './hedge-pace.ts';

const MAX_ASKED = 3;

export type HedgePeer = {
  readonly id: PeerIdText;
  readonly isOutbound: boolean;
  /** It says that this block is its tip. The others may have it. */
  readonly hasBlock: boolean;
};

export type HedgeDeps = {
  /** Everybody who is connected. */
  readonly peers: (hash: BlockHash) => readonly HedgePeer[];
  readonly pace: HedgePace;
  readonly clock: Clock;
  readonly random: Random;
};

export type HedgePlan = {
  readonly hash: BlockHash;
  readonly outboundBy: number;
  /** In the order of their announcements, as of now. */
  readonly announcers: () => readonly PeerIdText[];
  /** False, or a rejection, if the answer was of no use: another peer is asked. Not looked at once `signal` aborts. */
  readonly ask: (peer: PeerIdText, signal: AbortSignal) => Promise<boolean>;
  /** Nobody is being asked, and nobody is left. */
  readonly exhausted: () => void;
};

export class Hedge {
  readonly #deps: HedgeDeps;
  readonly #plan: HedgePlan;
  readonly #asked = new Set<PeerIdText>();
  #abort = new AbortController();
  #timers: readonly TimerHandle[] = [];
  #running = 0;
  #hasAskedOutbound = false;

  constructor(deps: HedgeDeps, plan: HedgePlan) {
    this.#deps = deps;
    this.#plan = plan;
  }

  start(first: PeerIdText): void {
    const { clock, pace } = this.#deps;
    this.#timers = pace.delaysMs.map((ms, i) => clock.after(ms, () => this.#askUpTo(i + 2)));
    this.#ask(first);
  }

  /** Asks one more peer; `exhausted` is called if there is none and nobody is being asked. */
  askNext(): void {
    const peer = this.#asked.size < MAX_ASKED ? this.#choose() : undefined;
    if (peer !== undefined) this.#ask(peer);
    else if (this.#running === 0) this.#plan.exhausted();
  }

  /** Gives up what was asked, and asks nobody until the next `askNext`. */
  rest(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    this.#running = 0;
    this.#abort.abort(new Error('it is there, or is fetched by other means'));
    this.#abort = new AbortController();
  }

  #askUpTo(count: number): void {
    if (this.#asked.size < count) this.askNext();
  }

  #choose(): PeerIdText | undefined {
    const open = this.#deps.peers(this.#plan.hash).filter(({ id }) => !this.#asked.has(id));
    const isDue = this.#asked.size >= this.#plan.outboundBy - 1 && !this.#hasAskedOutbound;
    const outbound = isDue ? open.filter((peer) => peer.isOutbound) : [];
    const peers = outbound.length > 0 ? outbound : open;
    const announcer = this.#plan.announcers().find((id) => peers.some((peer) => peer.id === id));
    if (announcer !== undefined) return announcer;
    const likely = peers.filter((peer) => peer.hasBlock);
    const among = likely.length > 0 ? likely : peers;
    return among.length > 0 ? among[this.#deps.random.below(among.length)]?.id : undefined;
  }

  #ask(peer: PeerIdText): void {
    this.#deps.pace.asked(this.#asked.size === 0);
    this.#asked.add(peer);
    this.#hasAskedOutbound ||= this.#deps
      .peers(this.#plan.hash)
      .some(({ id, isOutbound }) => isOutbound && id === peer);
    this.#running++;
    const { signal } = this.#abort;
    const askedAtMs = this.#deps.clock.monotonicMs();
    const ended = (isUseful: boolean): void => {
      if (isUseful) this.#deps.pace.answered(this.#deps.clock.monotonicMs() - askedAtMs);
      if (signal.aborted) return;
      this.#running--;
      if (!isUseful) this.askNext();
    };
    this.#plan.ask(peer, signal).then(ended, () => ended(false));
  }
}

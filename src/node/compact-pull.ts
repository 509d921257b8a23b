/**
 * A block of which only the header was announced: asks peers for its compact form. The first that announced it is asked
 * at once, others when it is slow (`HedgePace`), an outbound one as the second if there is one. The header is passed on at
 * each hop at once, the request goes back one hop, and the form follows one hop behind: each node waits for one round trip
 * to its announcer, and for another where the form exceeds TCP's first flight of 14 kB. A form that proves wrong is no
 * offence, for peers pass it on before they can check it: another is asked for.
 */
import type { PeerIdText } from '#net';
import type { BlockHash } from '#primitives';
import type { Decoded, topics } from '#protocol';
import { Hedge, type HedgeDeps } from './hedge.ts';

const OUTBOUND_BY = 2;

export type CompactMessage = Decoded<(typeof topics)['block']['codec']>;

export type PullDeps = HedgeDeps & {
  /** Undefined when the peer does not have the block. Rejects when the exchange fails; what the peer did wrong is charged. */
  readonly requestCompact: (
    peer: PeerIdText,
    hash: BlockHash,
    signal: AbortSignal,
  ) => Promise<CompactMessage | undefined>;
};

export type PullUse = {
  readonly announcers: () => readonly PeerIdText[];
  /** Looks at a form; false if another may be better. */
  readonly take: (compact: CompactMessage, from: PeerIdText) => Promise<boolean>;
  readonly exhausted: () => void;
};

export class CompactPull {
  readonly #hedge: Hedge;

  constructor(hash: BlockHash, deps: PullDeps, { announcers, take, exhausted }: PullUse) {
    const ask = async (peer: PeerIdText, signal: AbortSignal): Promise<boolean> => {
      const compact = await deps.requestCompact(peer, hash, signal);
      // Of two that came at the same time the second is not looked at.
      if (compact === undefined || signal.aborted) return false;
      // The others are given up before the form is looked at, which takes a while: their answers would come meanwhile.
      this.#hedge.rest();
      if (!(await take(compact, peer))) this.askAnother();
      return true;
    };
    this.#hedge = new Hedge(deps, { hash, outboundBy: OUTBOUND_BY, announcers, ask, exhausted });
  }

  start(announcer: PeerIdText): void {
    this.#hedge.start(announcer);
  }

  /** The form proved wrong. */
  askAnother(): void {
    this.#hedge.askNext();
  }

  /** Gives up what is asked for, as long as nobody asks for another. */
  rest(): void {
    this.#hedge.rest();
  }
}

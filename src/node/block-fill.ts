/**
 * One announced block whose transactions are not all known: asks peers for the rest. Whose announcement is used is asked
 * at once, two others when it is slow (`HedgePace`; one of the three outbound if there is one); whoever fails is replaced
 * at once. The first answer as announced that gives the merkle root wins, the others are aborted. It is given up some time
 * after the announcement, two seconds as a rule. When nobody is left, or an answer fits the announcement and still is not the
 * block, another form of it is sought.
 * Nobody is blamed here: an announcement is passed on before its sender can check it, and a short id may meet the wrong
 * transaction of our own (Core's READ_STATUS_FAILED). Answers of a wrong length never come here (READ_STATUS_INVALID).
 */
import { merkleRoot } from '#consensus';
import type { PeerIdText } from '#net';
import type { Block, BlockHash, Transaction } from '#primitives';
import { fillMissing } from '#protocol';
import { equalBytes, type TimerHandle } from '#util';
import { Hedge, type HedgeDeps } from './hedge.ts';

const OUTBOUND_BY = 3;

/** A block of which some transactions are not known. */
export type PartialBlock = Parameters<typeof fillMissing>[0];

export type FillDeps = HedgeDeps & {
  /**
   * As many transactions as asked; undefined when the peer does not have the block. Rejects when the exchange fails; what
   * the peer did wrong in it has been charged.
   */
  readonly requestBlockTxs: (
    peer: PeerIdText,
    hash: BlockHash,
    indexes: readonly number[],
    signal: AbortSignal,
  ) => Promise<readonly Transaction[] | undefined>;
};

export type FillOutcome =
  /** The merkle root holds; nothing else was checked. `filled`: what a peer gave transactions for; undefined: none was needed. */
  | { readonly kind: 'rebuilt'; readonly block: Block; readonly filled: PartialBlock | undefined }
  | { readonly kind: 'given-up'; readonly reason: string };

export class BlockFill {
  readonly outcome: Promise<FillOutcome>;
  readonly #hash: BlockHash;
  readonly #deps: FillDeps;
  readonly #resolve: (outcome: FillOutcome) => void;
  readonly #seekVariant: () => void;
  readonly #giveUpTimer: TimerHandle;
  readonly #announcers: PeerIdText[] = [];
  #hedge: Hedge | undefined;
  /** What the announcements and our own transactions give; the one that lacks least comes first. */
  #variants: readonly PartialBlock[] = [];
  #blockBytes = 0;
  #isOver = false;

  /** `seekVariant` is called when none is left that could be the block; it leads to another `offer`, or to `giveUp`. */
  constructor(hash: BlockHash, deps: FillDeps, seekVariant: () => void) {
    this.#hash = hash;
    this.#deps = deps;
    this.#seekVariant = seekVariant;
    const { promise, resolve } = Promise.withResolvers<FillOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    this.#giveUpTimer = deps.clock.after(deps.pace.giveUpMs, () => this.giveUp('too slow'));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** In the order in which they announced it. */
  get announcers(): readonly PeerIdText[] {
    return this.#announcers;
  }

  /** Bytes that it holds: transactions and short ids, then the block. */
  get bytes(): number {
    return this.#variants.reduce((sum, partial) => sum + partialBytes(partial), this.#blockBytes);
  }

  /** Another peer announced the block. */
  announcedBy(peer: PeerIdText): void {
    if (!this.#announcers.includes(peer)) this.#announcers.push(peer);
  }

  /**
   * A variant of the announcement: the first begins the asking, a later one is asked for next if it lacks less, or if
   * an answer shows those before it to be wrong. The caller bounds their number.
   */
  offer(partial: PartialBlock, peer: PeerIdText): void {
    if (this.#isOver) return;
    this.announcedBy(peer);
    const isFirst = this.#variants.length === 0;
    this.#variants = [...this.#variants, partial].sort((a, b) => a.missing.length - b.missing.length);
    if (!isFirst) return;
    this.#hedge = new Hedge(this.#deps, {
      hash: this.#hash,
      outboundBy: OUTBOUND_BY,
      announcers: () => this.#announcers,
      ask: (each, signal) => this.#ask(each, signal),
      exhausted: () => this.#seekOther(),
    });
    this.#hedge.start(peer);
  }

  /** The block is complete without anybody's help. */
  supply(block: Block): void {
    this.#end({ kind: 'rebuilt', block, filled: undefined });
  }

  /** `reason` is for the log. */
  giveUp(reason: string): void {
    this.#end({ kind: 'given-up', reason });
  }

  async #ask(peer: PeerIdText, signal: AbortSignal): Promise<boolean> {
    const [partial] = this.#variants;
    if (partial === undefined) return false;
    const answer = await this.#deps.requestBlockTxs(peer, this.#hash, partial.missing, signal);
    if (signal.aborted || answer === undefined) return false;
    const { result, isAsAnnounced } = fillMissing(partial, answer);
    // The merkle root does not cover witnesses, short ids do: other ones would only fail later.
    if (isAsAnnounced && result.kind === 'complete' && hasMerkleRoot(result.block, result.transactions)) {
      this.#end({ kind: 'rebuilt', block: result.block, filled: partial });
      return true;
    }
    return this.#wrongAnswer(partial, isAsAnnounced);
  }

  /** `partial` is the variant that was asked for, which need not be in use any more. True if nobody is to be asked now. */
  #wrongAnswer(partial: PartialBlock, isAsAnnounced: boolean): boolean {
    const others = this.#variants.filter((variant) => variant !== partial);
    if (others.length > 0) this.#variants = others;
    if (others.length > 0 || !isAsAnnounced) return false;
    // The peer gave what was announced: one of our own is wrong, or the announcement. Nobody's answer will do.
    this.#seekOther();
    return true;
  }

  #seekOther(): void {
    this.#variants = [];
    this.#hedge?.rest();
    this.#seekVariant();
  }

  #end(outcome: FillOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#variants = [];
    if (outcome.kind === 'rebuilt') this.#blockBytes = outcome.block.size;
    this.#giveUpTimer.cancel();
    this.#hedge?.rest();
    this.#resolve(outcome);
  }
}

export function partialBytes({ bytes, compact }: PartialBlock): number {
  return bytes + compact.shortIds.length;
}

/** Of transactions that are decoded already: those of the mempool know their ids. */
export function hasMerkleRoot({ header }: Block, transactions: readonly Pick<Transaction, 'txidBytes'>[]): boolean {
  return equalBytes(merkleRoot(transactions.map((tx) => tx.txidBytes)), header.merkleRoot);
}

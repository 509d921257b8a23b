/**
 * One announced block whose transactions are not all known: asks peers for the rest. The first that announced it is
 * asked at once, a second peer after half a second, a third after one (one of the three outbound if there is one); whoever
 * fails is replaced at once. The first answer as announced that gives the merkle root wins, the others are aborted. It
 * gives up after two seconds, when nobody is left, or when an answer fits the announcement and still is not the block.
 * Nobody is blamed here: an announcement is passed on before its sender can check it, and a short id may meet the wrong
 * transaction of our own (Core's READ_STATUS_FAILED). Answers of a wrong length never come here (READ_STATUS_INVALID).
 */
import { merkleRoot } from '#consensus';
import type { PeerIdText } from '#net';
import type { Block, BlockHash, Transaction } from '#primitives';
import { fillMissing } from '#protocol';
import { type Clock, equalBytes, type Random, type TimerHandle } from '#util';

/** When the second and the third peer are asked. */
const HEDGE_MS = [500, 1000] as const;
/** When the whole block is fetched instead; as long as sync leaves an announced block alone. */
const GIVE_UP_MS = 2000;
const MAX_ASKED = 1 + HEDGE_MS.length;

/** A block of which some transactions are not known. */
export type PartialBlock = Parameters<typeof fillMissing>[0];

export type FillPeer = {
  readonly id: PeerIdText;
  readonly isOutbound: boolean;
  /** It says that this block is its tip. The others may have it. */
  readonly hasBlock: boolean;
};

export type FillDeps = {
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
  /** Everybody who is connected. */
  readonly peers: (hash: BlockHash) => readonly FillPeer[];
  readonly clock: Clock;
  readonly random: Random;
};

export type FillOutcome =
  /** The merkle root holds; nothing else was checked. */
  | { readonly kind: 'rebuilt'; readonly block: Block; readonly roundTrips: 0 | 1 }
  | { readonly kind: 'given-up'; readonly reason: 'too-slow' | 'nobody-left' | 'wrong-guess' | 'closed' };

export class BlockFill {
  readonly outcome: Promise<FillOutcome>;
  readonly #hash: BlockHash;
  readonly #deps: FillDeps;
  readonly #resolve: (outcome: FillOutcome) => void;
  readonly #abort = new AbortController();
  readonly #announcers: PeerIdText[] = [];
  readonly #asked = new Set<PeerIdText>();
  #timers: readonly TimerHandle[] = [];
  /** What the announcements and our own transactions give; the one that lacks least comes first. */
  #variants: readonly PartialBlock[] = [];
  #running = 0;
  #blockBytes = 0;
  #hasAskedOutbound = false;
  #isOver = false;

  constructor(hash: BlockHash, deps: FillDeps) {
    this.#hash = hash;
    this.#deps = deps;
    const { promise, resolve } = Promise.withResolvers<FillOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
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
    const { clock } = this.#deps;
    this.#timers = [
      ...HEDGE_MS.map((delayMs, i) => clock.after(delayMs, () => this.#askUpTo(i + 2))),
      clock.after(GIVE_UP_MS, () => this.#giveUp('too-slow')),
    ];
    this.#ask(peer);
  }

  /** The block is complete without anybody's help. */
  supply(block: Block): void {
    this.#end({ kind: 'rebuilt', block, roundTrips: 0 });
  }

  close(): void {
    this.#giveUp('closed');
  }

  #askUpTo(count: number): void {
    if (this.#asked.size < count) this.#askNext();
  }

  #askNext(): void {
    const peer = this.#asked.size < MAX_ASKED ? this.#choose() : undefined;
    if (peer !== undefined) this.#ask(peer);
    else if (this.#running === 0) this.#giveUp('nobody-left');
  }

  /** Announcers first, then who says to have the block, then anybody. */
  #choose(): PeerIdText | undefined {
    const open = this.#deps.peers(this.#hash).filter(({ id }) => !this.#asked.has(id));
    const isLast = this.#asked.size === MAX_ASKED - 1;
    const outbound = isLast && !this.#hasAskedOutbound ? open.filter((peer) => peer.isOutbound) : [];
    const peers = outbound.length > 0 ? outbound : open;
    const announcer = this.#announcers.find((id) => peers.some((peer) => peer.id === id));
    if (announcer !== undefined) return announcer;
    const likely = peers.filter((peer) => peer.hasBlock);
    const among = likely.length > 0 ? likely : peers;
    return among.length > 0 ? among[this.#deps.random.below(among.length)]?.id : undefined;
  }

  #ask(peer: PeerIdText): void {
    const [partial] = this.#variants;
    if (partial === undefined) return;
    this.#asked.add(peer);
    this.#hasAskedOutbound ||= this.#deps.peers(this.#hash).some(({ id, isOutbound }) => isOutbound && id === peer);
    this.#running++;
    this.#deps.requestBlockTxs(peer, this.#hash, partial.missing, this.#abort.signal).then(
      (answer) => this.#answered(partial, answer),
      () => this.#answered(partial, undefined),
    );
  }

  /** `partial` is the variant that was asked for, which need not be in use any more. */
  #answered(partial: PartialBlock, answer: readonly Transaction[] | undefined): void {
    this.#running--;
    if (this.#isOver) return;
    if (answer === undefined) {
      this.#askNext();
      return;
    }
    const { result, isAsAnnounced } = fillMissing(partial, answer);
    // The merkle root does not cover witnesses, short ids do: other ones would only fail later.
    if (isAsAnnounced && result.kind === 'complete' && hasMerkleRoot(result.block, result.transactions)) {
      this.#end({ kind: 'rebuilt', block: result.block, roundTrips: 1 });
    } else {
      this.#wrongAnswer(partial, isAsAnnounced);
    }
  }

  #wrongAnswer(partial: PartialBlock, isAsAnnounced: boolean): void {
    const others = this.#variants.filter((variant) => variant !== partial);
    if (others.length > 0) this.#variants = others;
    // The peer gave what was announced: one of our own is wrong, or the announcement. Nobody's answer will do.
    if (others.length === 0 && isAsAnnounced) this.#giveUp('wrong-guess');
    else this.#askNext();
  }

  #giveUp(reason: Extract<FillOutcome, { kind: 'given-up' }>['reason']): void {
    this.#end({ kind: 'given-up', reason });
  }

  #end(outcome: FillOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#variants = [];
    if (outcome.kind === 'rebuilt') this.#blockBytes = outcome.block.size;
    for (const timer of this.#timers) timer.cancel();
    this.#abort.abort(new Error('the block is there, or is fetched whole'));
    this.#resolve(outcome);
  }
}

export function partialBytes({ bytes, compact }: PartialBlock): number {
  return bytes + compact.shortIds.length;
}

/** Of transactions that are decoded already: those of the mempool know their ids. */
export function hasMerkleRoot({ header }: Block, transactions: readonly Transaction[]): boolean {
  return equalBytes(merkleRoot(transactions.map((tx) => tx.txidBytes)), header.merkleRoot);
}

/**
 * Bodies of announced blocks, put together from the mempool, from what it refused lately, and from what peers are asked
 * for: the compact form where only the header was announced, then what is missing. What cannot be rebuilt is left to sync,
 * which fetches the whole block.
 * Bounds: `MAX_FILLS` blocks and `MAX_FILL_BYTES` at once; the newest is left to sync. Matching walks the mempool, so the
 * caller bounds how many variants of one announcement come here; forms that are asked for are three of a block at most.
 */
import type { Chain } from '#chain';
import type { Net, PeerIdText } from '#net';
import type { Block, BlockHash } from '#primitives';
import { reconstructFrom } from '#protocol';
import type { Sync } from '#sync';
import { type Clock, type Logger, nextTurn } from '#util';
import {
  BlockFill,
  type FillDeps,
  type FillOutcome,
  hasMerkleRoot,
  type PartialBlock,
  partialBytes,
} from './block-fill.ts';
import type { BlockOrigin } from './block-origins.ts';
import type { CompactForms } from './compact-forms.ts';
import { type CompactMessage, CompactPull, type PullDeps } from './compact-pull.ts';
import { HedgePace } from './hedge-pace.ts';
import { judgeBlock } from './judge.ts';

const MAX_FILLS = 8;
const MAX_FILL_BYTES = 16_000_000;

/** Why a block is not rebuilt; others are for the log alone. */
const TOO_MANY = 'too many at once';
const CLOSED = 'the node is stopping';

/** Transactions that a block may be made of. */
type Known = Parameters<typeof reconstructFrom>[1];

export type BlockRebuilderDeps = {
  readonly chain: Pick<Chain, 'hasBlock' | 'submitBlock'>;
  readonly mempool: { readonly entries: () => Known };
  readonly extra: { readonly transactions: () => Known };
  readonly sync: Pick<Sync, 'blockWanted'>;
  readonly charge: Net['charge'];
  readonly forms: Pick<CompactForms, 'expect' | 'ended' | 'received' | 'forget' | 'rebuilt'>;
  readonly fill: FillDeps & PullDeps;
  readonly clock: Clock;
  readonly log: Logger;
  /** A block announced by gossip was connected so many milliseconds after it was first heard of. */
  readonly onBlockDelay: (ms: number) => void;
  /** How the body of an announced block came, or will come. */
  readonly onOrigin: (hash: BlockHash, origin: BlockOrigin) => void;
  /** Operational failure (a full disk): the node decides what to do. */
  readonly onFailure: (error: unknown) => void;
};

/** How announced blocks came to be complete. */
export type RebuildStats = {
  readonly withoutRoundTrip: number;
  readonly withRoundTrip: number;
  /** Left to sync; a later variant may have been rebuilt all the same. */
  readonly whole: number;
};

/** `wrong`: what we put together is not the block's body, for the header does not commit to witnesses by itself. */
type Submitted = 'taken' | 'known' | 'invalid' | 'wrong';

type Matched =
  | { readonly kind: 'complete'; readonly block: Block }
  | { readonly kind: 'missing'; readonly partial: PartialBlock }
  /** `isHopeless`: no other variant of the announcement would help. */
  | { readonly kind: 'useless'; readonly reason: string; readonly isHopeless: boolean };

export class BlockRebuilder {
  readonly #deps: BlockRebuilderDeps;
  readonly #fills = new Map<BlockHash, BlockFill>();
  /** Those whose compact form is asked for, or was. */
  readonly #pulls = new Map<BlockHash, CompactPull>();
  /** Of its own: a form may still be on its way to who is asked, what is missing lies there. */
  readonly #formPace = new HedgePace();
  /** The last one rebuilt: peers ask for its transactions before it is connected (Core's m_most_recent_block). */
  #recent: Block | undefined;
  #stats: RebuildStats = { withoutRoundTrip: 0, withRoundTrip: 0, whole: 0 };

  constructor(deps: BlockRebuilderDeps) {
    this.#deps = deps;
  }

  get stats(): RebuildStats {
    return this.#stats;
  }

  /** The block if it was just rebuilt, or once it is; undefined if it is not. */
  async rebuilt(hash: BlockHash): Promise<Block | undefined> {
    const outcome = await this.#fills.get(hash)?.outcome;
    if (outcome?.kind === 'rebuilt') return outcome.block;
    return this.#recent?.hash === hash ? this.#recent : undefined;
  }

  /** The header of a block was announced, no more; its body may be stored. */
  pull(hash: BlockHash, from: PeerIdText, arrivedMs: number): void {
    const running = this.#fills.get(hash);
    if (running !== undefined) running.announcedBy(from);
    else this.#begin(hash, from, arrivedMs)?.pull.start(from);
  }

  /** A variant of the announcement of a block whose header was accepted and whose body may be stored. */
  offer(compact: CompactMessage, from: PeerIdText, arrivedMs: number): void {
    const { hash } = compact.header;
    const running = this.#fills.get(hash);
    if (running?.isOver) return;
    if (running === undefined && this.#isFull()) {
      this.#leaveToSync(hash, [from], TOO_MANY);
      return;
    }
    const matched = this.#match(compact);
    if (matched.kind !== 'useless') {
      const fill = running ?? this.#begin(hash, from, arrivedMs)?.fill;
      if (fill === undefined) return;
      this.#deps.forms.received(compact);
      // What was asked of peers goes on: this one may be a lie, told to end that.
      use(fill, matched, from);
    } else if (running !== undefined) {
      running.announcedBy(from);
    } else if (matched.isHopeless) {
      this.#leaveToSync(hash, [from], matched.reason);
    } else {
      this.#begin(hash, from, arrivedMs)?.pull.start(from);
    }
  }

  /** No more is asked for; what was, is given up. */
  close(): void {
    for (const fill of this.#fills.values()) fill.giveUp(CLOSED);
  }

  #isFull(): boolean {
    return this.#fills.size >= MAX_FILLS;
  }

  /** Undefined, and the block is left to sync, where too many are being rebuilt. */
  #begin(hash: BlockHash, from: PeerIdText, arrivedMs: number): { fill: BlockFill; pull: CompactPull } | undefined {
    if (this.#isFull()) {
      this.#leaveToSync(hash, [from], TOO_MANY);
      return undefined;
    }
    const { fill: deps, forms } = this.#deps;
    const fill = new BlockFill(hash, deps, () => {
      this.#wrongForm(hash);
      pull.askAnother();
    });
    const pull = new CompactPull(
      hash,
      { ...deps, pace: this.#formPace },
      {
        announcers: () => fill.announcers,
        take: (compact, peer) => this.#pulled(fill, compact, peer),
        exhausted: () => fill.giveUp('nobody gives another compact form'),
      },
    );
    fill.announcedBy(from);
    forms.expect(hash);
    this.#pulls.set(hash, pull);
    void this.#finish(hash, fill, arrivedMs);
    return { fill, pull };
  }

  /** A form that was asked for. False if another peer's may be better. */
  async #pulled(fill: BlockFill, compact: CompactMessage, from: PeerIdText): Promise<boolean> {
    const { hash } = compact.header;
    this.#deps.forms.received(compact);
    // Who waits for it is answered before the mempool is walked.
    await nextTurn();
    if (fill.isOver) return true;
    try {
      const matched = this.#match(compact);
      if (matched.kind !== 'useless') {
        use(fill, matched, from);
        return true;
      }
      if (matched.isHopeless) {
        fill.giveUp(matched.reason);
        return true;
      }
    } catch (error) {
      this.#deps.onFailure(error);
    }
    this.#wrongForm(hash);
    return false;
  }

  #wrongForm(hash: BlockHash): void {
    this.#deps.forms.forget(hash);
    this.#deps.forms.expect(hash);
  }

  #match(compact: CompactMessage): Matched {
    const { mempool, extra } = this.#deps;
    const rebuilt = reconstructFrom(compact, both(mempool.entries(), extra.transactions()));
    switch (rebuilt.kind) {
      case 'complete': {
        const { block, transactions } = rebuilt;
        if (!hasMerkleRoot(block, transactions)) return useless('a short id met the wrong transaction');
        return this.#hasRoom(block.size) ? rebuilt : hopeless('too many bytes held');
      }
      case 'missing': {
        const { missing, transactions } = rebuilt.partial;
        if (missing.length * 2 > transactions.length) return hopeless('more than half is missing');
        return this.#hasRoom(partialBytes(rebuilt.partial)) ? rebuilt : hopeless('too many bytes held');
      }
      case 'whole-block':
      case 'invalid':
        return useless(rebuilt.reason);
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#fills.values().reduce((sum, fill) => sum + fill.bytes, bytes) <= MAX_FILL_BYTES;
  }

  async #finish(hash: BlockHash, fill: BlockFill, arrivedMs: number): Promise<void> {
    const { forms, onFailure } = this.#deps;
    this.#fills.set(hash, fill);
    try {
      const outcome = await fill.outcome;
      this.#pulls.get(hash)?.rest();
      if (outcome.kind === 'rebuilt') {
        this.#recent = outcome.block;
        if (outcome.filled !== undefined) forms.rebuilt(outcome.block, outcome.filled);
        await this.#connect(outcome, fill.announcers, arrivedMs);
      } else {
        forms.forget(hash);
        if (outcome.reason !== CLOSED) this.#leaveToSync(hash, fill.announcers, outcome.reason);
      }
    } catch (error) {
      onFailure(error);
    } finally {
      this.#pulls.delete(hash);
      this.#fills.delete(hash);
      forms.ended(hash);
    }
  }

  async #connect(
    { block, filled }: Extract<FillOutcome, { kind: 'rebuilt' }>,
    announcers: readonly PeerIdText[],
    arrivedMs: number,
  ): Promise<void> {
    const { clock, log, onBlockDelay, onOrigin, forms } = this.#deps;
    const { hash } = block;
    const missing = filled?.missing.length ?? 0;
    // Said before it is connected: then who hears of the tip knows.
    onOrigin(hash, filled === undefined ? 'rebuilt' : 'rebuilt-with-round-trip');
    const submitted = await this.#submit(block, announcers);
    log.debug('block rebuilt', { hash, missing, announcements: announcers.length, submitted });
    if (submitted === 'taken') {
      const key = filled === undefined ? 'withoutRoundTrip' : 'withRoundTrip';
      this.#stats = { ...this.#stats, [key]: this.#stats[key] + 1 };
      onBlockDelay(clock.monotonicMs() - arrivedMs);
    } else if (submitted === 'wrong') {
      if (this.#recent === block) this.#recent = undefined;
      forms.forget(hash);
      this.#leaveToSync(hash, announcers, 'not the block after all');
    }
  }

  async #submit(block: Block, announcers: readonly PeerIdText[]): Promise<Submitted> {
    const { chain, charge, log } = this.#deps;
    const verdict = await chain.submitBlock(block);
    if (verdict.kind === 'duplicate') return 'known';
    if (verdict.kind !== 'invalid') return 'taken';
    const { failure } = verdict;
    log.debug('rebuilt block refused', { hash: block.hash, code: failure.code });
    const { offence } = judgeBlock(failure, 'rebuilt');
    const [first] = announcers;
    if (offence !== undefined && first !== undefined) charge(first, offence, `${block.hash}: ${failure.code}`);
    return failure.kind === 'mutated' ? 'wrong' : 'invalid';
  }

  #leaveToSync(hash: BlockHash, announcers: readonly PeerIdText[], reason: string): void {
    if (this.#deps.chain.hasBlock(hash)) return;
    this.#stats = { ...this.#stats, whole: this.#stats.whole + 1 };
    this.#deps.onOrigin(hash, 'whole');
    this.#deps.log.debug('block is fetched whole', { hash, reason });
    this.#deps.sync.blockWanted(hash, announcers);
  }
}

const useless = (reason: string): Matched => ({ kind: 'useless', reason, isHopeless: false });
const hopeless = (reason: string): Matched => ({ kind: 'useless', reason, isHopeless: true });

function use(fill: BlockFill, matched: Exclude<Matched, { kind: 'useless' }>, from: PeerIdText): void {
  if (matched.kind === 'missing') {
    fill.offer(matched.partial, from);
    return;
  }
  fill.announcedBy(from);
  fill.supply(matched.block);
}

function* both<T>(first: Iterable<T>, second: Iterable<T>): Iterable<T> {
  yield* first;
  yield* second;
}

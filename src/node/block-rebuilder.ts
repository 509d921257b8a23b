/**
 * Bodies of announced blocks, put together from the mempool, from what it refused lately, and from what peers are asked
 * for. What cannot be rebuilt is left to sync, which fetches the whole block.
 * Bounds: `MAX_FILLS` blocks and `MAX_FILL_BYTES` at once; the newest is left to sync. Matching walks the mempool, so the
 * caller bounds how many variants of one announcement come here.
 */
import type { Chain } from '#chain';
import type { Mempool } from '#mempool';
import type { Net, PeerIdText } from '#net';
import type { Block, BlockHash } from '#primitives';
import { type Decoded, reconstructFrom, type topics } from '#protocol';
import type { Sync } from '#sync';
import type { Clock, Logger } from '#util';
import { BlockFill, type FillDeps, hasMerkleRoot, type PartialBlock, partialBytes } from './block-fill.ts';
import type { ExtraTransactions } from './extra-transactions.ts';
import { judgeBlock } from './judge.ts';

const MAX_FILLS = 8;
const MAX_FILL_BYTES = 16_000_000;

export type BlockRebuilderDeps = {
  readonly chain: Pick<Chain, 'hasBlock' | 'submitBlock'>;
  readonly mempool: Pick<Mempool, 'snapshotForShortIds'>;
  readonly extra: Pick<ExtraTransactions, 'transactions'>;
  readonly sync: Pick<Sync, 'blockWanted'>;
  readonly charge: Net['charge'];
  readonly fill: FillDeps;
  readonly clock: Clock;
  readonly log: Logger;
  /** A block announced by gossip was connected so many milliseconds after it was first heard of. */
  readonly onBlockDelay: (ms: number) => void;
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

export type CompactMessage = Decoded<(typeof topics)['block']['codec']>;

/** `wrong`: what we put together is not the block's body, for the header does not commit to witnesses by itself. */
type Submitted = 'taken' | 'known' | 'invalid' | 'wrong';

type Matched =
  | { readonly kind: 'complete'; readonly block: Block }
  | { readonly kind: 'missing'; readonly partial: PartialBlock }
  | { readonly kind: 'useless'; readonly reason: string };

export class BlockRebuilder {
  readonly #deps: BlockRebuilderDeps;
  readonly #fills = new Map<BlockHash, BlockFill>();
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

  /** A variant of the announcement of a block whose header was accepted and whose body may be stored. */
  offer(compact: CompactMessage, from: PeerIdText, arrivedMs: number): void {
    const { hash } = compact.header;
    const running = this.#fills.get(hash);
    if (running?.isOver) return;
    if (running === undefined && this.#fills.size >= MAX_FILLS) {
      this.#leaveToSync(hash, [from], 'too many at once');
      return;
    }
    const matched = this.#match(compact);
    if (matched.kind === 'useless') {
      if (running === undefined) this.#leaveToSync(hash, [from], matched.reason);
      else running.announcedBy(from);
      return;
    }
    const fill = running ?? new BlockFill(hash, this.#deps.fill);
    if (matched.kind === 'complete') {
      fill.announcedBy(from);
      fill.supply(matched.block);
    } else {
      fill.offer(matched.partial, from);
    }
    if (running === undefined) void this.#finish(hash, fill, arrivedMs);
  }

  /** No more is asked for; what was, is given up. */
  close(): void {
    for (const fill of this.#fills.values()) fill.close();
  }

  #match(compact: CompactMessage): Matched {
    const { mempool, extra } = this.#deps;
    const rebuilt = reconstructFrom(compact, both(mempool.snapshotForShortIds(), extra.transactions()));
    switch (rebuilt.kind) {
      case 'complete': {
        const { block, transactions } = rebuilt;
        if (!hasMerkleRoot(block, transactions)) return useless('a short id met the wrong transaction');
        return this.#hasRoom(block.size) ? rebuilt : useless('too many bytes held');
      }
      case 'missing': {
        const { missing, transactions } = rebuilt.partial;
        if (missing.length * 2 > transactions.length) return useless('more than half is missing');
        return this.#hasRoom(partialBytes(rebuilt.partial)) ? rebuilt : useless('too many bytes held');
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
    const { clock, log, onBlockDelay, onFailure } = this.#deps;
    this.#fills.set(hash, fill);
    try {
      const outcome = await fill.outcome;
      if (outcome.kind === 'given-up') {
        if (outcome.reason !== 'closed') this.#leaveToSync(hash, fill.announcers, outcome.reason);
        return;
      }
      this.#recent = outcome.block;
      const { roundTrips } = outcome;
      const submitted = await this.#submit(outcome.block, fill.announcers);
      log.debug('block rebuilt', { hash, roundTrips, announcements: fill.announcers.length, submitted });
      if (submitted === 'taken') {
        const key = roundTrips === 0 ? 'withoutRoundTrip' : 'withRoundTrip';
        this.#stats = { ...this.#stats, [key]: this.#stats[key] + 1 };
        onBlockDelay(clock.monotonicMs() - arrivedMs);
      } else if (submitted === 'wrong') {
        if (this.#recent === outcome.block) this.#recent = undefined;
        this.#leaveToSync(hash, fill.announcers, 'not the block after all');
      }
    } catch (error) {
      onFailure(error);
    } finally {
      this.#fills.delete(hash);
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
    this.#deps.log.debug('block is fetched whole', { hash, reason });
    this.#deps.sync.blockWanted(hash, announcers);
  }
}

const useless = (reason: string): Matched => ({ kind: 'useless', reason });

function* both<T>(first: Iterable<T>, second: Iterable<T>): Iterable<T> {
  yield* first;
  yield* second;
}

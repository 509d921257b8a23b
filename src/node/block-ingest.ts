/**
 * Blocks that gossip announces. One is passed on when its header holds (proof of work, place in the chain), before its
 * body is complete.
 */
import { antiDosWorkThreshold, type Chain, type HeaderEntry } from '#chain';
import { checkBlockHeader } from '#consensus';
import type { Mempool } from '#mempool';
import type { GossipMessage, GossipVerdict, Net, PeerIdText } from '#net';
import { BLOCK_HEADER_BYTES, type Block, type BlockHash, BlockHeader } from '#primitives';
import { type Decoded, matchShortIds, reconstruct, type topics } from '#protocol';
import type { Sync } from '#sync';
import type { Clock, Logger } from '#util';
import { judgeBlock } from './judge.ts';

/** Core's MIN_BLOCKS_TO_KEEP: a block that is further ahead of the tip is stored only if sync asked for it. */
const MAX_BLOCKS_AHEAD = 288;
/** Block bodies being rebuilt at once; an announcement beyond that goes to sync, which bounds itself. */
const MAX_FILLS = 8;
/** Hashes of announced blocks that are remembered; the oldest is forgotten first. */
const MAX_ANNOUNCED = 1000;

export type BlockIngestDeps = {
  readonly chain: Chain;
  readonly mempool: Pick<Mempool, 'snapshotForShortIds'>;
  readonly sync: Pick<Sync, 'headerAnnounced' | 'blockWanted'>;
  readonly charge: Net['charge'];
  /** False until the first sync has ended: what needs the tip is ignored until then. */
  readonly isSynced: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** A block announced by gossip was connected so many milliseconds after it was first heard of. */
  readonly onBlockDelay: (ms: number) => void;
  /** Operational failure (a full disk): the node decides what to do. */
  readonly onFailure: (error: unknown) => void;
};

type BlockMessage = Decoded<(typeof topics)['block']['codec']>;

export class BlockIngest {
  readonly #deps: BlockIngestDeps;
  readonly #filling = new Set<BlockHash>();
  readonly #announced = new Set<BlockHash>();

  constructor(deps: BlockIngestDeps) {
    this.#deps = deps;
  }

  wasAnnounced(hash: BlockHash): boolean {
    return this.#announced.has(hash);
  }

  markAnnounced(hash: BlockHash): void {
    const [oldest] = this.#announced;
    if (this.#announced.size >= MAX_ANNOUNCED && oldest !== undefined) this.#announced.delete(oldest);
    this.#announced.add(hash);
  }

  /** Proof of work before anything is decoded: it costs an attacker most and us least. A message cut short passes. */
  hasWork({ data, from }: GossipMessage): boolean {
    if (data.length < BLOCK_HEADER_BYTES) return true;
    const header = new BlockHeader(data.subarray(0, BLOCK_HEADER_BYTES));
    const failure = checkBlockHeader(header, this.#deps.chain.params);
    if (failure === undefined) return true;
    const { offence } = judgeBlock(failure, 'announced');
    if (offence !== undefined) this.#deps.charge(from, offence, `announced block: ${failure.code}`);
    return false;
  }

  async announced(compact: BlockMessage, from: PeerIdText): Promise<GossipVerdict> {
    const { chain, sync, charge } = this.#deps;
    const arrivedMs = this.#deps.clock.monotonicMs();
    const { hash, prevHash } = compact.header;
    if (chain.hasBlock(hash) || this.#filling.has(hash)) return 'ignore';
    if (chain.getHeader(prevHash) === undefined) {
      // Too early or another branch: the peer is asked for what lies between.
      sync.headerAnnounced(from, compact.header);
      return 'ignore';
    }
    // Far below the tip, or on a chain that the network has long left behind: neither stored nor passed on.
    const minimumWork = antiDosWorkThreshold(chain);
    const verdict = chain.submitHeaders([compact.header], { minimumWork });
    if (verdict.kind === 'rejected') {
      const { gossip, offence } = judgeBlock(verdict.failure, 'announced');
      if (offence !== undefined) charge(from, offence, `announced block ${hash}: ${verdict.failure.code}`);
      return gossip;
    }
    // The header was known before.
    if (verdict.last.chainWork < minimumWork) return 'ignore';
    if (!this.#deps.isSynced() && !chain.hasBlock(prevHash)) {
      // Nobody will fill this body: it is sync's at once, or a chain of short intervals would always be out of reach.
      sync.blockWanted(hash, [from]);
      return 'ignore';
    }
    sync.headerAnnounced(from, hash);
    this.markAnnounced(hash);
    if (this.#mayBeStored(verdict.last)) void this.#fill(compact, from, arrivedMs);
    return 'accept';
  }

  /** Core's AcceptBlock on blocks that nobody asked for: no less work than the tip, and not far ahead of it. */
  #mayBeStored({ chainWork, height }: HeaderEntry): boolean {
    const tip = this.#deps.chain.tip();
    return chainWork >= tip.chainWork && height <= tip.height + MAX_BLOCKS_AHEAD;
  }

  /** Builds the body from the mempool, or has it fetched. */
  async #fill(compact: BlockMessage, from: PeerIdText, arrivedMs: number): Promise<void> {
    const { mempool, sync, clock, onBlockDelay, onFailure } = this.#deps;
    const { hash } = compact.header;
    const rebuilt = reconstruct(compact, matchShortIds(compact, mempool.snapshotForShortIds()));
    if (rebuilt.kind !== 'complete' || this.#filling.size >= MAX_FILLS) {
      sync.blockWanted(hash, [from]);
      return;
    }
    this.#filling.add(hash);
    try {
      const connected = await this.#submitRebuilt(rebuilt.block);
      if (connected) onBlockDelay(clock.monotonicMs() - arrivedMs);
      else sync.blockWanted(hash, [from]);
    } catch (error) {
      onFailure(error);
    } finally {
      this.#filling.delete(hash);
    }
  }

  /** False when the body we put together is not the block's: two transactions can share a short id. */
  async #submitRebuilt(block: Block): Promise<boolean> {
    const verdict = await this.#deps.chain.submitBlock(block);
    if (verdict.kind !== 'invalid') return true;
    this.#deps.log.debug('rebuilt block refused', { hash: block.hash, code: verdict.failure.code });
    return verdict.failure.kind !== 'mutated';
  }
}

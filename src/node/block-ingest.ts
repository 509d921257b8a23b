/**
 * Blocks that gossip announces. One is passed on when its header holds (proof of work, place in the chain), before its
 * body is complete.
 */
import { antiDosWorkThreshold, type Chain, type HeaderEntry } from '#chain';
import { checkBlockHeader } from '#consensus';
import type { GossipMessage, GossipVerdict, Net, PeerIdText } from '#net';
import { BLOCK_HEADER_BYTES, type BlockHash, BlockHeader } from '#primitives';
import type { Sync } from '#sync';
import type { Clock } from '#util';
import type { BlockRebuilder } from './block-rebuilder.ts';
import type { CompactMessage } from './compact-pull.ts';
import { judgeBlock } from './judge.ts';

/** Core's MIN_BLOCKS_TO_KEEP: a block that is further ahead of the tip is stored only if sync asked for it. */
const MAX_BLOCKS_AHEAD = 288;
/** Hashes of announced blocks that are remembered; the oldest is forgotten first. */
const MAX_ANNOUNCED = 1000;
/** Announcements of one block that are looked at, each from another peer; one is passed on. */
const MAX_VARIANTS = 3;
/** Blocks so far below the tip are no news, whoever tells of them. */
const MAX_NEWS_DEPTH = 6;

export type BlockIngestDeps = {
  readonly chain: Chain;
  readonly sync: Pick<Sync, 'headerAnnounced' | 'blockWanted'>;
  readonly charge: Net['charge'];
  readonly rebuilder: Pick<BlockRebuilder, 'offer' | 'pull'>;
  /** False until the first sync has ended: what needs the tip is ignored until then. */
  readonly isSynced: () => boolean;
  /** The peer was the first to tell of a block with more work than our tip. */
  readonly onNews: (peer: PeerIdText, hash: BlockHash) => void;
  /** The peer told of a recent block, the first to do so or a later one; perhaps more than once. */
  readonly onTold: (peer: PeerIdText, hash: BlockHash) => void;
  readonly clock: Clock;
};

export class BlockIngest {
  readonly #deps: BlockIngestDeps;
  /** With the peers whose announcements were used. */
  readonly #announced = new Map<BlockHash, Set<PeerIdText>>();

  constructor(deps: BlockIngestDeps) {
    this.#deps = deps;
  }

  wasAnnounced(hash: BlockHash): boolean {
    return this.#announced.has(hash);
  }

  /** False if it was before. */
  markAnnounced(hash: BlockHash): boolean {
    if (this.#announced.has(hash)) return false;
    const [oldest] = this.#announced.keys();
    if (this.#announced.size >= MAX_ANNOUNCED && oldest !== undefined) this.#announced.delete(oldest);
    this.#announced.set(hash, new Set());
    return true;
  }

  /** It was not announced after all. */
  unmarkAnnounced(hash: BlockHash): void {
    this.#announced.delete(hash);
  }

  /**
   * What can be said before anything is decoded: proof of work costs an attacker most and us least, and any number of
   * variants can be made of one header. Undefined: decode it. A message cut short passes.
   */
  judgeEarly({ data, from }: GossipMessage): GossipVerdict | undefined {
    if (data.length < BLOCK_HEADER_BYTES) return undefined;
    const header = new BlockHeader(data.subarray(0, BLOCK_HEADER_BYTES));
    const failure = checkBlockHeader(header, this.#deps.chain.params);
    if (failure !== undefined) {
      const { offence } = judgeBlock(failure, 'announced');
      if (offence !== undefined) this.#deps.charge(from, offence, `announced block: ${failure.code}`);
      return 'reject';
    }
    const isKnown = this.#deps.chain.hasBlock(header.hash) || this.#isSpent(header.hash, from);
    if (!isKnown) return undefined;
    this.#told(header.hash, from);
    return 'ignore';
  }

  /** Another peer sent the same announcement; `data` begins with its header. */
  copied(data: Uint8Array, from: PeerIdText): void {
    if (data.length < BLOCK_HEADER_BYTES) return;
    this.#told(new BlockHeader(data.subarray(0, BLOCK_HEADER_BYTES)).hash, from);
  }

  /** Only of blocks whose headers were accepted, so that nobody fills what others remember with inventions. */
  #told(hash: BlockHash, from: PeerIdText): void {
    const { chain, onTold } = this.#deps;
    const entry = chain.getHeader(hash);
    if (entry !== undefined && entry.height > chain.tip().height - MAX_NEWS_DEPTH) onTold(from, hash);
  }

  /** Whether another announcement of the block by this peer is of no use. */
  #isSpent(hash: BlockHash, from: PeerIdText): boolean {
    const variants = this.#announced.get(hash);
    return variants !== undefined && (variants.size >= MAX_VARIANTS || variants.has(from));
  }

  async announced(compact: CompactMessage, from: PeerIdText): Promise<GossipVerdict> {
    const { chain, sync, charge, onNews } = this.#deps;
    const { hash, prevHash } = compact.header;
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
    if (verdict.added > 0 && verdict.last.chainWork > chain.tip().chainWork) onNews(from, hash);
    this.#told(hash, from);
    // The header was known before.
    if (verdict.last.chainWork < minimumWork) return 'ignore';
    if (!this.#deps.isSynced() && !chain.hasBlock(prevHash)) {
      // Nobody will fill this body: it is sync's at once, or a chain of short intervals would always be out of reach.
      sync.blockWanted(hash, [from]);
      return 'ignore';
    }
    sync.headerAnnounced(from, hash);
    const isFirst = !this.wasAnnounced(hash);
    this.markAnnounced(hash);
    this.#announced.get(hash)?.add(from);
    if (this.#mayBeStored(verdict.last)) this.#useBody(compact, from);
    return isFirst ? 'accept' : 'ignore';
  }

  #useBody(compact: CompactMessage, from: PeerIdText): void {
    const { rebuilder, clock } = this.#deps;
    const { shortIds, prefilled } = compact;
    const isBareHeader = shortIds.length === 0 && prefilled.length === 0;
    if (isBareHeader) rebuilder.pull(compact.header.hash, from, clock.monotonicMs());
    else rebuilder.offer(compact, from, clock.monotonicMs());
  }

  /** Core's AcceptBlock on blocks that nobody asked for: no less work than the tip, and not far ahead of it. */
  #mayBeStored({ chainWork, height }: HeaderEntry): boolean {
    const tip = this.#deps.chain.tip();
    return chainWork >= tip.chainWork && height <= tip.height + MAX_BLOCKS_AHEAD;
  }
}

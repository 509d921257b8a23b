/**
 * What gossip brings: validated before it is passed on. A block is passed on when its header holds (proof of work,
 * place in the chain), before its body is complete; a transaction when the mempool took it.
 */
import { antiDosWorkThreshold, type Chain, type HeaderEntry } from '#chain';
import { checkBlockHeader } from '#consensus';
import type { Mempool } from '#mempool';
import type { GossipMessage, GossipVerdict, Net, PeerIdText } from '#net';
import {
  BLOCK_HEADER_BYTES,
  type Block,
  type BlockHash,
  BlockHeader,
  DecodeError,
  type Transaction,
} from '#primitives';
import { type Decoded, matchShortIds, reconstruct, type TopicName, topics } from '#protocol';
import type { Sync } from '#sync';
import { type Clock, errorText, type Logger } from '#util';
import { judgeBlock } from './judge.ts';
import type { Requests } from './requests.ts';

/** Core's MIN_BLOCKS_TO_KEEP: a block that is further ahead of the tip is stored only if sync asked for it. */
const MAX_BLOCKS_AHEAD = 288;
/** Block bodies being rebuilt at once; an announcement beyond that goes to sync, which bounds itself. */
const MAX_FILLS = 8;
/** Hashes of announced blocks that are remembered; the oldest is forgotten first. */
const MAX_ANNOUNCED = 1000;
/** Transactions being fetched by their entries at once; more are ignored. */
const MAX_TX_FETCHES = 64;

export type IngestDeps = {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly sync: Pick<Sync, 'headerAnnounced' | 'blockWanted'>;
  readonly charge: Net['charge'];
  readonly requests: Pick<Requests, 'transaction'>;
  /** False until the first sync has ended: what needs the tip is ignored until then. */
  readonly isSynced: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** A block announced by gossip was connected so many milliseconds after it was first heard of. */
  readonly onBlockDelay: (ms: number) => void;
  /** Operational failure (a full disk): the node decides what to do. */
  readonly onFailure: (error: unknown) => void;
  readonly signal: AbortSignal;
};

/** What a topic's message decodes to. */
type Message<Name extends TopicName> = Decoded<(typeof topics)[Name]['codec']>;

type Handlers = {
  readonly [Name in TopicName]: (message: Message<Name>, from: PeerIdText) => Promise<GossipVerdict>;
};

export type Ingest = {
  readonly message: (message: GossipMessage) => Promise<GossipVerdict>;
  /** Whether gossip has carried the block: peers need no hello to hear of it. */
  readonly wasAnnounced: (hash: BlockHash) => boolean;
  /** We are about to announce the block ourselves. */
  readonly markAnnounced: (hash: BlockHash) => void;
};

export function createIngest(deps: IngestDeps): Ingest {
  const blocks = new BlockIngest(deps);
  const txs = new TxIngest(deps);
  const handlers: Handlers = {
    block: (compact, from) => blocks.announced(compact, from),
    tx: (message, from) => txs.announced(message, from),
  };
  return {
    message: (message) => {
      if (message.topic === 'block' && !blocks.hasWork(message)) return Promise.resolve('reject');
      return decodeAndHandle(handlers, message.topic, message, deps.charge);
    },
    wasAnnounced: (hash) => blocks.wasAnnounced(hash),
    markAnnounced: (hash) => blocks.markAnnounced(hash),
  };
}

async function decodeAndHandle<Name extends TopicName>(
  handlers: Handlers,
  name: Name,
  { data, from }: GossipMessage,
  charge: Net['charge'],
): Promise<GossipVerdict> {
  let message: Message<Name>;
  try {
    message = topics[name].codec.decode(data) as Message<Name>;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    charge(from, 'undecodable-message', `${name}: ${error.message}`);
    return 'reject';
  }
  return handlers[name](message, from);
}

class BlockIngest {
  readonly #deps: IngestDeps;
  readonly #filling = new Set<BlockHash>();
  readonly #announced = new Set<BlockHash>();

  constructor(deps: IngestDeps) {
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

  async announced(compact: Message<'block'>, from: PeerIdText): Promise<GossipVerdict> {
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
  async #fill(compact: Message<'block'>, from: PeerIdText, arrivedMs: number): Promise<void> {
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

class TxIngest {
  readonly #deps: IngestDeps;
  readonly #fetching = new Set<string>();

  constructor(deps: IngestDeps) {
    this.#deps = deps;
  }

  async announced(message: Message<'tx'>, from: PeerIdText): Promise<GossipVerdict> {
    if (!this.#deps.isSynced()) return 'ignore';
    if (message.kind === 'whole') return this.#submit(message.tx, from);
    const { wtxid } = message;
    if (this.#deps.mempool.has(wtxid) || this.#fetching.has(wtxid) || this.#fetching.size >= MAX_TX_FETCHES) {
      return 'ignore';
    }
    this.#fetching.add(wtxid);
    try {
      const tx = await this.#deps.requests.transaction(from, wtxid, this.#deps.signal);
      return tx === undefined ? 'ignore' : await this.#submit(tx, from);
    } catch (error) {
      this.#deps.log.debug('transaction not fetched', { wtxid, peer: from, error: errorText(error) });
      return 'ignore';
    } finally {
      this.#fetching.delete(wtxid);
    }
  }

  async #submit(tx: Transaction, from: PeerIdText): Promise<GossipVerdict> {
    const verdict = await this.#deps.mempool.submit(tx, from);
    switch (verdict.kind) {
      case 'accepted':
        return 'accept';
      case 'consensus':
        this.#deps.charge(from, 'invalid-transaction', `${tx.txid}: ${verdict.failure.code}`);
        return 'reject';
      case 'duplicate':
      case 'missing-inputs':
      case 'policy':
      case 'unavailable':
        return 'ignore';
    }
  }
}

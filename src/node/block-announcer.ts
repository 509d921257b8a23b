/**
 * Announces blocks that gossip did not bring: those of this node's own user, and tips that it came to by other means (a
 * reorganisation, a block that sync fetched). A small block goes out in its compact form, any other as a bare header:
 * whoever wants it asks for the rest (`compact/1`).
 */
import type { Mempool } from '#mempool';
import type { Net } from '#net';
import type { Block, BlockHeader } from '#primitives';
import { bareHeader, topics } from '#protocol';
import type { Random } from '#util';
import type { CompactForms } from './compact-forms.ts';
import type { TxAnnouncer } from './tx-announcer.ts';

/**
 * Up to this size the compact form itself is announced. Gossip brings a node a copy from each link, some eight: 8 kB at
 * most here, for which the block is there without the wait for an answer and the 4 ms of CPU time that one costs.
 */
const MAX_ANNOUNCED_FORM_BYTES = 1024;

export type BlockAnnouncerDeps = {
  readonly mempool: Pick<Mempool, 'has' | 'unbroadcast'>;
  readonly announcer: Pick<TxAnnouncer, 'isWaiting'>;
  readonly forms: Pick<CompactForms, 'built'>;
  readonly publish: Net['publish'];
  readonly random: Random;
};

export class BlockAnnouncer {
  readonly #deps: BlockAnnouncerDeps;

  constructor(deps: BlockAnnouncerDeps) {
    this.#deps = deps;
  }

  /**
   * Where transactions stand in a block that peers have not heard of from us: not in our mempool, or not announced. To be
   * called before the block is connected, for then they leave the mempool.
   */
  unannounced({ transactions }: Block): number[] {
    const { mempool, announcer } = this.#deps;
    const unbroadcast = new Set(mempool.unbroadcast());
    return [...transactions.keys()].filter((index) => {
      const tx = transactions[index];
      if (tx === undefined || index === 0) return false;
      return !mempool.has(tx.wtxid) || announcer.isWaiting(tx.wtxid) || unbroadcast.has(tx.txid);
    });
  }

  /** A block of our own that is the tip. */
  async ownBlock(block: Block, unannounced: readonly number[]): Promise<void> {
    const form = this.#deps.forms.built(block, unannounced);
    const isSmall = form !== undefined && form.length <= MAX_ANNOUNCED_FORM_BYTES;
    await this.#deps.publish('block', isSmall ? form : topics.block.codec.encode(bareHeader(block.header)));
  }

  /**
   * Gossip sends nothing that it has seen, also when it was ignored then because the blocks before it were not known: the
   * same header with another nonce is another message.
   */
  async tip(header: BlockHeader): Promise<void> {
    const { publish, random } = this.#deps;
    const { codec } = topics.block;
    const sent = await publish('block', codec.encode(bareHeader(header)));
    if (sent > 0) return;
    await publish('block', codec.encode(bareHeader(header, Buffer.from(random.bytes(8)).readBigUInt64LE())));
  }
}

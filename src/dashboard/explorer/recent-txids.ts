/**
 * Which of the newest blocks has a transaction, where there is no index of all. A block is decoded once for it, when somebody
 * first asks, not for each question: that takes tens of milliseconds. Bound: SEARCHED_BLOCKS, some 400 kB of ids a full block.
 */
import type { HeaderEntry } from '#chain';
import type { StarlingNode } from '#node';
import type { BlockHash, Txid } from '#primitives';
import { nextTurn } from '#util';
import type { BlockBodies } from './block-bodies.ts';

export const SEARCHED_BLOCKS = 6;

export class RecentTxids {
  readonly #chain: Pick<StarlingNode['chain'], 'tip' | 'activeAt'>;
  readonly #bodies: Pick<BlockBodies, 'read'>;
  #byBlock: ReadonlyMap<BlockHash, ReadonlySet<Txid>> = new Map();

  constructor(chain: Pick<StarlingNode['chain'], 'tip' | 'activeAt'>, bodies: Pick<BlockBodies, 'read'>) {
    this.#chain = chain;
    this.#bodies = bodies;
  }

  async find(txid: Txid): Promise<HeaderEntry | undefined> {
    const { height } = this.#chain.tip();
    const searched = new Map<BlockHash, ReadonlySet<Txid>>();
    let found: HeaderEntry | undefined;
    for (let depth = 0; depth < SEARCHED_BLOCKS && found === undefined; depth++) {
      const entry = this.#chain.activeAt(height - depth);
      if (entry === undefined) break;
      const txids = this.#byBlock.get(entry.hash) ?? (await this.#read(entry));
      searched.set(entry.hash, txids);
      if (txids.has(txid)) found = entry;
    }
    // Those that were not come to now, if they are still among the newest.
    for (const [hash, txids] of this.#byBlock) if (searched.size < SEARCHED_BLOCKS) searched.set(hash, txids);
    this.#byBlock = searched;
    return found;
  }

  async #read(entry: HeaderEntry): Promise<ReadonlySet<Txid>> {
    const body = await this.#bodies.read(entry);
    await nextTurn();
    return new Set(body?.block.transactions.map((tx) => tx.txid));
  }
}

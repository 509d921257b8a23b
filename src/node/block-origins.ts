/** How the bodies of the newest blocks came, for who watches the node. Bound: MAX_BLOCKS, the oldest is forgotten. */
import type { BlockHash } from '#primitives';

/**
 * `rebuilt` from what was here, the same with answers of a peer, fetched `whole` by sync after it was announced, or this node's
 * `own` (mined or submitted here). What sync found by itself has none.
 */
export type BlockOrigin = 'rebuilt' | 'rebuilt-with-round-trip' | 'whole' | 'own';

const MAX_BLOCKS = 256;

export class BlockOrigins {
  readonly #origins = new Map<BlockHash, BlockOrigin>();

  /** The last word counts: what was left to sync may be rebuilt all the same. */
  note(hash: BlockHash, origin: BlockOrigin): void {
    const [oldest] = this.#origins.keys();
    if (this.#origins.size >= MAX_BLOCKS && oldest !== undefined) this.#origins.delete(oldest);
    this.#origins.set(hash, origin);
  }

  of(hash: BlockHash): BlockOrigin | undefined {
    return this.#origins.get(hash);
  }
}

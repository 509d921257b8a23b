/** Blocks just stored, so that they need not be read back when their turn comes soon. The oldest leave first. */
import type { Block } from '#primitives';

/** Two of the largest blocks, or some ten usual ones; decoded, they take several times their bytes. */
const MAX_BYTES = 8 << 20;

export class RecentBodies<Key> {
  readonly #blocks = new Map<Key, Block>();
  #bytes = 0;

  get(key: Key): Block | undefined {
    return this.#blocks.get(key);
  }

  add(key: Key, block: Block): void {
    this.#blocks.set(key, block);
    this.#bytes += block.size;
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= MAX_BYTES) break;
      this.drop(oldest);
    }
  }

  drop(key: Key): void {
    const block = this.#blocks.get(key);
    if (block === undefined) return;
    this.#blocks.delete(key);
    this.#bytes -= block.size;
  }
}

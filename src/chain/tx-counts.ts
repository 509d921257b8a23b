/** How many transactions blocks have (Core's nTx), and the active chain up to a height (Core's nChainTx). */
import { BLOCK_HEADER_BYTES, DecodeError, Reader } from '#primitives';
import type { ActiveChain } from './active-chain.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import type { HeaderId } from './header-tree.ts';
import type { OpenProgress } from './port.ts';
import { interrupted } from './reindex.ts';

/** A compact size takes at most so many. */
const COUNT_BYTES = 9;

export type FillTxCountsDeps = {
  readonly index: BlockIndex;
  readonly storage: Pick<BlockStorage, 'readBlockPart'>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (progress: OpenProgress) => void;
};

/** Reads the counts that records of an older version lack, as far as the bodies are there. Throws NodeError. */
export async function fillTxCounts({ index, storage, signal, onProgress }: FillTxCountsDeps): Promise<void> {
  const total = index.tree.size;
  for (let id = 0; id < total; id++) {
    const position = index.txCount(id) === 0 ? index.blockPosition(id) : undefined;
    if (position === undefined) continue;
    if (signal?.aborted === true) throw interrupted();
    const count = countIn(await storage.readBlockPart(position, BLOCK_HEADER_BYTES, COUNT_BYTES));
    if (count !== undefined) index.setTxCount(id, count);
    onProgress({ what: 'counting transactions', done: id, total });
  }
}

/** Undefined where the file is damaged: whoever reads the block will hear of it. */
function countIn(bytes: Uint8Array): number | undefined {
  try {
    return new Reader(bytes).compactSize();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Summed up when first asked for: few ever ask, and it takes eight bytes a block. */
export class TxTotals {
  readonly #active: ActiveChain;
  readonly #index: BlockIndex;
  readonly #totals: number[] = [];
  /** The block that the last of the totals belongs to. */
  #last: HeaderId | undefined;

  constructor(active: ActiveChain, index: BlockIndex) {
    this.#active = active;
    this.#index = index;
  }

  /** From genesis to the height, this included. Undefined above the tip, and where a count is not known. */
  upTo(height: number): number | undefined {
    this.#leaveOldBranch();
    for (let next = this.#totals.length; next <= height; next++) {
      const id = this.#active.at(next);
      const count = id === undefined ? 0 : this.#index.txCount(id);
      if (count === 0) return undefined;
      this.#totals.push((this.#totals.at(-1) ?? 0) + count);
      this.#last = id;
    }
    return this.#totals[height];
  }

  #leaveOldBranch(): void {
    while (this.#last !== undefined && !this.#active.contains(this.#last)) {
      this.#totals.pop();
      this.#last = this.#index.tree.parentOf(this.#last);
    }
  }
}

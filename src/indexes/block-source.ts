/** Blocks for the indexes, read from the disk. Indexes that stand at one height share what is read. */

import type { Coin, HeaderEntry } from '#chain';
import { Block, type BlockHash, DecodeError } from '#primitives';
import { NodeError } from '#util';
import { damagedIndex } from './index-records.ts';
import type { IndexedChain } from './port.ts';

export type IndexedBlock = {
  readonly entry: HeaderEntry;
  readonly block: Block;
  /** What it spent, by transaction (the coinbase left out) and input. Throws NodeError. */
  readonly spent: () => Promise<readonly (readonly Coin[])[]>;
};

/** Decoded blocks held. */
const MAX_HELD = 3;

export class BlockSource {
  readonly #chain: Pick<IndexedChain, 'readBlock' | 'readUndo'>;
  /** In the order of their first use; the oldest is dropped. */
  readonly #held = new Map<BlockHash, Promise<IndexedBlock>>();

  constructor(chain: Pick<IndexedChain, 'readBlock' | 'readUndo'>) {
    this.#chain = chain;
  }

  /** Throws NodeError, `PRUNED` if it is not stored. */
  read(entry: HeaderEntry): Promise<IndexedBlock> {
    const { hash } = entry;
    const held = this.#held.get(hash);
    if (held !== undefined) return held;
    const reading = this.#read(entry);
    this.#held.set(hash, reading);
    // A failure is not remembered: the next one to ask reads anew.
    reading.catch(() => this.#held.delete(hash));
    const [oldest] = this.#held.keys();
    if (this.#held.size > MAX_HELD && oldest !== undefined) this.#held.delete(oldest);
    return reading;
  }

  async #read(entry: HeaderEntry): Promise<IndexedBlock> {
    const { hash } = entry;
    const raw = await this.#chain.readBlock(hash);
    if (raw === undefined) throw notStored(`block ${hash}`);
    let spent: Promise<readonly (readonly Coin[])[]> | undefined;
    return {
      entry,
      block: decode(raw, hash),
      spent: () => {
        spent ??= this.#readSpent(hash);
        return spent;
      },
    };
  }

  async #readSpent(hash: BlockHash): Promise<readonly (readonly Coin[])[]> {
    const undo = await this.#chain.readUndo(hash);
    if (undo === undefined) throw notStored(`undo data of block ${hash}`);
    return undo;
  }
}

function decode(raw: Uint8Array, hash: BlockHash): Block {
  try {
    return Block.fromBytes(raw);
  } catch (error) {
    if (error instanceof DecodeError) throw damagedIndex(`block ${hash} does not decode`, error);
    throw error;
  }
}

function notStored(what: string): NodeError {
  return new NodeError('PRUNED', `${what}, to be indexed, is not stored; disable the index, or start with --reindex`);
}

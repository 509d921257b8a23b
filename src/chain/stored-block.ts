/** Reads a block back by its place in the index. */
import { Block } from '#primitives';
import type { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import type { HeaderId } from './header-tree.ts';
import { damaged } from './repair.ts';

/** Throws NodeError, `CORRUPT_DATA` when it is not there or is another block. */
export async function readStoredBlock(index: BlockIndex, storage: BlockStorage, id: HeaderId): Promise<Block> {
  const position = index.blockPosition(id);
  const { hash } = index.tree.entry(id);
  if (position === undefined) throw damaged('all', `the body of block ${hash} is not stored`);
  const block = new Block(await storage.readBlock(position));
  if (block.hash === hash) return block;
  const place = `block file ${position.file} holds another block at byte ${position.offset}`;
  throw damaged('all', `${place} than the index says`);
}

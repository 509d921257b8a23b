/**
 * Ends a flush that a crash cut off: some coins are those of the block before it, some those of the block after. All
 * blocks between are gone through once more, without rules, since each of them had passed (Core's ReplayBlocks).
 * Doing twice what was done is harmless here: coins are put and removed, whatever was there.
 */
import type { NetworkParams } from '#consensus';
import type { Logger } from '#util';
import type { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import type { CoinsCache, HeadBlocks } from './coins-cache.ts';
import { disconnectBlock } from './disconnect.ts';
import type { HeaderId } from './header-tree.ts';
import { damaged } from './repair.ts';
import { readStoredBlock } from './stored-block.ts';
import { forEachCoin } from './tx-coins.ts';

export type ReplayDeps = {
  readonly params: NetworkParams;
  readonly index: BlockIndex;
  readonly storage: BlockStorage;
  readonly coins: CoinsCache;
  readonly log: Logger;
};

/** Writes the coins of `heads.to`. Throws NodeError; the next start begins again. */
export async function finishFlush(deps: ReplayDeps, heads: HeadBlocks): Promise<void> {
  const { coins, index, log } = deps;
  const { tree } = index;
  const [to, from] = [tree.find(heads.to), tree.find(heads.from)];
  if (to === undefined || from === undefined) {
    throw damaged('chainstate', 'the coins are between two blocks that the block index lacks');
  }
  const fork = tree.forkOf(to, from);
  const [first, last] = [tree.heightOf(fork) + 1, tree.heightOf(to)];
  log.info('finishing a flush that was cut off', { from: tree.heightOf(from), to: last });
  for (let id = from; id !== fork; id = tree.parentOf(id) ?? fork) await takeBackAgain(deps, id);
  for (let height = first; height <= last; height++) await applyAgain(deps, tree.ancestorOf(to, height));
  await coins.flush(heads.to);
}

async function takeBackAgain({ coins, index, params, storage }: ReplayDeps, id: HeaderId): Promise<void> {
  const undoAt = index.undoPosition(id);
  const { hash } = index.tree.entry(id);
  if (undoAt === undefined) throw damaged('chainstate', `the undo data of block ${hash} are missing`);
  const block = await readStoredBlock(index, storage, id);
  const undo = await storage.readUndo(undoAt, block.header);
  // What does not fit was done by the flush already.
  disconnectBlock(block, index.tree.entry(id), undo, coins, params);
}

/** Core's RollforwardBlock. */
async function applyAgain({ coins, index, storage }: ReplayDeps, id: HeaderId): Promise<void> {
  const block = await readStoredBlock(index, storage, id);
  const height = index.tree.heightOf(id);
  for (const tx of block.transactions) {
    if (!tx.isCoinbase) for (const { prevTxid, prevIndex } of tx.inputs) coins.spend(prevTxid, prevIndex);
    forEachCoin(tx, height, (index, coin) => coins.add(tx.txidBytes, index, coin, true));
  }
}

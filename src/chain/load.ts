/** Opening: a new chain gets its genesis, an old one its tree, its tip, and the blocks that a crash left unrecorded. */
import { Block, type BlockHash } from '#primitives';
import type { FilePosition } from '#store';
import type { ActiveChain } from './active-chain.ts';
import { adoptStored } from './adopt-stored.ts';
import { FRAME_BYTES } from './block-files.ts';
import type { StoredBlock } from './block-storage.ts';
import type { Candidates } from './candidates.ts';
import type { HeaderId } from './header-tree.ts';
import { readRebuild, readRecorded } from './marks.ts';
import { checkPruneOption, type Pruner } from './pruner.ts';
import { type ReindexDeps, rebuildCoins, rebuildIndex } from './reindex.ts';
import { damaged } from './repair.ts';
import { finishFlush } from './replay.ts';
import { saveIndex } from './save-index.ts';
import { checkStamp, readStamp, SCHEMA_VERSION, stampOp } from './schema.ts';
import { fillTxCounts } from './tx-counts.ts';

/** Stored blocks that wait for their parent; more than that are fetched again. Sync looks 1024 blocks ahead. */
const MAX_WAITING = 10_000;

export type LoadDeps = ReindexDeps & {
  readonly active: ActiveChain;
  readonly candidates: Candidates;
  readonly pruner: Pruner;
  readonly pruneBytes: number | 'as-is' | undefined;
};

export async function loadState(deps: LoadDeps): Promise<void> {
  const { candidates, checkpoints, index, indexStore, pruner } = deps;
  const stamp = readStamp(indexStore);
  if (stamp === undefined) {
    await startFromGenesis(deps);
    return;
  }
  checkStamp(stamp, deps.params);
  // Before any record that an older version cannot read.
  if (stamp.schema < SCHEMA_VERSION) await indexStore.write([stampOp(deps.params)], { sync: true });
  const rebuild = readRebuild(indexStore);
  if (rebuild?.kind === 'all') await rebuildIndex(deps, rebuild);
  else {
    checkPruneOption(indexStore, deps.pruneBytes);
    if (rebuild !== undefined) await rebuildCoins(deps);
    await index.load(indexStore);
    checkpoints.loaded(index);
  }
  const recorded = readRecorded(indexStore) ?? index.lastBlock;
  await pruner.opened(recorded);
  await fillTxCounts(deps);
  await setTip(deps);
  for (let id = 0; id < index.tree.size; id++) {
    if (index.hasData(id) && !candidates.isComplete(id)) candidates.bodyStored(id);
  }
  await recoverUnrecordedBlocks(deps, recorded);
  pruner.measure();
}

/** Stamped last: a start that was cut off begins again. */
async function startFromGenesis(deps: LoadDeps): Promise<void> {
  const { active, candidates, coins, index, params, storage } = deps;
  const blockBytes = storage.files().blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  // No start was cut off that had blocks: the index was removed, and its block files must not follow it.
  if (blockBytes > FRAME_BYTES + params.genesis.raw.length) throw damaged('all', 'there are blocks but no block index');
  await storage.reset();
  const id = index.addHeader(params.genesis.header, undefined);
  index.setData(id, await storage.appendBlock(params.genesis.raw), params.genesis.transactions.length);
  // Core connects genesis without touching the coins: its output can never be spent.
  index.setConnected(id, undefined);
  candidates.bodyStored(id);
  active.push(id);
  await saveIndex(index, deps.indexStore, storage);
  await coins.flush(params.genesis.hash);
  await deps.indexStore.write([stampOp(params)], { sync: true });
}

/** The tip is the block that the stored coins belong to. Its chain is complete first: no equal one may replace it. */
async function setTip(deps: LoadDeps): Promise<void> {
  const { active, candidates, coins, index, pruner } = deps;
  // Of its blocks those that were connected may have been pruned.
  const isThere = (id: HeaderId): boolean =>
    index.hasData(id) || (pruner.targetBytes !== undefined && index.hasPassed(id));
  const heads = coins.storedHeadBlocks();
  const best = heads?.to ?? coins.storedBestBlock();
  const tip = best === undefined ? undefined : index.tree.find(best);
  for (let height = 0; tip !== undefined && height <= index.tree.heightOf(tip); height++) {
    const id = index.tree.ancestorOf(tip, height);
    if (isThere(id)) candidates.bodyStored(id);
  }
  if (tip === undefined || !candidates.isComplete(tip)) {
    throw damaged('chainstate', `the coins belong to block ${best ?? '(none)'}, which the block index lacks`);
  }
  if (heads !== undefined) await finishFlush(deps, heads);
  active.reset(tip);
}

/**
 * Blocks are appended before the index is saved: a crash between leaves whole blocks behind the last recorded one.
 * They lie in the order in which they came, not by height; one whose parent lies further back waits for it.
 */
async function recoverUnrecordedBlocks(deps: LoadDeps, recorded: FilePosition | undefined): Promise<void> {
  const { candidates, index, log, storage } = deps;
  const waiting = new Map<BlockHash, FilePosition[]>();
  let waitingCount = 0;
  let recovered = 0;
  for await (const found of storage.blocksBehind(recorded)) {
    const ready: StoredBlock[] = [found];
    for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
      const { hash, prevHash } = next.block.header;
      if (index.tree.find(prevHash) === undefined && index.tree.find(hash) === undefined) {
        if (waitingCount >= MAX_WAITING) continue;
        waitingCount++;
        waiting.set(prevHash, [...(waiting.get(prevHash) ?? []), next.position]);
        continue;
      }
      const adoption = adoptStored(deps, next.block, next.position);
      if (adoption.kind === 'adopted') {
        candidates.bodyStored(adoption.id);
        recovered++;
      }
      const children = waiting.get(hash) ?? [];
      waiting.delete(hash);
      waitingCount -= children.length;
      for (const position of children) ready.push({ position, block: new Block(await storage.readBlock(position)) });
    }
  }
  if (recovered > 0) log.info('recovered blocks stored before an unclean stop', { blocks: recovered });
}

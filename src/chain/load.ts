/** Opening: a new chain gets its genesis, an old one its tree, its tip, and the blocks that a crash left unrecorded. */
import { Block, type BlockHash } from '#primitives';
import type { FilePosition, KeyValueStore } from '#store';
import { type Logger, NodeError } from '#util';
import { type AcceptDeps, acceptHeader, checkBlockAlone, checkBlockInPlace } from './accept.ts';
import type { ActiveChain } from './active-chain.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import type { Candidates } from './candidates.ts';
import type { CoinsCache } from './coins-cache.ts';
import { saveIndex } from './flusher.ts';
import { finishFlush } from './replay.ts';
import { checkStamp, readStamp, writeStamp } from './schema.ts';

/** Stored blocks that wait for their parent; more than that are fetched again. Sync looks 1024 blocks ahead. */
const MAX_WAITING = 10_000;

export type LoadDeps = AcceptDeps & {
  readonly indexStore: KeyValueStore;
  readonly storage: BlockStorage;
  readonly active: ActiveChain;
  readonly candidates: Candidates;
  readonly coins: CoinsCache;
  readonly log: Logger;
};

export async function loadState(deps: LoadDeps): Promise<void> {
  const stamp = readStamp(deps.indexStore);
  if (stamp === undefined) {
    await startFromGenesis(deps);
    return;
  }
  checkStamp(stamp, deps.params);
  await deps.index.load(deps.indexStore);
  deps.checkpoints.loaded(deps.index);
  await setTip(deps);
  for (let id = 0; id < deps.index.tree.size; id++) {
    if (deps.index.hasData(id) && !deps.candidates.isComplete(id)) deps.candidates.bodyStored(id);
  }
  await recoverUnrecordedBlocks(deps);
}

/** Stamped last: a start that was cut off begins again. */
async function startFromGenesis(deps: LoadDeps): Promise<void> {
  const { active, candidates, coins, index, params, storage } = deps;
  await storage.reset();
  const id = index.addHeader(params.genesis.header, undefined);
  index.setData(id, await storage.appendBlock(params.genesis.raw));
  // Core connects genesis without touching the coins: its output can never be spent.
  index.setConnected(id, undefined);
  candidates.bodyStored(id);
  active.push(id);
  await saveIndex(index, deps.indexStore, storage);
  await coins.flush(params.genesis.hash);
  await writeStamp(deps.indexStore, params);
}

/** The tip is the block that the stored coins belong to. Its chain is complete first: no equal one may replace it. */
async function setTip(deps: LoadDeps): Promise<void> {
  const { active, candidates, coins, index } = deps;
  const heads = coins.storedHeadBlocks();
  const best = heads?.to ?? coins.storedBestBlock();
  const tip = best === undefined ? undefined : index.tree.find(best);
  for (let height = 0; tip !== undefined && height <= index.tree.heightOf(tip); height++) {
    const id = index.tree.ancestorOf(tip, height);
    if (index.hasData(id)) candidates.bodyStored(id);
  }
  if (tip === undefined || !candidates.isComplete(tip)) {
    throw new NodeError(
      'CORRUPT_DATA',
      `the coins belong to block ${best ?? '(none)'}, which the block index lacks; rebuild the data directory by importing its block files`,
    );
  }
  if (heads !== undefined) await finishFlush(deps, heads);
  active.reset(tip);
}

/**
 * Blocks are appended before the index is saved: a crash between leaves whole blocks behind the last recorded one.
 * They lie in the order in which they came, not by height; one whose parent lies further back waits for it.
 */
async function recoverUnrecordedBlocks(deps: LoadDeps): Promise<void> {
  const { index, log, params, storage } = deps;
  const waiting = new Map<BlockHash, FilePosition[]>();
  let waitingCount = 0;
  let recovered = 0;
  for await (const found of storage.blocksBehind(lastRecorded(index))) {
    if (checkBlockAlone(params, new Block(found.raw)) !== undefined) continue;
    const ready = [found];
    for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
      const block = new Block(next.raw);
      const { hash, prevHash } = block.header;
      if (index.tree.find(prevHash) === undefined) {
        if (waitingCount >= MAX_WAITING) continue;
        waitingCount++;
        waiting.set(prevHash, [...(waiting.get(prevHash) ?? []), next.position]);
        continue;
      }
      if (adoptStored(deps, block, next.position)) recovered++;
      const children = waiting.get(hash) ?? [];
      waiting.delete(hash);
      waitingCount -= children.length;
      for (const position of children) ready.push({ position, raw: await storage.readBlock(position) });
    }
  }
  if (recovered > 0) log.info('recovered blocks stored before an unclean stop', { blocks: recovered });
}

/** Records a block that is on the disk and was checked alone. False when it is known or breaks a rule. */
function adoptStored(deps: LoadDeps, block: Block, position: FilePosition): boolean {
  const { candidates, index } = deps;
  const header = acceptHeader(deps, block.header);
  if (header.kind === 'failed' || index.hasData(header.id)) return false;
  if (checkBlockInPlace(deps, block, header.id) !== undefined) return false;
  index.setData(header.id, position);
  candidates.bodyStored(header.id);
  return true;
}

function lastRecorded(index: BlockIndex): FilePosition | undefined {
  let last: FilePosition | undefined;
  for (let id = 0; id < index.tree.size; id++) {
    const at = index.blockPosition(id);
    if (at !== undefined && (last === undefined || isBehind(at, last))) last = at;
  }
  return last;
}

function isBehind(a: FilePosition, b: FilePosition): boolean {
  return a.file > b.file || (a.file === b.file && a.offset > b.offset);
}

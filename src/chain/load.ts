/** Opening: a new chain gets its genesis, an old one its tree, its tip, and the blocks that a crash left unrecorded. */
import { Block } from '#primitives';
import type { FilePosition, KeyValueStore } from '#store';
import { type Logger, NodeError } from '#util';
import { type AcceptDeps, acceptHeader, checkBlockAlone, checkBlockInPlace } from './accept.ts';
import type { ActiveChain } from './active-chain.ts';
import type { BlockStorage } from './block-storage.ts';
import type { Candidates } from './candidates.ts';
import type { CoinsCache } from './coins-cache.ts';
import { checkStamp, readStamp, writeStamp } from './schema.ts';

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
  for (let id = 0; id < deps.index.tree.size; id++) if (deps.index.hasData(id)) deps.candidates.bodyStored(id);
  setTip(deps);
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
  await storage.sync();
  await index.save(deps.indexStore);
  await coins.flush(params.genesis.hash, 0);
  await writeStamp(deps.indexStore, params);
}

/** The tip is the block that the stored coins belong to. */
function setTip(deps: LoadDeps): void {
  const best = deps.coins.storedBestBlock();
  const tip = best === undefined ? undefined : deps.index.tree.find(best);
  if (tip === undefined || !deps.candidates.isComplete(tip)) {
    throw new NodeError(
      'CORRUPT_DATA',
      `the coins belong to block ${best ?? '(none)'}, which the block index lacks; rebuild the data directory by importing its block files`,
    );
  }
  deps.active.reset(tip);
}

/** Blocks are appended before the index is saved: a crash between leaves whole blocks behind the last recorded one. */
async function recoverUnrecordedBlocks(deps: LoadDeps): Promise<void> {
  const { index, log, storage } = deps;
  let recorded: FilePosition | undefined;
  for (let id = 0; id < index.tree.size; id++) {
    const at = index.blockPosition(id);
    if (at !== undefined && (recorded === undefined || isBehind(at, recorded))) recorded = at;
  }
  let recovered = 0;
  for await (const { position, raw } of storage.blocksBehind(recorded)) {
    const block = new Block(raw);
    if (checkBlockAlone(deps.params, block) !== undefined) continue;
    const header = acceptHeader(deps, block.header);
    if (header.kind === 'failed' || index.hasData(header.id)) continue;
    if (checkBlockInPlace(deps, block, header.id) !== undefined) continue;
    index.setData(header.id, position);
    deps.candidates.bodyStored(header.id);
    recovered++;
  }
  if (recovered > 0) log.info('recovered blocks stored before an unclean stop', { blocks: recovered });
}

function isBehind(a: FilePosition, b: FilePosition): boolean {
  return a.file > b.file || (a.file === b.file && a.offset > b.offset);
}

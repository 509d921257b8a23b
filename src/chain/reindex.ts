/**
 * Builds the coins, or index and coins, anew from what the block files hold (Core's -reindex-chainstate and -reindex).
 *
 * What is to be built anew is wiped under a mark in the index store, so that a start after a crash goes on with it. The
 * block files are only read: what is damaged in them is reported and passed over. All headers are read first, so that
 * bodies are recorded in whatever order they lie, and so that blocks may be assumed valid when they are connected; that
 * happens as after any other start with blocks that are stored and not connected.
 */
import type { NetworkParams } from '#consensus';
import type { BlockHeader } from '#primitives';
import type { KeyValueStore } from '#store';
import { type Logger, NodeError } from '#util';
import { type AcceptDeps, acceptHeader } from './accept.ts';
import { adoptStored } from './adopt-stored.ts';
import { INDEX_KEYS } from './block-index.ts';
import type { ScanItem } from './block-scan.ts';
import { type BlockStorage, sizeOnDisk } from './block-storage.ts';
import type { CoinsCache } from './coins-cache.ts';
import { HeaderIntake, type HeaderOutcome } from './header-intake.ts';
import { prunedOp, type Rebuild, readPruned, readRebuild, rebuildOp } from './marks.ts';
import type { OpenProgress } from './port.ts';
import type { ReindexKind } from './repair.ts';
import { saveIndex } from './save-index.ts';
import { checkStamp, readStamp, stampOp } from './schema.ts';

/** Headers whose parent has not turned up. */
const MAX_WAITING = 2_000_000;
/** The first ones tell what is wrong; the rest are counted. */
const MAX_LOGGED = 10;

export type ReindexDeps = AcceptDeps & {
  readonly indexStore: KeyValueStore;
  readonly coinsStore: KeyValueStore;
  readonly coins: CoinsCache;
  readonly storage: BlockStorage;
  readonly log: Logger;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: OpenProgress) => void;
};

/** Writes the mark that makes the next opening rebuild. Throws NodeError, also where pruned blocks would be needed. */
export async function requestRebuild(
  indexStore: KeyValueStore,
  params: NetworkParams,
  kind: ReindexKind,
  isPruning: boolean,
): Promise<void> {
  const stamp = kind === 'all' ? undamaged(() => readStamp(indexStore)) : readStamp(indexStore);
  if (stamp !== undefined) checkStamp(stamp, params);
  if (kind === 'chainstate') {
    // Nothing to rebuild, or the coins are rebuilt with the rest.
    if (stamp === undefined || readRebuild(indexStore)?.kind === 'all') return;
    if (isPruning || readPruned(indexStore) !== undefined) {
      const text = '--reindex-chainstate takes all blocks, and old ones are pruned';
      throw new NodeError('BAD_CONFIG', `${text}; use --reindex, which downloads them again`);
    }
  }
  await indexStore.write([stampOp(params), rebuildOp({ kind, step: 'wipe' })], { sync: true });
}

/** Whether the coins in the store are of no use any more. */
export function areCoinsWiped(indexStore: KeyValueStore): boolean {
  return readRebuild(indexStore)?.step === 'wipe';
}

/** The coins of genesis, which are none. */
export async function rebuildCoins({ coins, coinsStore, indexStore, params }: ReindexDeps): Promise<void> {
  await coinsStore.clear();
  await coins.flush(params.genesis.hash);
  await indexStore.write([rebuildOp(undefined)], { sync: true });
}

/** Fills the empty index. Throws NodeError, `ABORTED` when the signal does; the next start goes on. */
export async function rebuildIndex(deps: ReindexDeps, rebuild: Rebuild): Promise<void> {
  const { checkpoints, coins, index, indexStore, params, storage } = deps;
  const nextFile = rebuild.step === 'scan' ? rebuild.nextFile : 0;
  if (rebuild.step === 'wipe') await wipe(deps);
  await index.load(indexStore);
  checkpoints.loaded(index);
  if (index.tree.size === 0) index.addHeader(params.genesis.header, undefined);
  if (nextFile === 0) await readHeaders(deps);
  await readBodies(deps, nextFile);
  if (!index.hasData(0))
    index.setData(0, await storage.appendBlock(params.genesis.raw), params.genesis.transactions.length);
  // Core connects genesis without touching the coins: its output can never be spent.
  index.setConnected(0, undefined);
  await coins.flush(params.genesis.hash);
  await saveIndex(index, indexStore, storage, [rebuildOp(undefined)]);
}

async function wipe({ coinsStore, indexStore, log, storage }: ReindexDeps): Promise<void> {
  await coinsStore.clear();
  await indexStore.clear(INDEX_KEYS);
  await storage.resetUndo();
  if (undamaged(() => readPruned(indexStore)) !== undefined) await dropBehindGap(storage, log);
  const scan = rebuildOp({ kind: 'all', step: 'scan', nextFile: 0 });
  await indexStore.write([prunedOp(undefined), scan], { sync: true });
}

/** Core's CleanupBlockRevFiles: behind a pruned file blocks have no ancestors, and are downloaded again. */
async function dropBehindGap(storage: BlockStorage, log: Logger): Promise<void> {
  const { blocks } = storage.files();
  const gap = blocks.findIndex(({ file }, at) => file !== at);
  if (gap < 0) return;
  log.info('removing block files behind pruned ones', { files: blocks.length - gap });
  await storage.dropBlocksFrom(gap);
}

async function readHeaders(deps: ReindexDeps): Promise<void> {
  const { onProgress, signal, storage } = deps;
  const intake = new HeaderIntake((header) => outcomeOf(deps, header), MAX_WAITING);
  const total = sizeOnDisk(storage);
  let done = 0;
  for (const { file, bytes } of storage.files().blocks) {
    onProgress({ what: 'reading headers', done, total });
    for await (const header of storage.scanHeaders(file)) {
      if (signal?.aborted === true) throw interrupted();
      intake.take(header);
    }
    done += bytes;
  }
}

function outcomeOf(deps: AcceptDeps, header: BlockHeader): HeaderOutcome {
  const result = acceptHeader(deps, header);
  if (result.kind !== 'failed') return 'accepted';
  return result.failure.kind === 'missing-prev' ? 'orphan' : 'refused';
}

async function readBodies(deps: ReindexDeps, firstFile: number): Promise<void> {
  const { index, indexStore, log, onProgress, signal, storage } = deps;
  const scan = new Scan(deps);
  const total = sizeOnDisk(storage);
  const save = (nextFile: number): Promise<void> =>
    saveIndex(index, indexStore, storage, [rebuildOp({ kind: 'all', step: 'scan', nextFile })]);
  let done = 0;
  for (const { file, bytes } of storage.files().blocks) {
    if (file >= firstFile) {
      for await (const item of storage.scan(file)) {
        scan.take(file, item);
        onProgress({ what: 'indexing blocks', done: done + item.offset, total });
        if (signal?.aborted !== true) continue;
        await save(file);
        throw interrupted();
      }
      await save(file + 1);
    }
    done += bytes;
  }
  log.info('indexed the block files', { blocks: scan.blocks, leftOut: scan.leftOut });
}

class Scan {
  readonly #deps: ReindexDeps;
  blocks = 0;
  /** Damaged places, and blocks that break a rule or whose ancestors are not there. */
  leftOut = 0;

  constructor(deps: ReindexDeps) {
    this.#deps = deps;
  }

  take(file: number, item: ScanItem): void {
    const { index } = this.#deps;
    const { offset } = item;
    if (item.kind === 'corrupt') {
      this.#report({ file, offset, reason: item.reason });
      return;
    }
    const adoption = adoptStored(this.#deps, item.block, { file, offset });
    if (adoption.kind === 'adopted') this.blocks++;
    if (adoption.kind !== 'refused') return;
    const { id, failure } = adoption;
    // As when a peer brings it: the header is to blame, unless these bytes are only a bad copy.
    if (failure.kind === 'consensus' && id !== undefined) index.setFailed(id);
    this.#report({ file, offset, hash: item.block.hash, reason: failure.code });
  }

  #report(fields: { readonly file: number; readonly offset: number; readonly reason: string; readonly hash?: string }) {
    const { log } = this.#deps;
    this.leftOut++;
    if (this.leftOut <= MAX_LOGGED) log.warn('left out of the index', fields);
    if (this.leftOut === MAX_LOGGED) log.warn('what else is left out is only counted');
  }
}

/** A rebuild is how damage is mended: what cannot be read counts as absent. */
function undamaged<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NodeError && error.code === 'CORRUPT_DATA') return undefined;
    throw error;
  }
}

export function interrupted(): NodeError {
  return new NodeError('ABORTED', 'interrupted while the data directory was being opened; the next start goes on');
}

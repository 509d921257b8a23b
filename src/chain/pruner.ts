/**
 * Removes block and undo files that hold only old blocks, once all files together take more room than they may (Core's
 * FindFilesToPrune). A block is old when it lies 288 or more below the tip whose coins are on the disk.
 *
 * Order on disk: those coins, then the index without what points into the files, then the files are removed. So the
 * coins are never older than what the files can replay. A crash in between leaves files that nothing points to; the
 * next start removes them. Files from the last one that the index knows on stay: the start looks for blocks there.
 */
import type { FilePosition, FileSize, KeyValueStore } from '#store';
import { assert, type Logger, NodeError } from '#util';
import type { ActiveChain } from './active-chain.ts';
import type { BlockIndex, FileSets } from './block-index.ts';
import { type BlockStorage, sizeOnDisk } from './block-storage.ts';
import type { Candidates } from './candidates.ts';
import type { FileHeights } from './file-heights.ts';
import type { HeaderId } from './header-tree.ts';
import { prunedOp, readPruned } from './marks.ts';
import { saveIndex } from './save-index.ts';

/** Core's MIN_BLOCKS_TO_KEEP: so deep a reorganisation must stay possible (BIP159 promises the blocks to peers). */
const MIN_BLOCKS_TO_KEEP = 288;
/** Core's PRUNE_LOCK_BUFFER: kept below the lowest height that is still read, for reorganisations. */
const KEPT_BELOW_READERS = 10;
/** A target that is never met: files go only when `pruneTo` says so (Core's PRUNE_TARGET_MANUAL). */
export const MANUAL_PRUNE_BYTES = Number.MAX_SAFE_INTEGER;
/** What Core takes a block to weigh that is still to come. */
const AVERAGE_BLOCK_BYTES = 1_000_000;
/** Core makes room in steps of an eighth of a block file; undo data take a sixteenth of the blocks' room. */
const CHUNKS_PER_FILE = 8;
const UNDO_SHARE = 1 / 16;

export type PrunerDeps = {
  readonly index: BlockIndex;
  readonly indexStore: KeyValueStore;
  readonly active: ActiveChain;
  readonly candidates: Candidates;
  readonly storage: BlockStorage;
  readonly log: Logger;
  readonly bestHeader: () => HeaderId;
  /** The lowest height that somebody still reads; blocks a little below it stay too. */
  readonly keepFrom: () => number;
  /** Bodies below this height are about to go. */
  readonly pruned: (lowestHeight: number) => void;
};

export type PruneOptions = {
  /** What all files together may take; undefined: nothing is removed. */
  readonly targetBytes: number | undefined;
  /** Where the next file is begun. */
  readonly maxFileBytes: number;
};

export class Pruner {
  readonly #deps: PrunerDeps;
  readonly #targetBytes: number | undefined;
  readonly #chunkBytes: number;
  /** What the mark in the store says; undefined: no file was ever removed. */
  #markedBytes: number | undefined;
  #lowestStored = 0;
  #checkedAtBytes = Number.NEGATIVE_INFINITY;
  #isDue = false;

  constructor(deps: PrunerDeps, { targetBytes, maxFileBytes }: PruneOptions) {
    this.#deps = deps;
    this.#targetBytes = targetBytes;
    this.#chunkBytes = maxFileBytes / CHUNKS_PER_FILE;
  }

  /** What the files may take, now or when some were last removed; undefined: every block is kept. */
  get targetBytes(): number | undefined {
    return this.#targetBytes ?? this.#markedBytes;
  }

  /** From here to the tip every body is stored. */
  get lowestStored(): number {
    return this.#lowestStored;
  }

  /** Whether there is something to remove: time for a flush, which has to come first. Looks once a chunk. */
  isDue(): boolean {
    const appendedBytes = this.#deps.storage.appendedBytes();
    if (!this.#isDue && appendedBytes - this.#checkedAtBytes >= this.#chunkBytes) {
      this.#checkedAtBytes = appendedBytes;
      this.#isDue = this.#plan() !== undefined;
    }
    return this.#isDue;
  }

  /** After the index was loaded, before anything is looked for behind `recorded`, the last block that it surely knows. */
  async opened(recorded: FilePosition | undefined): Promise<void> {
    const { index, indexStore, storage } = this.#deps;
    this.#markedBytes = readPruned(indexStore);
    if (this.#markedBytes === undefined || this.#targetBytes === undefined) return;
    const { blocks, undos } = storage.files();
    const isLeft = (heights: FileHeights, last: number) => (file: number) =>
      file < last && heights.highest(file) === undefined;
    const numbers = (files: readonly FileSize[]): number[] => files.map(({ file }) => file);
    await storage.remove({
      blocks: new Set(numbers(blocks).filter(isLeft(index.blockFiles, recorded?.file ?? 0))),
      undos: new Set(numbers(undos).filter(isLeft(index.undoFiles, index.undoFiles.last))),
    });
  }

  /** Finds out what of the active chain is there. */
  measure(): void {
    if (this.#markedBytes === undefined) return;
    const { active, index } = this.#deps;
    const reachesDown = (height: number, isThere: (id: HeaderId) => boolean): number => {
      for (let id = active.at(height - 1); id !== undefined && isThere(id); id = active.at(height - 1)) height--;
      return height;
    };
    const above = this.#tipHeight() + 1;
    this.#lowestStored = reachesDown(above, (id) => index.hasData(id));
    active.lowestReversible = reachesDown(above, (id) => index.hasData(id) && index.hasUndo(id));
  }

  /** The coins of the tip were just written, and nothing is in flight. Throws NodeError; the next call goes on. */
  async prune(): Promise<void> {
    this.#isDue = false;
    await this.#remove(this.#plan());
  }

  /** The same with all files that lie at or below `height` (Core's FindFilesToPruneManual). */
  async pruneTo(height: number): Promise<void> {
    const files = this.#deps.storage.files();
    const [blocks, undos] = [new Set<number>(), new Set<number>()];
    const { index } = this.#deps;
    for (const { file, chosen } of [
      ...this.#old(files.blocks, index.blockFiles, blocks, height),
      ...this.#old(files.undos, index.undoFiles, undos, height),
    ]) {
      chosen.add(file.file);
    }
    await this.#remove(blocks.size + undos.size > 0 ? { blocks, undos } : undefined);
  }

  async #remove(plan: FileSets | undefined): Promise<void> {
    const { candidates, index, indexStore, log, pruned, storage } = this.#deps;
    if (plan === undefined) return;
    // Before any record says that a body is missing: without the mark that would be damage.
    if (this.#markedBytes !== this.#targetBytes) {
      await indexStore.write([prunedOp(this.#targetBytes)], { sync: true });
      this.#markedBytes = this.#targetBytes;
    }
    index.forgetFiles(plan);
    candidates.bodiesForgotten();
    this.measure();
    pruned(this.#lowestStored);
    await saveIndex(index, indexStore, storage);
    await storage.remove(plan);
    const [blockFiles, undoFiles] = [plan.blocks.size, plan.undos.size];
    log.info('pruned', { blockFiles, undoFiles, keptFrom: this.#lowestStored, bytes: sizeOnDisk(storage) });
  }

  /**
   * The oldest files, until there is room for the next chunk. Each time costs a flush of the coins, so during a long
   * sync more go at once: room for all that is still to come, if there is so much to remove.
   */
  #plan(): FileSets | undefined {
    const target = this.#targetBytes;
    if (target === undefined) return undefined;
    const { index, storage, bestHeader } = this.#deps;
    let bytes = sizeOnDisk(storage);
    const chunk = this.#chunkBytes * (1 + UNDO_SHARE);
    if (bytes + chunk < target) return undefined;
    const missingBlocks = Math.max(0, index.tree.heightOf(bestHeader()) - this.#tipHeight());
    const goal = target - chunk - missingBlocks * AVERAGE_BLOCK_BYTES;
    const files = storage.files();
    const [blocks, undos] = [new Set<number>(), new Set<number>()];
    const old = [
      ...this.#old(files.blocks, index.blockFiles, blocks),
      ...this.#old(files.undos, index.undoFiles, undos),
    ];
    for (const { file, chosen } of old.sort((a, b) => a.highest - b.highest)) {
      if (bytes < goal) break;
      chosen.add(file.file);
      bytes -= file.bytes;
    }
    return blocks.size + undos.size > 0 ? { blocks, undos } : undefined;
  }

  #old(files: readonly FileSize[], heights: FileHeights, chosen: Set<number>, atMost = Number.POSITIVE_INFINITY) {
    const unread = this.#deps.keepFrom() - KEPT_BELOW_READERS - 1;
    const highestOld = Math.min(this.#tipHeight() - MIN_BLOCKS_TO_KEEP, unread, atMost);
    return files.flatMap((file) => {
      const highest = heights.highest(file.file) ?? -1;
      return file.file < heights.last && highest <= highestOld ? [{ file, chosen, highest }] : [];
    });
  }

  #tipHeight(): number {
    const { active, index } = this.#deps;
    assert(active.tip !== undefined, 'genesis is connected');
    return index.tree.heightOf(active.tip);
  }
}

/** Core's InitError for a pruned directory without -prune. Throws NodeError. */
export function checkPruneOption(store: KeyValueStore, pruneBytes: number | 'as-is' | undefined): void {
  if (readPruned(store) === undefined || pruneBytes === 'as-is' || (pruneBytes ?? 0) > 0) return;
  throw new NodeError(
    'BAD_CONFIG',
    'blocks of this data directory were pruned; start with --prune MIB, or with --reindex, which downloads all of them again',
  );
}

/** What cannot be done because of pruning, and what would help. */
export function prunedAway(what: string, lowestHeight: number): NodeError {
  const text = `${what} takes blocks below height ${lowestHeight}, which were pruned`;
  return new NodeError('PRUNED', `${text}; start with --reindex to download all blocks again`);
}

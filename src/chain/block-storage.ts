/** Bodies and undo data on disk: `blk*.dat` and `rev*.dat` together, what a crash left in the first, and what it holds. */
import type { Block, BlockHeader } from '#primitives';
import type { AppendFiles, ByteSource, FilePosition, FileSize } from '#store';
import { createBlockFiles, createUndoFiles, FRAME_BYTES, frameLength } from './block-files.ts';
import type { FileSets } from './block-index.ts';
import { type ScanItem, scanBlockFile, scanHeaders } from './block-scan.ts';
import { damaged } from './repair.ts';
import { type BlockUndo, decodeUndo, encodeUndo } from './undo-codec.ts';

export type StoredBlock = { readonly position: FilePosition; readonly block: Block };

/** All throw NodeError. Bytes returned are the caller's. */
export type BlockStorage = {
  readonly appendBlock: (raw: Uint8Array) => Promise<FilePosition>;
  readonly readBlock: (position: FilePosition) => Promise<Uint8Array>;
  /** So many bytes of the block from `offset` on, as far as its file goes; nothing is checked. */
  readonly readBlockPart: (position: FilePosition, offset: number, length: number) => Promise<Uint8Array>;
  /** `header` is the block's own: the checksum covers its parent's hash. */
  readonly appendUndo: (undo: BlockUndo, header: BlockHeader) => Promise<FilePosition>;
  readonly readUndo: (position: FilePosition, header: BlockHeader) => Promise<BlockUndo>;
  /** Waits until everything appended is on the disk. */
  readonly sync: () => Promise<void>;
  /** Empties both: a start that was cut off begins again. */
  readonly reset: () => Promise<void>;
  /** Empties the undo files. */
  readonly resetUndo: () => Promise<void>;
  /** Removes block files from `file` on. */
  readonly dropBlocksFrom: (file: number) => Promise<void>;
  /** Removes whole files, none of them the last of its kind. */
  readonly remove: (files: FileSets) => Promise<void>;
  /**
   * The whole records behind `last` (a block's position; undefined: from the beginning), and cuts off what follows
   * them. For opening only: nothing may be appended meanwhile.
   */
  readonly blocksBehind: (last: FilePosition | undefined) => AsyncIterable<StoredBlock>;
  /** What a block file holds, damage between records included. */
  readonly scan: (file: number) => AsyncIterable<ScanItem>;
  /** The headers of a block file's records; nothing tells whether they are headers. */
  readonly scanHeaders: (file: number) => AsyncIterable<BlockHeader>;
  readonly files: () => { readonly blocks: readonly FileSize[]; readonly undos: readonly FileSize[] };
  /** Grows with each append. */
  readonly appendedBytes: () => number;
};

export function createBlockStorage(blk: AppendFiles, rev: AppendFiles, magic: Uint8Array): BlockStorage {
  const blocks = createBlockFiles(blk, magic);
  const undos = createUndoFiles(rev, magic);
  let appendedBytes = 0;
  return {
    appendBlock: (raw) => {
      appendedBytes += raw.length;
      return blocks.appendBlock(raw);
    },
    readBlock: (position) => blocks.readBlock(position),
    readBlockPart: ({ file, offset }, from, length) => {
      const start = offset + from;
      return blk.read({ file, offset: start }, Math.min(length, Math.max(0, sizeOf(blk, file) - start)));
    },
    appendUndo: (undo, header) => {
      const bytes = encodeUndo(undo);
      appendedBytes += bytes.length;
      return undos.appendUndo(bytes, header.raw.subarray(4, 36));
    },
    readUndo: async (position, header) => {
      const bytes = await undos.readUndo(position, header.raw.subarray(4, 36));
      try {
        return decodeUndo(bytes);
      } catch (cause) {
        throw damaged('all', `the undo data of block ${header.hash} are damaged`, cause);
      }
    },
    sync: async () => {
      await Promise.all([blk.sync(), rev.sync()]);
    },
    reset: async () => {
      await blk.truncate(START);
      await rev.truncate(START);
    },
    resetUndo: () => rev.truncate(START),
    dropBlocksFrom: (file) => blk.truncate(file === 0 ? START : { file: file - 1, offset: sizeOf(blk, file - 1) }),
    remove: async (files) => {
      await blk.remove(files.blocks);
      await rev.remove(files.undos);
    },
    blocksBehind: (last) => blocksBehind(blk, magic, last),
    scan: (file) => scanBlockFile(sourceOf(blk, file), magic),
    scanHeaders: (file) => scanHeaders(sourceOf(blk, file), magic),
    files: () => ({ blocks: blk.files(), undos: rev.files() }),
    appendedBytes: () => appendedBytes,
  };
}

const START: FilePosition = { file: 0, offset: 0 };

/** Bytes of all files (getblockchaininfo's size_on_disk). */
export function sizeOnDisk(storage: Pick<BlockStorage, 'files'>): number {
  const { blocks, undos } = storage.files();
  return [...blocks, ...undos].reduce((sum, file) => sum + file.bytes, 0);
}

/**
 * A record that is broken is passed over as long as whole ones follow: only what was being written when a crash came
 * is cut off, never blocks behind damage.
 */
async function* blocksBehind(
  blk: AppendFiles,
  magic: Uint8Array,
  last: FilePosition | undefined,
): AsyncIterable<StoredBlock> {
  let end = last === undefined ? START : await behindRecord(blk, magic, last);
  const first = end;
  for (const { file } of blk.files()) {
    if (file < first.file) continue;
    const items = scanBlockFile(sourceOf(blk, file), magic, file === first.file ? first.offset : 0);
    for await (const item of items) {
      if (item.kind === 'corrupt') continue;
      const position = { file, offset: item.offset };
      end = { file, offset: item.offset + item.block.size };
      yield { position, block: item.block };
    }
  }
  const { file, offset } = blk.end();
  if (file > end.file || offset > end.offset) await blk.truncate(end);
}

/** Where the record ends whose block begins at `position`. */
async function behindRecord(blk: AppendFiles, magic: Uint8Array, position: FilePosition): Promise<FilePosition> {
  const { file, offset } = position;
  const length = frameLength(await blk.read({ file, offset: offset - FRAME_BYTES }, FRAME_BYTES), magic) ?? 0;
  // A record that the index knows stays, damaged or not.
  return { file, offset: offset + length <= sizeOf(blk, file) ? offset + length : sizeOf(blk, file) };
}

function sourceOf(blk: AppendFiles, file: number): ByteSource {
  const size = sizeOf(blk, file);
  return {
    name: `block file ${file}`,
    size,
    read: (offset, length) => blk.read({ file, offset }, Math.max(0, Math.min(length, size - offset))),
    [Symbol.asyncDispose]: async () => {},
  };
}

function sizeOf(files: AppendFiles, file: number): number {
  return files.files().find((each) => each.file === file)?.bytes ?? 0;
}

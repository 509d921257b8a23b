/** Bodies and undo data on disk: `blk*.dat` and `rev*.dat` together, and what a crash left at the end of the first. */
import { BLOCK_HEADER_BYTES, type BlockHeader } from '#primitives';
import type { AppendFiles, FilePosition } from '#store';
import { NodeError } from '#util';
import { createBlockFiles, createUndoFiles, FRAME_BYTES, frameLength, MAX_BLOCK_BYTES } from './block-files.ts';
import { type BlockUndo, decodeUndo, encodeUndo } from './undo-codec.ts';

export type StoredBlock = { readonly position: FilePosition; readonly raw: Uint8Array };

/** All throw NodeError. Bytes returned are the caller's. */
export type BlockStorage = {
  readonly appendBlock: (raw: Uint8Array) => Promise<FilePosition>;
  readonly readBlock: (position: FilePosition) => Promise<Uint8Array>;
  /** `header` is the block's own: the checksum covers its parent's hash. */
  readonly appendUndo: (undo: BlockUndo, header: BlockHeader) => Promise<FilePosition>;
  readonly readUndo: (position: FilePosition, header: BlockHeader) => Promise<BlockUndo>;
  /** Waits until everything appended is on the disk. */
  readonly sync: () => Promise<void>;
  /** Empties both: a start that was cut off begins again. */
  readonly reset: () => Promise<void>;
  /**
   * The whole records behind `last` (a block's position; undefined: from the beginning), and cuts off the broken one
   * that may follow them. For opening only: nothing may be appended meanwhile.
   */
  readonly blocksBehind: (last: FilePosition | undefined) => AsyncIterable<StoredBlock>;
  /** Bytes of all files. */
  readonly sizeOnDisk: () => Promise<number>;
};

export function createBlockStorage(blk: AppendFiles, rev: AppendFiles, magic: Uint8Array): BlockStorage {
  const blocks = createBlockFiles(blk, magic);
  const undos = createUndoFiles(rev, magic);
  return {
    ...blocks,
    appendUndo: (undo, header) => undos.appendUndo(encodeUndo(undo), header.raw.subarray(4, 36)),
    readUndo: async (position, header) => {
      const bytes = await undos.readUndo(position, header.raw.subarray(4, 36));
      try {
        return decodeUndo(bytes);
      } catch (cause) {
        throw new NodeError('CORRUPT_DATA', `the undo data of block ${header.hash} are damaged`, { cause });
      }
    },
    sync: async () => {
      await Promise.all([blk.sync(), rev.sync()]);
    },
    reset: async () => {
      await blk.truncate({ file: 0, offset: 0 });
      await rev.truncate({ file: 0, offset: 0 });
    },
    blocksBehind: (last) => blocksBehind(blk, magic, last),
    sizeOnDisk: async () => {
      const all = [...(await blk.files()), ...(await rev.files())];
      return all.reduce((sum, file) => sum + file.bytes, 0);
    },
  };
}

async function* blocksBehind(
  blk: AppendFiles,
  magic: Uint8Array,
  last: FilePosition | undefined,
): AsyncIterable<StoredBlock> {
  let skip = last !== undefined;
  const from = last === undefined ? { file: 0, offset: 0 } : { file: last.file, offset: last.offset - FRAME_BYTES };
  for (const { file, bytes } of await blk.files()) {
    let offset = file === from.file ? from.offset : 0;
    while (file >= from.file && offset < bytes) {
      const raw = await readWhole(blk, magic, { file, offset }, bytes);
      if (raw === undefined) {
        await blk.truncate({ file, offset });
        return;
      }
      // The first record is the one that the index knows already.
      if (!skip) yield { position: { file, offset: offset + FRAME_BYTES }, raw };
      skip = false;
      offset += FRAME_BYTES + raw.length;
    }
  }
}

/** The record at `start`; undefined when it is cut short or no record. */
async function readWhole(
  blk: AppendFiles,
  magic: Uint8Array,
  start: FilePosition,
  fileBytes: number,
): Promise<Uint8Array | undefined> {
  if (start.offset + FRAME_BYTES > fileBytes) return undefined;
  const length = frameLength(await blk.read(start, FRAME_BYTES), magic);
  // A file system may have stored the new length of the file, and zeros where the length of the record belongs.
  if (length === undefined || length < BLOCK_HEADER_BYTES || length > MAX_BLOCK_BYTES) return undefined;
  if (start.offset + FRAME_BYTES + length > fileBytes) return undefined;
  return blk.read({ file: start.file, offset: start.offset + FRAME_BYTES }, length);
}

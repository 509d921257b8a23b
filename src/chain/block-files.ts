/**
 * Blocks and undo data in append files, framed as Bitcoin Core frames them. `blk?????.dat`: magic, length (32 bits,
 * little endian), block. `rev?????.dat`: magic, length, undo data, 32-byte checksum that the length does not count.
 * A position names the first byte behind the 8 of the frame, as Core's FlatFilePos does.
 */
import { hash256 } from '#crypto';
import { BLOCK_HEADER_BYTES } from '#primitives';
import type { AppendFiles, FilePosition } from '#store';
import { assert, concatBytes, equalBytes, NodeError } from '#util';

/** Magic and length in front of each record. */
export const FRAME_BYTES = 8;
/** Core's MAX_BLOCK_SERIALIZED_SIZE. */
export const MAX_BLOCK_BYTES = 4_000_000;
const CHECKSUM_BYTES = 32;

export type BlockFiles = {
  /** Appends the serialised block; the bytes stay the caller's. Throws NodeError. */
  readonly appendBlock: (raw: Uint8Array) => Promise<FilePosition>;
  /**
   * A fresh array with the block's bytes. Give the length where it is known: it saves a read.
   * Throws NodeError, `CORRUPT_DATA` when there is no such record.
   */
  readonly readBlock: (position: FilePosition, length?: number) => Promise<Uint8Array>;
};

export type UndoFiles = {
  /** Appends the undo data of the block whose parent is `prevHash` (32 bytes, internal order). Throws NodeError. */
  readonly appendUndo: (undo: Uint8Array, prevHash: Uint8Array) => Promise<FilePosition>;
  /** A fresh array with the undo data, whose checksum was verified. Throws NodeError (`CORRUPT_DATA`). */
  readonly readUndo: (position: FilePosition, prevHash: Uint8Array) => Promise<Uint8Array>;
};

/** `magic`: the network's 4 bytes. The files stay the caller's to sync and to close. */
export function createBlockFiles(files: AppendFiles, magic: Uint8Array): BlockFiles {
  return {
    appendBlock: async (raw) => {
      assert(raw.length >= BLOCK_HEADER_BYTES && raw.length <= MAX_BLOCK_BYTES, 'a block has 80 to 4,000,000 bytes');
      return behindFrame(await files.append([frame(magic, raw.length), raw]));
    },
    readBlock: async (position, length) => {
      const start = frameOf(position);
      const known = length ?? (await readFrame(files, start, magic, MAX_BLOCK_BYTES));
      const record = await files.read(start, FRAME_BYTES + known);
      if (frameLength(record, magic) !== known) throw damaged('block', position);
      return record.subarray(FRAME_BYTES);
    },
  };
}

export function createUndoFiles(files: AppendFiles, magic: Uint8Array): UndoFiles {
  return {
    appendUndo: async (undo, prevHash) => {
      const parts = [frame(magic, undo.length), undo, undoChecksum(undo, prevHash)];
      return behindFrame(await files.append(parts));
    },
    readUndo: async (position, prevHash) => {
      // The file's own length bounds what is read: `files.read` refuses more before it allocates.
      const length = await readFrame(files, frameOf(position), magic, 0xffffffff);
      const record = await files.read(position, length + CHECKSUM_BYTES);
      const undo = record.subarray(0, length);
      if (!equalBytes(undoChecksum(undo, prevHash), record.subarray(length))) throw damaged('undo data', position);
      return undo;
    },
  };
}

/** Core's UndoWriteToDisk: the parent's hash ties the data to its block. */
function undoChecksum(undo: Uint8Array, prevHash: Uint8Array): Uint8Array {
  return hash256(concatBytes(prevHash, undo));
}

function frame(magic: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES);
  bytes.set(magic);
  new DataView(bytes.buffer).setUint32(4, length, true);
  return bytes;
}

/** The length that the frame at the start of `bytes` gives; undefined when the magic is another's. */
export function frameLength(bytes: Uint8Array, magic: Uint8Array): number | undefined {
  if (bytes.length < FRAME_BYTES || !equalBytes(bytes.subarray(0, 4), magic)) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true);
}

async function readFrame(files: AppendFiles, start: FilePosition, magic: Uint8Array, max: number): Promise<number> {
  const length = frameLength(await files.read(start, FRAME_BYTES), magic);
  if (length === undefined || length > max) throw damaged('record', behindFrame(start));
  return length;
}

function behindFrame(start: FilePosition): FilePosition {
  return { file: start.file, offset: start.offset + FRAME_BYTES };
}

function frameOf(position: FilePosition): FilePosition {
  assert(position.offset >= FRAME_BYTES, 'a record lies behind its frame');
  return { file: position.file, offset: position.offset - FRAME_BYTES };
}

function damaged(what: string, position: FilePosition): NodeError {
  const place = `file ${position.file}, offset ${position.offset}`;
  return new NodeError(
    'CORRUPT_DATA',
    `no intact ${what} in the block files at ${place}; sync or import the blocks again`,
  );
}

/**
 * Finds the blocks in a file that somebody else wrote: Core's blk*.dat, with whatever lies between the records, or
 * raw blocks one behind the other. The search is that of Core's LoadExternalBlockFile: from magic to magic, past
 * zeros (Core allocates ahead), garbage and damaged records. Memory is bounded by the window and one block; the time
 * is linear in the file's length.
 */
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BLOCK_HEADER_BYTES, Block, BlockHeader, DecodeError, Reader, Transaction } from '#primitives';
import { type ByteSource, openByteSource } from '#store';
import { asBuffer, equalBytes, errorText, toHex } from '#util';
import { FRAME_BYTES, frameLength, MAX_BLOCK_BYTES } from './block-files.ts';

export type ScanItem =
  /** `offset`: of the block's first byte. The block owns its bytes and is decoded. */
  | { readonly kind: 'block'; readonly offset: number; readonly block: Block }
  /** From `offset` on, up to the next block or the end, there is something that is no block. One for each gap. */
  | { readonly kind: 'corrupt'; readonly offset: number; readonly reason: string };

/** Bytes read at a time, unless a block is larger. */
const WINDOW_BYTES = 1 << 20;
/** Bytes searched for the next magic at a time. */
const SEARCH_BYTES = WINDOW_BYTES / 2;
const MAGIC_BYTES = 4;
/** Version, two counts, lock time. */
const MIN_TRANSACTION_BYTES = 10;
const XOR_KEY_FILE = 'xor.dat';

/** The blocks of a file, whichever of the two forms it has. Throws NodeError when it cannot be read. */
export async function* readBlockFile(path: string, magic: Uint8Array): AsyncGenerator<ScanItem> {
  await using file = await openByteSource(path);
  const key = await readXorKey(dirname(path));
  const source = key === undefined ? file : unmasked(file, key);
  const start = await source.read(0, MAX_BLOCK_BYTES);
  yield* isRawBlock(start, magic) ? scanRawBlocks(source) : scanBlockFile(source, magic);
}

/**
 * The headers of a file's records, without looking at what lies behind them: nothing tells whether they are headers.
 * None for a file of raw blocks. Throws NodeError when the file cannot be read.
 */
export async function* readBlockHeaders(path: string, magic: Uint8Array): AsyncGenerator<BlockHeader> {
  await using file = await openByteSource(path);
  const key = await readXorKey(dirname(path));
  yield* scanHeaders(key === undefined ? file : unmasked(file, key), magic);
}

/** The headers of a blk*.dat, as `readBlockHeaders`. */
export async function* scanHeaders(source: ByteSource, magic: Uint8Array): AsyncGenerator<BlockHeader> {
  const window = new ByteWindow(source, FRAME_BYTES + BLOCK_HEADER_BYTES);
  for (let next = 0; ; ) {
    // Records mostly follow each other; between others the magic is searched for.
    const isRecord = frameLength(await window.view(next, FRAME_BYTES), magic) !== undefined;
    const at = isRecord ? next : await findMagic(window, magic, next, new Gap());
    if (at === undefined) return;
    const length = frameLength(await window.view(at, FRAME_BYTES), magic) ?? 0;
    const begin = at + FRAME_BYTES;
    const isWhole = length >= BLOCK_HEADER_BYTES && length <= MAX_BLOCK_BYTES && begin + length <= source.size;
    if (isWhole) yield new BlockHeader((await window.view(begin, BLOCK_HEADER_BYTES)).slice());
    next = isWhole ? begin + length : at + 1;
  }
}

/** The records of a blk*.dat from `fromOffset` on. */
export async function* scanBlockFile(source: ByteSource, magic: Uint8Array, fromOffset = 0): AsyncGenerator<ScanItem> {
  const window = new ByteWindow(source);
  const gap = new Gap();
  let blocks = 0;
  let next = fromOffset;
  for (;;) {
    const at = await findMagic(window, magic, next, gap);
    if (at === undefined) break;
    const length = frameLength(await window.view(at, FRAME_BYTES), magic) ?? 0;
    const begin = at + FRAME_BYTES;
    if (length < BLOCK_HEADER_BYTES || length > MAX_BLOCK_BYTES) {
      gap.note(at, `a record of ${length} bytes is no block`);
      next = at + 1;
    } else if (begin + length > source.size) {
      gap.note(at, `the record of ${length} bytes is cut short by the end of the file`);
      next = at + 1;
    } else {
      const decoded = decodeRecord(await window.view(begin, length));
      if (decoded instanceof Block) {
        yield* gap.close();
        yield { kind: 'block', offset: begin, block: decoded };
        blocks += 1;
        // Core goes on where the block ended, though its frame may claim more.
        next = begin + decoded.size;
      } else {
        gap.note(at, `the block does not decode: ${errorText(decoded)}`);
        next = begin + length;
      }
    }
  }
  if (blocks === 0) gap.rename(`no block with the magic ${toHex(magic)} of this network`);
  yield* gap.close();
}

async function* scanRawBlocks(source: ByteSource): AsyncGenerator<ScanItem> {
  const window = new ByteWindow(source);
  let offset = 0;
  while (offset < source.size) {
    const decoded = decodeBlock(await window.view(offset, MAX_BLOCK_BYTES));
    if (!(decoded instanceof Block)) {
      yield { kind: 'corrupt', offset, reason: `the block does not decode: ${errorText(decoded)}` };
      return;
    }
    yield { kind: 'block', offset, block: decoded };
    offset += decoded.size;
  }
}

/** A block without a frame: not the magic, but something that decodes and begins with a coinbase. */
function isRawBlock(bytes: Uint8Array, magic: Uint8Array): boolean {
  if (equalBytes(bytes.subarray(0, MAGIC_BYTES), magic)) return false;
  const decoded = decodeBlock(bytes);
  return decoded instanceof Block && decoded.transactions[0]?.isCoinbase === true;
}

/** The block at the start of `view`, with its own copy of the bytes; whatever follows it is left out. */
function decodeBlock(view: Uint8Array): Block | DecodeError {
  try {
    const reader = new Reader(view);
    reader.skip(BLOCK_HEADER_BYTES);
    for (let count = reader.count(MIN_TRANSACTION_BYTES); count > 0; count--) Transaction.read(reader);
    return Block.fromBytes(new Uint8Array(view.subarray(0, reader.offset)));
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

/** The block of a record: all of its bytes, or as Core takes it, the first of them. */
function decodeRecord(view: Uint8Array): Block | DecodeError {
  try {
    return Block.fromBytes(new Uint8Array(view));
  } catch (error) {
    if (error instanceof DecodeError) return decodeBlock(view);
    throw error;
  }
}

/** The offset of the next magic with room for a length behind it. What is passed over is reported to `gap`. */
async function findMagic(window: ByteWindow, magic: Uint8Array, from: number, gap: Gap): Promise<number | undefined> {
  for (let offset = from; ; ) {
    const view = await window.view(offset, SEARCH_BYTES);
    const found = asBuffer(view).indexOf(magic);
    const isLast = view.length < SEARCH_BYTES || offset + view.length >= window.size;
    // The first bytes of a magic may stand at the very end of the view.
    const passed = found >= 0 ? found : Math.max(0, isLast ? view.length : view.length - MAGIC_BYTES + 1);
    gap.pass(view.subarray(0, passed), offset);
    offset += passed;
    if (found >= 0 && offset + FRAME_BYTES <= window.size) return offset;
    if (found >= 0) gap.note(offset, 'a record is cut short by the end of the file');
    if (found >= 0 || isLast) return undefined;
  }
}

/** What lies between two blocks: silent while it is zeros, else one report with the first reason. */
class Gap {
  #found: { readonly offset: number; reason: string } | undefined;

  note(offset: number, reason: string): void {
    this.#found ??= { offset, reason };
  }

  pass(bytes: Uint8Array, offset: number): void {
    if (this.#found !== undefined) return;
    const index = bytes.findIndex((byte) => byte !== 0);
    if (index >= 0) this.note(offset + index, 'bytes that belong to no record');
  }

  rename(reason: string): void {
    if (this.#found !== undefined) this.#found.reason = reason;
  }

  *close(): Generator<ScanItem> {
    if (this.#found !== undefined) yield { kind: 'corrupt', ...this.#found };
    this.#found = undefined;
  }
}

/** A piece of the source in memory, moved forward as needed. Views are good until the next call. */
class ByteWindow {
  readonly #source: ByteSource;
  readonly #readBytes: number;
  #start = 0;
  #bytes: Uint8Array = new Uint8Array(0);

  /** Reads so much at a time, or what is asked for if that is more. */
  constructor(source: ByteSource, readBytes = WINDOW_BYTES) {
    this.#source = source;
    this.#readBytes = readBytes;
  }

  get size(): number {
    return this.#source.size;
  }

  /** `length` bytes from `offset`; fewer at the end of the source. */
  async view(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(offset + length, this.#source.size);
    if (offset < this.#start || end > this.#start + this.#bytes.length) {
      this.#bytes = await this.#source.read(offset, Math.max(length, this.#readBytes));
      this.#start = offset;
    }
    return this.#bytes.subarray(offset - this.#start, end - this.#start);
  }
}

/** Since version 28 Core masks the files of a block directory with the 8 bytes of its `xor.dat`. */
async function readXorKey(directory: string): Promise<Uint8Array | undefined> {
  try {
    await using handle = await open(join(directory, XOR_KEY_FILE), 'r');
    const key = new Uint8Array(8);
    const { bytesRead } = await handle.read(key, 0, key.length, 0);
    return bytesRead === key.length && key.some((byte) => byte !== 0) ? key : undefined;
  } catch {
    // No such file: the blocks are not masked. One that cannot be read shows as a file without blocks.
    return undefined;
  }
}

function unmasked(source: ByteSource, key: Uint8Array): ByteSource {
  return {
    name: source.name,
    size: source.size,
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
    read: async (offset, length) => {
      const bytes = await source.read(offset, length);
      for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) ^ (key[(offset + i) & 7] ?? 0);
      return bytes;
    },
  };
}

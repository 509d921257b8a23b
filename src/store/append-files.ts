/**
 * Numbered append-only files on disk, named as Bitcoin Core names them (`blk00000.dat`, `rev00000.dat`).
 *
 * - The lengths are kept in memory; bytes behind them are leftovers of a failed append and are cut off before the
 *   next one. Writes are positional and run one at a time; reads run beside them.
 * - A finished file is synced when the next is begun, so `sync` has only the last one to wait for.
 * - After a failed fsync the kernel may have dropped the bytes and forgotten the error: no append or sync
 *   succeeds from then on, until the files are opened anew.
 */
import { constants } from 'node:fs';
import { mkdir, open, readdir, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { asBuffer, assert, NodeError, Serial } from '#util';
import { type DiskFile, type OpenFile, openDiskFile } from './disk-file.ts';
import { ioError } from './io-error.ts';
import type { AppendFiles, FilePosition, FileSize } from './ports.ts';
import { ReadHandles } from './read-handles.ts';

export type AppendFilesOptions = {
  /** In front of the five-digit number: `blk`, `rev`. */
  readonly prefix: string;
  /** A record that would make a file longer than this starts the next one. */
  readonly maxFileBytes: number;
  /** Never creates, appends or truncates. */
  readonly readOnly?: boolean;
  /** Files kept open for reading. */
  readonly maxOpenFiles?: number;
};

const DEFAULT_MAX_OPEN_FILES = 16;
const MAX_FILE_NUMBER = 99_999;

/** Opens the run of files in `directory` (created when missing, unless `readOnly`). Throws NodeError. */
export async function openAppendFiles(
  directory: string,
  options: AppendFilesOptions,
  deps: { readonly openFile: OpenFile } = { openFile: openDiskFile },
): Promise<AppendFiles> {
  try {
    if (options.readOnly !== true) await mkdir(directory, { recursive: true });
    return new DiskAppendFiles(directory, options, deps.openFile, await listFiles(directory, options.prefix));
  } catch (error) {
    throw ioError(error, 'open', directory);
  }
}

async function listFiles(directory: string, prefix: string): Promise<Map<number, number>> {
  const numbers: number[] = [];
  for (const name of await readdir(directory)) {
    const digits = name.slice(prefix.length, -4);
    if (/^\d{5}$/.test(digits) && name === `${prefix}${digits}.dat`) numbers.push(Number(digits));
  }
  const sizes = new Map<number, number>();
  for (const file of numbers.sort((a, b) => a - b)) {
    sizes.set(file, (await stat(join(directory, fileName(prefix, file)))).size);
  }
  return sizes;
}

function fileName(prefix: string, file: number): string {
  return `${prefix}${String(file).padStart(5, '0')}.dat`;
}

class DiskAppendFiles implements AppendFiles {
  readonly #directory: string;
  readonly #options: AppendFilesOptions;
  readonly #openFile: OpenFile;
  readonly #serial = new Serial();
  readonly #readers: ReadHandles;
  /** Length of each file. */
  readonly #sizes: Map<number, number>;
  /** Number of the last file; 0 when there is none. */
  #last: number;
  #writer: { readonly file: number; readonly handle: DiskFile } | undefined;
  #unsynced = false;
  #directoryUnsynced = false;
  /** The last file may be longer than `#sizes` says. */
  #tailUnclean = false;
  #failure: NodeError | undefined;
  #closed = false;

  constructor(directory: string, options: AppendFilesOptions, openFile: OpenFile, sizes: Map<number, number>) {
    this.#directory = directory;
    this.#options = options;
    this.#openFile = openFile;
    this.#sizes = sizes;
    this.#last = Math.max(0, ...sizes.keys());
    this.#readers = new ReadHandles(
      (file) => openFile(this.#path(file), constants.O_RDONLY),
      options.maxOpenFiles ?? DEFAULT_MAX_OPEN_FILES,
    );
  }

  end(): FilePosition {
    return { file: this.#last, offset: this.#sizes.get(this.#last) ?? 0 };
  }

  append(parts: readonly Uint8Array[]): Promise<FilePosition> {
    return this.#change('append to', async () => {
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      if (this.#tailUnclean) await this.#cleanTail();
      const start = this.#startFor(length);
      const handle = await this.#writerFor(start.file);
      try {
        await writeFully(handle, parts, start.offset);
      } catch (error) {
        await this.#undoAppend(start);
        throw error;
      }
      this.#setSize(start.file, start.offset + length);
      this.#unsynced = true;
      return start;
    });
  }

  async read(position: FilePosition, length: number): Promise<Uint8Array> {
    this.#assertOpen();
    const path = this.#path(position.file);
    const size = this.#sizes.get(position.file) ?? 0;
    // Checked before the allocation: `length` may come from a damaged file.
    if (position.offset + length > size) throw tooShort(path, position.offset, length, size);
    const bytes = new Uint8Array(length);
    try {
      const got = await this.#readers.read(position.file, bytes, position.offset);
      if (got < length) throw tooShort(path, position.offset, length, position.offset + got);
      return bytes;
    } catch (error) {
      throw ioError(error, 'read', path);
    }
  }

  sync(): Promise<void> {
    return this.#change('sync', () => this.#syncAll());
  }

  truncate(end: FilePosition): Promise<void> {
    return this.#change('truncate', async () => {
      await this.#closeWriter();
      // From the last down: a crash in between leaves a run without gaps.
      for (const { file } of this.files().toReversed()) {
        if (file <= end.file) break;
        await this.#remove(file);
        this.#last = Math.max(0, ...this.#sizes.keys());
        this.#tailUnclean = false;
      }
      if ((this.#sizes.get(end.file) ?? 0) > end.offset) {
        this.#setSize(end.file, end.offset);
        this.#tailUnclean = true;
      }
      if (this.#tailUnclean) await this.#cleanTail();
      this.#unsynced = true;
      await this.#syncAll();
    });
  }

  async remove(files: Iterable<number>): Promise<void> {
    const numbers = [...files];
    assert(!numbers.includes(this.#last), 'the last file is written to');
    await this.#change('remove', async () => {
      for (const file of numbers) if (this.#sizes.has(file)) await this.#remove(file);
    });
  }

  files(): readonly FileSize[] {
    return Array.from(this.#sizes, ([file, bytes]) => ({ file, bytes })).sort((a, b) => a.file - b.file);
  }

  /** Closes the files; appended bytes that were not synced are left to the operating system. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#serial.run(async () => {
      await this.#closeWriter();
      await this.#readers.closeAll();
    });
  }

  #path(file: number): string {
    return join(this.#directory, fileName(this.#options.prefix, file));
  }

  /** Only the last file changes, so its number is the one set last. */
  #setSize(file: number, bytes: number): void {
    this.#sizes.set(file, bytes);
    this.#last = file;
  }

  #assertOpen(): void {
    if (this.#closed) throw new NodeError('IO', `cannot use the files in ${this.#directory}: they are closed`);
  }

  #change<T>(action: string, work: () => Promise<T>): Promise<T> {
    return this.#serial.run(async () => {
      this.#assertOpen();
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#options.readOnly === true) throw new NodeError('IO', `cannot ${action} ${this.#directory}: read-only`);
      try {
        return await work();
      } catch (error) {
        throw ioError(error, action, this.#path(this.end().file));
      }
    });
  }

  /** Where a record of `length` bytes goes: behind the last one, or to a new file when it would not fit. */
  #startFor(length: number): FilePosition {
    const end = this.end();
    if (end.offset === 0 || end.offset + length <= this.#options.maxFileBytes) return end;
    if (end.file === MAX_FILE_NUMBER) throw new NodeError('IO', `all file numbers used in ${this.#directory}`);
    return { file: end.file + 1, offset: 0 };
  }

  async #writerFor(file: number): Promise<DiskFile> {
    if (this.#writer?.file === file) return this.#writer.handle;
    if (this.#writer !== undefined) {
      if (this.#unsynced) await this.#syncWriter(this.#writer.handle);
      await this.#closeWriter();
    }
    const handle = await this.#openFile(this.#path(file), constants.O_RDWR | constants.O_CREAT);
    this.#writer = { file, handle };
    this.#directoryUnsynced ||= !this.#sizes.has(file);
    return handle;
  }

  async #closeWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.handle.close();
  }

  /** Takes back a record that was begun at `start`. When that fails too, the next append tries again first. */
  async #undoAppend(start: FilePosition): Promise<void> {
    try {
      if (this.#sizes.has(start.file)) {
        this.#tailUnclean = true;
        await this.#cleanTail();
      } else {
        await this.#closeWriter();
        await unlink(this.#path(start.file));
      }
    } catch {
      // A new file that could not be removed is counted, so that it is cleaned as any other.
      if (!this.#sizes.has(start.file)) this.#setSize(start.file, 0);
      this.#tailUnclean = true;
    }
  }

  async #cleanTail(): Promise<void> {
    const { file, offset } = this.end();
    const handle = await this.#writerFor(file);
    await handle.truncate(offset);
    this.#tailUnclean = false;
  }

  async #remove(file: number): Promise<void> {
    const bytes = this.#sizes.get(file) ?? 0;
    // Forgotten first, so that no read opens it again: an open handle would keep its room on the disk.
    this.#sizes.delete(file);
    try {
      await this.#readers.close(file);
      await rm(this.#path(file), { force: true });
    } catch (error) {
      this.#sizes.set(file, bytes);
      throw error;
    }
    this.#directoryUnsynced = true;
  }

  async #syncAll(): Promise<void> {
    if (this.#unsynced && this.#sizes.size > 0) await this.#syncWriter(await this.#writerFor(this.end().file));
    if (this.#directoryUnsynced) await this.#syncDirectory();
    this.#unsynced = false;
  }

  async #syncWriter(handle: DiskFile): Promise<void> {
    try {
      await handle.datasync();
      this.#unsynced = false;
    } catch (error) {
      this.#failure = ioError(error, 'sync', this.#directory);
      throw this.#failure;
    }
  }

  /** A new file's name is safe only once its directory is. */
  async #syncDirectory(): Promise<void> {
    const handle = await open(this.#directory, constants.O_RDONLY);
    try {
      await handle.sync();
      this.#directoryUnsynced = false;
    } finally {
      await handle.close();
    }
  }
}

async function writeFully(handle: DiskFile, parts: readonly Uint8Array[], offset: number): Promise<void> {
  let pending = parts.map(asBuffer).filter((part) => part.length > 0);
  let position = offset;
  while (pending.length > 0) {
    const { bytesWritten } = await handle.writev(pending, position);
    if (bytesWritten === 0) throw new Error('the file takes no more bytes');
    position += bytesWritten;
    pending = withoutFirst(pending, bytesWritten);
  }
}

/** The parts that are left after a short write of `count` bytes. */
function withoutFirst(parts: readonly Buffer[], count: number): Buffer[] {
  let skip = count;
  const left: Buffer[] = [];
  for (const part of parts) {
    if (skip < part.length) left.push(part.subarray(skip));
    skip = Math.max(0, skip - part.length);
  }
  return left;
}

function tooShort(path: string, offset: number, length: number, size: number): NodeError {
  return new NodeError(
    'CORRUPT_DATA',
    `${path} is cut short: ${length} bytes wanted at offset ${offset}, the file has ${size}; re-import the blocks`,
  );
}

/**
 * The key-value store on disk: LevelDB (classic-level), as Bitcoin Core has it.
 *
 * - After a write that failed LevelDB may have left a torn record in its log and would append behind it, where
 *   recovery after a crash does not look; opening it anew starts a new log. So no write succeeds until then. Where
 *   the disk was full, the next write with room again opens it anew; otherwise the next start does.
 *   The failed batch is then there whole or not at all.
 * - classic-level does not verify LevelDB's block checksums on reads, so each value carries its own:
 *   CRC-32 of key and value, 4 bytes behind the value. A mismatch is `CORRUPT_DATA`, never a wrong answer.
 */
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ClassicLevel } from 'classic-level';
import { errorText, NodeError, Serial, systemClock } from '#util';
import { errnoOf, ioError } from './io-error.ts';
import { type StoreFigures, StoreMeter } from './meter.ts';
import type { BatchOp, KeyRange, KeyValueStore } from './ports.ts';

export type LevelStoreOptions = {
  /** Memory for uncompressed blocks read from disk. */
  readonly cacheBytes: number;
  /** Memory for recent writes; LevelDB may hold two of these. */
  readonly writeBufferBytes: number;
};

const CHECKSUM_BYTES = 4;
/** LevelDB's files: larger ones mean fewer handles for a UTXO set of gigabytes. */
const TABLE_FILE_BYTES = 16 * 2 ** 20;
/** How much an iterator fetches in one trip to the thread pool. */
const ENTRIES_PER_TRIP = 1000;
const BYTES_PER_TRIP = 256 * 1024;

type Level = ClassicLevel<Uint8Array, Uint8Array>;

export type LevelStore = KeyValueStore & { readonly figures: () => StoreFigures };

/** Opens or creates the database in the directory `path`. Throws NodeError. */
export async function openLevelStore(path: string, options: LevelStoreOptions): Promise<LevelStore> {
  const level: Level = new ClassicLevel(path, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    cacheSize: options.cacheBytes,
    writeBufferSize: options.writeBufferBytes,
    maxFileSize: TABLE_FILE_BYTES,
    // Hashes and keys do not compress; Core stores them plain too.
    compression: false,
  });
  try {
    await level.open();
  } catch (error) {
    throw levelError(error, 'open', path);
  }
  return new DiskStore(level, path, 2 * options.writeBufferBytes);
}

class DiskStore implements LevelStore {
  readonly #level: Level;
  readonly #path: string;
  /** Opening writes the log into a table, and the next write may fill a log and a table. */
  readonly #reopenBytes: number;
  readonly #serial = new Serial();
  readonly #meter = new StoreMeter(systemClock);
  #writeFailure: NodeError | undefined;

  constructor(level: Level, path: string, reopenBytes: number) {
    this.#level = level;
    this.#path = path;
    this.#reopenBytes = reopenBytes;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    let sealed: Uint8Array | undefined;
    this.#meter.reads += 1;
    try {
      sealed = this.#level.getSync(key);
    } catch (error) {
      throw this.#readError(error);
    }
    return this.#open(key, sealed);
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    if (this.#level.status !== 'open') await this.#serial.idle();
    this.#meter.reads += keys.length;
    let values: (Uint8Array | undefined)[];
    try {
      values = await this.#level.getMany([...keys]);
    } catch (error) {
      throw this.#readError(error);
    }
    return keys.map((key, i) => this.#open(key, values[i]));
  }

  write(ops: readonly BatchOp[], options?: { readonly sync?: boolean }): Promise<void> {
    // Copied now: the caller may reuse its arrays while earlier writes are still under way.
    const batch = toLevelOps(ops);
    const bytes = bytesOf(ops);
    const work = (): Promise<void> => this.#level.batch(batch, { sync: options?.sync ?? false });
    return this.#change(() => this.#meter.write(batch.length, bytes, work));
  }

  /** Looks at no value: what is damaged goes too. */
  clear(range: KeyRange = {}): Promise<void> {
    return this.#change(() => this.#level.clear(range));
  }

  async *entries(range: KeyRange = {}): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
    try {
      // LevelDB iterators read from an implicit snapshot taken here.
      await using iterator = this.#level.iterator({ ...range, highWaterMarkBytes: BYTES_PER_TRIP });
      for (;;) {
        const batch = await iterator.nextv(ENTRIES_PER_TRIP);
        if (batch.length === 0) return;
        for (const [key, sealed] of batch) yield [key, this.#unseal(key, sealed)];
      }
    } catch (error) {
      throw this.#readError(error);
    }
  }

  async sizeOnDisk(): Promise<number> {
    try {
      const names = await readdir(this.#path);
      const sizes = await Promise.all(names.map((name) => fileSize(join(this.#path, name))));
      return sizes.reduce((sum, bytes) => sum + bytes, 0);
    } catch (error) {
      throw ioError(error, 'measure', this.#path);
    }
  }

  figures(): StoreFigures {
    // Only an open database tells; while it is opened anew it has none.
    const memory = this.#level.status === 'open' ? this.#level.getProperty('leveldb.approximate-memory-usage') : '0';
    return { ...this.#meter.figures(), memoryBytes: Number(memory) };
  }

  /** LevelDB maps each table that it reads into memory, and lets go of none before it is closed. */
  trim(): Promise<void> {
    return this.#change(() => this.#closeAndOpen());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#serial.run(() => this.#level.close());
  }

  #change(work: () => Promise<void>): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#writeFailure !== undefined) await this.#reopen(this.#writeFailure);
      try {
        await work();
      } catch (error) {
        this.#writeFailure = levelError(error, 'write to', this.#path);
        throw this.#writeFailure;
      }
    });
  }

  /** Throws the failure if it is not over, or what is wrong now. Reads fail while the database is closed. */
  async #reopen(failure: NodeError): Promise<void> {
    if (failure.code !== 'DISK_FULL') throw failure;
    try {
      const { bavail, bsize } = await statfs(this.#path);
      if (bavail * bsize < this.#reopenBytes) throw failure;
      await this.#closeAndOpen();
    } catch (error) {
      throw levelError(error, 'open', this.#path);
    }
    this.#writeFailure = undefined;
  }

  async #closeAndOpen(): Promise<void> {
    await this.#level.close();
    await this.#level.open();
  }

  #readError(error: unknown): NodeError {
    if (this.#level.status !== 'open' && this.#writeFailure !== undefined) return this.#writeFailure;
    return levelError(error, 'read', this.#path);
  }

  #open(key: Uint8Array, sealed: Uint8Array | undefined): Uint8Array | undefined {
    return sealed === undefined ? undefined : this.#unseal(key, sealed);
  }

  #unseal(key: Uint8Array, sealed: Uint8Array): Uint8Array {
    const length = sealed.length - CHECKSUM_BYTES;
    const value = sealed.subarray(0, Math.max(length, 0));
    if (length < 0 || checksum(key, value) !== readChecksum(sealed, length)) {
      throw corrupt(this.#path, 'a value does not match its checksum');
    }
    return value;
  }
}

function checksum(key: Uint8Array, value: Uint8Array): number {
  return crc32(value, crc32(key));
}

function readChecksum(sealed: Uint8Array, offset: number): number {
  return new DataView(sealed.buffer, sealed.byteOffset + offset, CHECKSUM_BYTES).getUint32(0, true);
}

function bytesOf(ops: readonly BatchOp[]): number {
  return ops.reduce((sum, op) => sum + op.key.length + (op.kind === 'put' ? op.value.length : 0), 0);
}

type LevelOp =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

/** Copies all keys and values, sealed, into one piece of memory: with arrays of their own a write takes twice as long. */
function toLevelOps(ops: readonly BatchOp[]): LevelOp[] {
  let length = 0;
  for (const op of ops) length += op.key.length + (op.kind === 'put' ? op.value.length + CHECKSUM_BYTES : 0);
  const all = new Uint8Array(length);
  const view = new DataView(all.buffer);
  let end = 0;
  const copy = (bytes: Uint8Array): number => {
    all.set(bytes, end);
    end += bytes.length;
    return end - bytes.length;
  };
  return ops.map((op) => {
    const key = all.subarray(copy(op.key), end);
    if (op.kind === 'del') return { type: 'del', key };
    const start = copy(op.value);
    view.setUint32(end, checksum(key, op.value), true);
    end += CHECKSUM_BYTES;
    return { type: 'put', key, value: all.subarray(start, end) };
  });
}

/** A file that a compaction removes meanwhile counts nothing. */
async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

function corrupt(path: string, what: string, cause?: unknown): NodeError {
  return new NodeError('CORRUPT_DATA', `damaged database ${path}: ${what}; start with --reindex to build it anew`, {
    cause,
  });
}

function levelError(error: unknown, action: string, path: string): NodeError {
  if (error instanceof NodeError) return error;
  // abstract-level wraps what the binding threw while opening.
  const root = errnoOf(error) === 'LEVEL_DATABASE_NOT_OPEN' && error instanceof Error ? (error.cause ?? error) : error;
  switch (errnoOf(root)) {
    case 'LEVEL_LOCKED':
      return new NodeError('DATADIR_LOCKED', `database ${path} is in use by another process; stop that one first`, {
        cause: error,
      });
    case 'LEVEL_CORRUPTION':
      return corrupt(path, errorText(root), error);
    default:
      return ioError(root, `${action} the database`, path);
  }
}

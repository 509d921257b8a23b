/** The store ports. They know bytes and files, no schema. Each has a disk and a memory version. */

export type BatchOp =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'del'; readonly key: Uint8Array };

export type KeyRange = {
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
};

/** An ordered map of byte strings (memcmp order). Arrays given stay the caller's; arrays returned are the caller's too. */
export type KeyValueStore = AsyncDisposable & {
  /** Synchronous: a cache hit costs a few microseconds. Throws NodeError. */
  readonly get: (key: Uint8Array) => Uint8Array | undefined;
  /** Several at once, off the main thread; results in the order of the keys. */
  readonly getMany: (keys: readonly Uint8Array[]) => Promise<(Uint8Array | undefined)[]>;
  /** All or nothing, also over a crash. `sync` waits for the disk. Throws NodeError (`DISK_FULL`, `IO`). */
  readonly write: (ops: readonly BatchOp[], options?: { readonly sync?: boolean }) => Promise<void>;
  /** Removes all entries of the range, or all there are. A crash may leave some of them. Throws NodeError. */
  readonly clear: (range?: KeyRange) => Promise<void>;
  /** Entries in key order, from a snapshot taken at the first step. */
  readonly entries: (range?: KeyRange) => AsyncIterable<readonly [Uint8Array, Uint8Array]>;
  /** Bytes on disk (0 in memory). */
  readonly sizeOnDisk: () => Promise<number>;
  /** Gives back the memory that a long walk took. Nobody else may use the store meanwhile. Throws NodeError. */
  readonly trim: () => Promise<void>;
};

export type FilePosition = {
  /** Number in the file's name: `blk00007.dat` is 7. */
  readonly file: number;
  readonly offset: number;
};

export type FileSize = { readonly file: number; readonly bytes: number };

/**
 * A run of numbered files that only grow (`<prefix>00000.dat`, …). A record never spans two files: one that
 * does not fit the current file's bound starts the next. One writer at a time.
 */
export type AppendFiles = AsyncDisposable & {
  /** Where the next record would begin, were it to fit the current file. */
  readonly end: () => FilePosition;
  /** Appends the parts as one record and gives its start. A failed append leaves no trace. Throws NodeError. */
  readonly append: (parts: readonly Uint8Array[]) => Promise<FilePosition>;
  /** A fresh array of exactly `length` bytes; throws NodeError `CORRUPT_DATA` if the file is shorter. */
  readonly read: (position: FilePosition, length: number) => Promise<Uint8Array>;
  /** Waits until all appended bytes are on the disk. */
  readonly sync: () => Promise<void>;
  /** Forgets everything from `end` on: removes later files, shortens that one. */
  readonly truncate: (end: FilePosition) => Promise<void>;
  /**
   * Removes whole files, any but the last; no other changes its number. A power failure soon after may bring some back.
   * Reads begun before end well, later ones find nothing there.
   */
  readonly remove: (files: Iterable<number>) => Promise<void>;
  /** Every file with its length in bytes, ascending. */
  readonly files: () => readonly FileSize[];
};

/** The append files in memory. */
import { assert, concatBytes, NodeError } from '#util';
import type { AppendFiles, FilePosition, FileSize } from './ports.ts';

export function createMemoryAppendFiles(options: { readonly maxFileBytes: number }): AppendFiles {
  return new MemoryAppendFiles(options.maxFileBytes);
}

/** `bytes` has room to spare; the first `length` of them count. */
type MemoryFile = { bytes: Uint8Array; length: number };

class MemoryAppendFiles implements AppendFiles {
  readonly #maxFileBytes: number;
  /** By number; undefined: removed. The last one is there. */
  readonly #files: (MemoryFile | undefined)[] = [];
  #closed = false;

  constructor(maxFileBytes: number) {
    this.#maxFileBytes = maxFileBytes;
  }

  end(): FilePosition {
    const last = this.#files.at(-1);
    return { file: Math.max(0, this.#files.length - 1), offset: last?.length ?? 0 };
  }

  async append(parts: readonly Uint8Array[]): Promise<FilePosition> {
    this.#assertOpen();
    const record = concatBytes(...parts);
    let last = this.#files.at(-1);
    if (last === undefined || (last.length > 0 && last.length + record.length > this.#maxFileBytes)) {
      last = { bytes: new Uint8Array(0), length: 0 };
      this.#files.push(last);
    }
    const start = this.end();
    const length = last.length + record.length;
    if (length > last.bytes.length) {
      const larger = new Uint8Array(Math.max(length, last.bytes.length * 2));
      larger.set(last.bytes);
      last.bytes = larger;
    }
    last.bytes.set(record, last.length);
    last.length = length;
    return start;
  }

  async read(position: FilePosition, length: number): Promise<Uint8Array> {
    this.#assertOpen();
    const file = this.#files[position.file];
    const end = position.offset + length;
    if (file === undefined || end > file.length) {
      throw new NodeError('CORRUPT_DATA', `memory file ${position.file} has no ${length} bytes at ${position.offset}`);
    }
    return file.bytes.slice(position.offset, end);
  }

  async sync(): Promise<void> {
    this.#assertOpen();
  }

  async truncate(end: FilePosition): Promise<void> {
    this.#assertOpen();
    this.#files.length = Math.min(this.#files.length, end.file + 1);
    const file = this.#files[end.file];
    if (file !== undefined) file.length = Math.min(file.length, end.offset);
    while (this.#files.length > 0 && this.#files.at(-1) === undefined) this.#files.pop();
  }

  async remove(files: Iterable<number>): Promise<void> {
    this.#assertOpen();
    for (const file of files) {
      assert(file !== this.end().file, 'the last file is written to');
      if (file < this.#files.length) this.#files[file] = undefined;
    }
  }

  files(): readonly FileSize[] {
    return this.#files.flatMap((each, file) => (each === undefined ? [] : [{ file, bytes: each.length }]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#files.length = 0;
  }

  #assertOpen(): void {
    if (this.#closed) throw new NodeError('IO', 'cannot use the memory files: they are closed');
  }
}

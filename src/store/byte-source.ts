/** Bytes that are read in place, as much at a time as the reader wants: a file of any size, or an array. */
import { type FileHandle, open } from 'node:fs/promises';
import { NodeError } from '#util';
import { ioError } from './io-error.ts';

export type ByteSource = AsyncDisposable & {
  /** What messages call it: the path. */
  readonly name: string;
  /** Length in bytes when it was opened. */
  readonly size: number;
  /** A fresh array of the bytes from `offset`: `length` of them, fewer at the end. Throws NodeError. */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>;
};

/** Opens a file for reading. Throws NodeError (`IO` when it is missing). */
export async function openByteSource(path: string): Promise<ByteSource> {
  try {
    const handle = await open(path, 'r');
    const info = await handle.stat();
    if (!info.isFile()) {
      await handle.close();
      throw new NodeError('IO', `cannot read ${path}: it is no regular file`);
    }
    return new FileSource(path, handle, info.size);
  } catch (error) {
    throw ioError(error, 'open', path);
  }
}

class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #handle: FileHandle;

  constructor(name: string, handle: FileHandle, size: number) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    try {
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await this.#handle.read(bytes, filled, bytes.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } catch (error) {
      throw ioError(error, 'read', this.name);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** The bytes stay the caller's and must not change. */
export function memoryByteSource(bytes: Uint8Array, name = 'memory'): ByteSource {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
    [Symbol.asyncDispose]: async () => {},
  };
}

/**
 * One open file. Short reads and writes go straight to the operating system on this thread, long ones through the
 * thread pool: 500 bytes cost 4 us and 39 us of time and CPU respectively (measured), a megabyte 680 us and 240 us.
 * Early blocks are 200 bytes long and there are two files to write for each.
 */
import { readSync, writevSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** The part of a FileHandle that the append files use, so that tests can put a failing one in its place. */
export type DiskFile = {
  /** Writes what fits and gives how much that was. */
  readonly writev: (parts: readonly Uint8Array[], position: number) => Promise<{ readonly bytesWritten: number }>;
  readonly read: (
    target: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ) => Promise<{ readonly bytesRead: number }>;
  readonly truncate: (length: number) => Promise<void>;
  /** Waits until the bytes are on the disk. */
  readonly datasync: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** `flags` are those of open(2). Rejects with the system's error. */
export type OpenFile = (path: string, flags: number) => Promise<DiskFile>;

/** Up to this many bytes the call itself costs more than what it moves. */
const SHORT_BYTES = 64 * 1024;

export async function openDiskFile(path: string, flags: number): Promise<DiskFile> {
  return diskFile(await open(path, flags));
}

function diskFile(handle: FileHandle): DiskFile {
  return {
    writev: async (parts, position) => {
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      if (length > SHORT_BYTES) return handle.writev([...parts], position);
      return { bytesWritten: writevSync(handle.fd, [...parts], position) };
    },
    read: async (target, offset, length, position) => {
      if (length > SHORT_BYTES) return handle.read(target, offset, length, position);
      return { bytesRead: readSync(handle.fd, target, offset, length, position) };
    },
    truncate: (length) => handle.truncate(length),
    datasync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

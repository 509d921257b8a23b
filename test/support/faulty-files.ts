/** A file system whose writes go wrong when told to, for the disk version of the append files. */
import { type FileHandle, open } from 'node:fs/promises';
import type { OpenFile } from '../../src/store/read-handles.ts';

export type FileFaults = {
  readonly openFile: OpenFile;
  /** Most bytes that one call of writev takes; the rest is left to the caller to write again. */
  maxBytesPerWrite: number;
  /** Bytes that still fit; a write beyond them stores what fits, then fails with ENOSPC. */
  bytesLeft: number;
  failTruncate: boolean;
  failSync: boolean;
  /** Files opened and not closed. */
  openCount: number;
};

function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected by a test`), { code });
}

export function createFileFaults(): FileFaults {
  const faults: FileFaults = {
    openFile: async (path, flags) => {
      const handle = await open(path, flags);
      faults.openCount += 1;
      return faulty(handle, faults);
    },
    maxBytesPerWrite: Number.POSITIVE_INFINITY,
    bytesLeft: Number.POSITIVE_INFINITY,
    failTruncate: false,
    failSync: false,
    openCount: 0,
  };
  return faults;
}

function faulty(handle: FileHandle, faults: FileFaults): FileHandle {
  const overrides: Partial<FileHandle> = {
    writev: (async (buffers: readonly Uint8Array[], position?: number) => {
      const all = Buffer.concat(buffers);
      const room = Math.min(all.length, faults.maxBytesPerWrite, faults.bytesLeft);
      if (room === 0) throw errno('ENOSPC');
      await handle.write(all.subarray(0, room), 0, room, position ?? null);
      faults.bytesLeft -= room;
      return { bytesWritten: room, buffers };
    }) as FileHandle['writev'],
    truncate: async (length) => {
      if (faults.failTruncate) throw errno('EIO');
      await handle.truncate(length);
    },
    datasync: async () => {
      if (faults.failSync) throw errno('EIO');
      await handle.datasync();
    },
    close: async () => {
      faults.openCount -= 1;
      await handle.close();
    },
  };
  return new Proxy(handle, {
    get: (target, name) => {
      const value: unknown = Reflect.get(overrides, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

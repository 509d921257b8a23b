/** A file system whose writes go wrong when told to, for the disk version of the append files. */
import { type DiskFile, type OpenFile, openDiskFile } from '../../src/store/disk-file.ts';

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
      const file = await openDiskFile(path, flags);
      faults.openCount += 1;
      return faulty(file, faults);
    },
    maxBytesPerWrite: Number.POSITIVE_INFINITY,
    bytesLeft: Number.POSITIVE_INFINITY,
    failTruncate: false,
    failSync: false,
    openCount: 0,
  };
  return faults;
}

function faulty(file: DiskFile, faults: FileFaults): DiskFile {
  return {
    read: file.read,
    writev: async (parts, position) => {
      const all = Buffer.concat(parts);
      const room = Math.min(all.length, faults.maxBytesPerWrite, faults.bytesLeft);
      if (room === 0) throw errno('ENOSPC');
      await file.writev([all.subarray(0, room)], position);
      faults.bytesLeft -= room;
      return { bytesWritten: room };
    },
    truncate: async (length) => {
      if (faults.failTruncate) throw errno('EIO');
      await file.truncate(length);
    },
    datasync: async () => {
      if (faults.failSync) throw errno('EIO');
      await file.datasync();
    },
    close: async () => {
      faults.openCount -= 1;
      await file.close();
    },
  };
}

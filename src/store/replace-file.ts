/** A small or large file that is only ever written as a whole. */
import { open, rename, rm } from 'node:fs/promises';
import { ioError } from './io-error.ts';

/**
 * Writes the parts beside the file, waits for the disk, and puts the new file in the old one's place: a crash or a full
 * disk leaves the old one or the new one, whole. One writer at a time. Throws NodeError (`DISK_FULL`, `IO`).
 */
export async function replaceFile(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  const beside = `${path}.new`;
  try {
    const file = await open(beside, 'w', 0o600);
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw ioError(error, 'write', path);
  }
}

/** `debug.log` (Bitcoin Core's name): cut at the start when it has grown large; a full disk costs lines, not the node. */
import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import { destination as openDestination } from 'pino';

/** Core's sizes: a log of more than 11 MB is cut to its last 10 MB at start (ShrinkDebugFile). */
const SHRINK_ABOVE_BYTES = 11_000_000;
const SHRINK_TO_BYTES = 10_000_000;

export type LogFile = { readonly write: (text: string) => void; readonly close: () => void };

/** `failed` is called once, when nothing more can be written. */
export function openLogFile(path: string, failed: (reason: string) => void): LogFile {
  shrink(path);
  // Opened here, not by the stream: an unwritable folder fails at once, and lines written before the first turn are kept.
  // Synchronous: each line is written or has failed when `write` returns. The stream's own flushSync, which a stream with
  // a buffer would need at the end, tries for ever when the disk is full.
  const stream = openDestination({ fd: openSync(path, 'a'), sync: true });
  let hasFailed = false;
  stream.on('error', (error: Error) => {
    if (!hasFailed) failed(error.message);
    hasFailed = true;
  });
  return {
    write: (text) => {
      stream.write(text);
    },
    close: () => {
      // After a failure there is nothing to end: what could not be written would be tried again.
      if (hasFailed) stream.destroy();
      else stream.end();
    },
  };
}

/** Keeps the end of a log that has grown large. A log that cannot be read is left alone. */
function shrink(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return;
  }
  try {
    const { size } = fstatSync(fd);
    if (size <= SHRINK_ABOVE_BYTES) return;
    const tail = Buffer.alloc(SHRINK_TO_BYTES);
    const length = readSync(fd, tail, 0, tail.length, size - tail.length);
    writeFileSync(path, tail.subarray(0, length));
  } finally {
    closeSync(fd);
  }
}

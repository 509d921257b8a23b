/**
 * Keeps a second process out of a data directory.
 *
 * The lock is an exclusive transaction of SQLite (built into Node.js) on the empty file `.lock`. Underneath it is an
 * advisory lock of the operating system, so it ends with the process however that dies: nothing stale is left for
 * people to delete. Bitcoin Core locks its `.lock` in the same way, and the two keep each other out.
 * Nothing else may open and close `.lock` in this process: POSIX would drop the lock.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { NodeError } from '#util';
import { ioError } from './io-error.ts';

const LOCK_FILE = '.lock';
const SQLITE_BUSY = 5;
/** SQLite takes the lock in steps: of two that start together each may be in the other's way for a moment. */
const RETRY_MS = 250;

/**
 * Creates `directory` when missing and holds it until disposed. Throws NodeError, `DATADIR_LOCKED` when it is held;
 * that takes a quarter of a second, during which the thread waits.
 */
export async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  const path = join(directory, LOCK_FILE);
  try {
    await mkdir(directory, { recursive: true });
    const database = new DatabaseSync(path, { timeout: RETRY_MS });
    try {
      // Nothing is ever written, so no journal file is wanted beside it.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (error) {
      database.close();
      throw error;
    }
    return {
      [Symbol.asyncDispose]: async () => {
        if (database.isOpen) database.close();
      },
    };
  } catch (error) {
    if (sqliteCode(error) === SQLITE_BUSY) {
      const text = `data directory ${directory} is in use by another process, which holds ${path}; `;
      throw new NodeError('DATADIR_LOCKED', `${text}stop that process or choose another data directory`, {
        cause: error,
      });
    }
    throw ioError(error, 'lock', path);
  }
}

function sqliteCode(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  // Extended codes carry the primary one in the low byte.
  return typeof code === 'number' ? code & 0xff : undefined;
}

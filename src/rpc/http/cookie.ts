/** The file by which programs of the same user log in: `__cookie__:` and 32 random bytes in hex, as Core writes it. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, NodeError, type Random, toHex } from '#util';

export const COOKIE_USER = '__cookie__';

export function cookiePath(networkDirectory: string): string {
  return join(networkDirectory, '.cookie');
}

/** Replaces an old one in one step, readable for the owner alone. Gives the password. Throws NodeError. */
export async function writeCookie(path: string, random: Random): Promise<string> {
  const password = toHex(random.bytes(32));
  const temporary = `${path}.tmp`;
  try {
    // One left behind might have other permissions.
    await rm(temporary, { force: true });
    await writeFile(temporary, `${COOKIE_USER}:${password}`, { mode: 0o600, flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    throw new NodeError('IO', `cannot write the cookie file ${path}: ${errorText(error)}`, { cause: error });
  }
  return password;
}

/** Undefined where there is none that can be read. */
export async function readCookie(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).split('\n')[0]?.trim();
  } catch {
    return undefined;
  }
}

/** Only our own: another server may have written one meanwhile. */
export async function removeCookie(path: string, password: string): Promise<void> {
  if ((await readCookie(path)) === `${COOKIE_USER}:${password}`) await rm(path, { force: true });
}

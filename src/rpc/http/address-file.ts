/** Where the server of a data directory listens, for clients of the same machine; one line. Gone when it is stopped. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const nameIn = (networkDirectory: string): string => join(networkDirectory, '.rpc-address');

/** Gives what removes it. */
export async function writeAddress(networkDirectory: string, address: string): Promise<() => Promise<void>> {
  const path = nameIn(networkDirectory);
  await writeFile(path, `${address}\n`, { mode: 0o600 });
  return () => rm(path, { force: true });
}

/** Undefined where no server runs. */
export async function readAddress(networkDirectory: string): Promise<string | undefined> {
  try {
    return (await readFile(nameIn(networkDirectory), 'utf8')).trim();
  } catch {
    return undefined;
  }
}

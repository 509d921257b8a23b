/** Where reference data beside the repository lies. It may be absent: a test then skips, visibly. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Path of a file or folder in the shared folder next to the repository (`vectors/sighash.json`), if it is there. */
export function sharedPath(name: string): string | undefined {
  const path = fileURLToPath(new URL(`../../../shared/${name}`, import.meta.url));
  return existsSync(path) ? path : undefined;
}

/**
 * The built page. All of it is read once, at the start: what is answered is looked up by its whole name in what was read, so
 * that no request ever becomes a path. Bounds: files and bytes; what is beyond them, or of another kind, is not there.
 */
import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAX_FILES = 128;
const MAX_BYTES = 16 << 20;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
};

/** Names below `assets/` hold a hash of what is in them: they never change. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** To be asked for again each time; the etag saves the bytes. */
const REVALIDATED = 'no-cache';

export type Asset = {
  readonly bytes: Uint8Array;
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
};

/** By the path that is asked for; the page itself is `/`. */
export type Assets = ReadonlyMap<string, Asset>;

/** Beside the sources in a clone, beside the compiled ones in the published package. */
export function builtPage(): string {
  const below = import.meta.url.endsWith('.ts') ? '../../dist/dashboard' : '../../dashboard';
  return fileURLToPath(new URL(below, import.meta.url));
}

/** Empty where nothing was built. */
export async function readAssets(directory: string): Promise<Assets> {
  const assets = new Map<string, Asset>();
  let bytesLeft = MAX_BYTES;
  for (const name of [...(await filesOf(directory, '')), ...(await filesOf(directory, 'assets'))].slice(0, MAX_FILES)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const bytes = await readFile(join(directory, name));
    bytesLeft -= bytes.length;
    if (bytesLeft < 0) break;
    const etag = `"${hash('sha256', bytes, 'base64url').slice(0, 22)}"`;
    const cacheControl = name.startsWith('assets/') ? IMMUTABLE : REVALIDATED;
    assets.set(name === 'index.html' ? '/' : `/${name}`, { bytes, type, etag, cacheControl });
  }
  return assets;
}

/** Plain files alone: no folder, no link that leads elsewhere. */
async function filesOf(directory: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(directory, folder), { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  return names.sort().map((name) => (folder === '' ? name : `${folder}/${name}`));
}

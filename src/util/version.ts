/** The package's version, as shown to peers and people. */
import { readFileSync } from 'node:fs';

/** `package.json` lies two folders up, from `src/` in a clone as from `dist/src/` in the published package. */
const manifest: { readonly version?: unknown } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

export const VERSION = String(manifest.version);

/** Name and version as shown to peers and people. The version is the package's. */
import { readFileSync } from 'node:fs';

/** `package.json` lies two folders up, from `src/` in a clone as from `dist/src/` in the published package. */
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

export const VERSION = version;
/** BIP14 form. */
export const USER_AGENT = `/Starling:${version}/`;

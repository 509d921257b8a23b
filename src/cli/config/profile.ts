/** Profiles: files of settings that go before the defaults alone. Those that come with the program have names. */
import { fileURLToPath } from 'node:url';
import { NodeError } from '#util';
import { closest } from '../suggest.ts';
import { path } from '../values.ts';
import { PROFILE_NAMES } from './names.ts';

const FOLDER = new URL('../../../config/profiles/', import.meta.url);

/** The file of a profile, by name or by path. Throws NodeError `BAD_CONFIG`. */
export function profileFile(nameOrFile: string): string {
  if (PROFILE_NAMES.includes(nameOrFile)) return fileURLToPath(new URL(`${nameOrFile}.toml`, FOLDER));
  if (/[./]/.test(nameOrFile)) return path(nameOrFile);
  const hint = closest(nameOrFile, PROFILE_NAMES);
  const known = `${PROFILE_NAMES.join(', ')}, or a file`;
  throw new NodeError('BAD_CONFIG', `there is no profile "${nameOrFile.slice(0, 60)}"${hint}; give ${known}`);
}

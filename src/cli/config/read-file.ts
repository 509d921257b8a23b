/**
 * Reads a configuration file in any of its forms: JSON (it begins with a brace), TOML (`.toml`), or the form of
 * Bitcoin Core's bitcoin.conf (any other name).
 */
import { readFileSync } from 'node:fs';
import { errorText, NodeError } from '#util';
import { readCoreForm } from './core-form.ts';
import type { ConfigFile } from './entries.ts';
import { readJsonForm } from './json-form.ts';

/** More than any sensible file; a block file given by mistake is not read into memory. */
const MAX_BYTES = 1 << 20;

/** Throws NodeError `BAD_CONFIG` that names the file, the line, and what fits. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = readText(path);
  if (path.endsWith('.toml')) {
    // Loaded on demand: most starts have no such file.
    const { readTomlForm } = await import('./toml-form.ts');
    return readTomlForm(text, path);
  }
  return text.trimStart().startsWith('{') ? readJsonForm(text, path) : readCoreForm(text, path, readText);
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new NodeError('BAD_CONFIG', `cannot read the configuration file ${path}: ${errorText(error)}`, {
      cause: error,
    });
  }
  if (bytes.length > MAX_BYTES) throw new NodeError('BAD_CONFIG', `${path} is too large for a configuration file`);
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

/** Files of settings in a folder of their own. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type ConfigFolder = {
  /** Writes a file and gives its path. */
  readonly write: (name: string, text: string) => string;
  readonly remove: () => void;
};

export function makeConfigFolder(): ConfigFolder {
  const folder = mkdtempSync(join(tmpdir(), 'starling-settings-'));
  return {
    write: (name, text) => {
      const file = join(folder, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** For assert.throws and assert.rejects: one line of that text. */
export const badConfig = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Error && 'code' in error && error.code === 'BAD_CONFIG', String(error));
  assert.match(error.message, pattern);
  assert.doesNotMatch(error.message, /\n/);
  return true;
};

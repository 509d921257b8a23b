/** Configuration files in TOML; a table holds what counts for the network of that name alone. */
import { parse, TomlError, type TomlTable } from 'smol-toml';
import { NodeError } from '#util';
import { type ConfigFile, tableEntries } from './entries.ts';

/** Throws NodeError `BAD_CONFIG`. */
export function readTomlForm(text: string, path: string): ConfigFile {
  let table: TomlTable;
  try {
    table = parse(text, { integersAsBigInt: 'asNeeded', maxDepth: 4 });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ''] = error.message.replace('Invalid TOML document: ', '').split('\n');
    throw new NodeError('BAD_CONFIG', `${path}:${error.line}: not valid TOML: ${reason}`, { cause: error });
  }
  const lineOf = keyLines(text);
  const { entries, problems } = tableEntries(table, path, lineOf);
  if (problems[0] !== undefined) throw new NodeError('BAD_CONFIG', problems[0]);
  return { path, form: 'ours', entries, notes: [] };
}

const KEY = /^\s*(?:"([^"]+)"|'([^']+)'|([\w-]+))\s*=/;
const HEADER = /^\s*\[\s*(?:"([^"]+)"|'([^']+)'|([\w-]+))\s*\]/;

/**
 * Where keys stand. The library does not say; a line is taken to begin an entry when what stands above it is a whole
 * document, so that text in a value of several lines is none.
 */
function keyLines(text: string): (section: string | undefined, key: string) => number | undefined {
  const lines = text.split(/\r?\n/);
  return (wantedSection, wantedKey) => {
    let section: string | undefined;
    for (const [index, line] of lines.entries()) {
      const header = HEADER.exec(line)?.slice(1).find(isGiven);
      const key = KEY.exec(line)?.slice(1).find(isGiven);
      if (header === undefined && (key !== wantedKey || section !== wantedSection)) continue;
      if (!isDocument(lines.slice(0, index).join('\n'))) continue;
      if (header === undefined) return index + 1;
      section = header;
    }
    return undefined;
  };
}

const isGiven = (part: string | undefined): boolean => part !== undefined;

function isDocument(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}
